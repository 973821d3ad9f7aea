/** The actions of IAM that S3 asks for a call, on the bucket or on its objects. */
import type { RecordedCall } from './recorded-calls.ts';

const ON_BUCKETS: Readonly<Record<string, string>> = {
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  ListObjectVersions: 's3:ListBucketVersions',
  ListObjectsV2: 's3:ListBucket',
};
const ON_OBJECTS: Readonly<Record<string, readonly string[]>> = {
  AbortMultipartUpload: ['s3:AbortMultipartUpload'],
  CompleteMultipartUpload: ['s3:PutObject'],
  CreateMultipartUpload: ['s3:PutObject', 's3:PutObjectTagging'],
  DeleteObject: ['s3:DeleteObject'],
  DeleteObjectTagging: ['s3:DeleteObjectTagging'],
  DeleteObjects: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
  GetObject: ['s3:GetObject'],
  GetObjectAttributes: ['s3:GetObjectAttributes'],
  GetObjectTagging: ['s3:GetObjectTagging'],
  HeadObject: ['s3:GetObject'],
  ListParts: ['s3:ListMultipartUploadParts'],
  PutObject: ['s3:PutObject'],
  PutObjectTagging: ['s3:PutObjectTagging'],
};
const LOOKING = ['GetObject', 'GetObjectLegalHold', 'GetObjectRetention', 'GetObjectVersion'].map(
  (action) => `s3:${action}`,
);
/** With the objects and tags of both sides. */
const COPIES = ['CopyObject', 'UploadPartCopy'];

/** `isTarget`: a copy names the target first, and then the source. */
export function s3Needs(
  { action, resource, entry, realm }: RecordedCall,
  isTarget: boolean,
): readonly RecordedCall[] {
  const command = action.replace('s3:', '');
  const onBucket = ON_BUCKETS[command];
  if (onBucket !== undefined) return [{ action: onBucket, resource, entry, realm }];
  const copied = isTarget
    ? ['s3:PutObject', 's3:PutObjectTagging']
    : ['s3:GetObject', 's3:GetObjectTagging'];
  // It asks for a version, and S3 tells of a lock only those who may read it.
  const looks = entry === 'tasks/measure' && command === 'HeadObject';
  const ofObjects = looks ? LOOKING : ON_OBJECTS[command];
  const actions = COPIES.includes(command) ? copied : ofObjects;
  if (actions === undefined) throw new Error(`what ${command} needs is not known`);
  return actions.map((one) => ({ action: one, resource: `${resource}/*`, entry, realm }));
}
