/** DATA: the part of the objects, its buckets by realm, and the tenant's prefix. */
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import { SOURCE, TARGET, TENANT } from '../variants/job.ts';

export const PART: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};
export const PREFIX = `${TENANT}/`;
export const BUCKETS: Readonly<Record<string, string>> = {
  [SOURCE.realm]: 'bench-documents-us',
  [TARGET.realm]: 'bench-documents-de',
};
