/** Objects for the synthetic tenant: in every bucket, with all that copying could spoil. */
import { PutObjectCommand, type PutObjectCommandInput, type S3Client } from '@aws-sdk/client-s3';
import { partitionsOf } from '../../../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';

type SmokeObject = Omit<PutObjectCommandInput, 'Bucket' | 'Key'> & { readonly name: string };

const OBJECTS: readonly SmokeObject[] = [
  { name: 'smoke empty', Body: new Uint8Array() },
  {
    name: 'smoke Grüße+%20\u{1F30F}',
    Body: Uint8Array.from({ length: 256 }, (_, byte) => byte),
    ContentType: 'text/markdown; charset=utf-8',
    CacheControl: 'no-cache',
    ContentDisposition: 'attachment; filename="smoke.md"',
    Metadata: { made: 'for a smoke test' },
    Tagging: 'kind=smoke&empty=',
  },
];

/** Puts the objects under each prefix of the tenant. Returns how many they are. */
export async function seededObjects(
  client: S3Client,
  Bucket: string,
  part: S3Part,
  values: KeyValues,
): Promise<number> {
  const prefixes = partitionsOf(part, values);
  for (const prefix of prefixes)
    for (const { name, ...object } of OBJECTS)
      await client.send(new PutObjectCommand({ Bucket, Key: `${prefix}${name}`, ...object }));
  return prefixes.length * OBJECTS.length;
}
