/** Describes an object: everything that a move has to keep, and the digest of it. */
import { hash } from 'node:crypto';
import {
  type ChecksumAlgorithm,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
} from '@aws-sdk/client-s3';
import type { ItemDigest } from '../../../domain/datasets/digest.ts';
import { defined } from '../../../domain/defined.ts';
import { Fault, PermanentError } from '../../../domain/refusal.ts';
import { ask, type ObjectSide, relativeKey } from './object-side.ts';
import { isMissing, statusOf } from './s3-errors.ts';

/** `COMPOSITE` is a checksum of the checksums of parts. */
export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  /** Base64. */
  readonly value: string;
}

export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** Tells one generation of an object from the next; says nothing about bytes. */
  readonly etag: string;
  /** Absent where S3 keeps none: objects from before December 2024 may have none. */
  readonly checksum?: ObjectChecksum;
  readonly headers: Readonly<Record<(typeof HEADERS)[number], string | undefined>>;
  readonly storageClass: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** As the SDK names them. */
export const HEADERS = [
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'ContentType',
  'ExpiresString',
  'WebsiteRedirectLocation',
] as const;

const CHECKSUMS = [
  'CRC64NVME',
  'CRC32',
  'CRC32C',
  'SHA1',
  'SHA256',
  'SHA512',
  'MD5',
  'XXHASH64',
  'XXHASH3',
  'XXHASH128',
] as const;

/** The object with this key; `undefined` where there is none any more. */
export async function describeObject(
  side: ObjectSide,
  key: string,
): Promise<StoredObject | undefined> {
  const { client, bucket } = side;
  try {
    const head = await ask(
      side,
      'HeadObject',
      () =>
        client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' })),
      { lets: isHeadAnswer },
    );
    const tags = head.TagCount ? await tagsOf(side, key) : [];
    return storedObject(key, head, tags);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw isHeadAnswer(error) ? await reasonOf(side, key) : error;
  }
}

const isHeadAnswer = (error: unknown): boolean =>
  isMissing(error) || (error instanceof Error && statusOf(error) === 400);

/** S3 answers a HEAD with 400 and no reason; it gives the reason to a GET. */
async function reasonOf(side: ObjectSide, key: string): Promise<unknown> {
  const isKeyOfCustomer = await needsCustomerKey(side, key);
  return isKeyOfCustomer ? customersKey(side) : new Fault('S3 has refused HeadObject once');
}

/** Whether the object can be read only with a key that its writer has. */
export async function needsCustomerKey(
  side: ObjectSide,
  key: string,
  versionId?: string,
): Promise<boolean> {
  const { client, bucket } = side;
  const command = new GetObjectCommand({
    Bucket: bucket,
    Key: key,
    Range: 'bytes=0-0',
    ...defined({ VersionId: versionId }),
  });
  const isInvalid = (error: unknown) => error instanceof Error && error.name === 'InvalidRequest';
  try {
    await ask(side, 'GetObject', () => client.send(command), { lets: isInvalid });
    return false;
  } catch (error) {
    if (isInvalid(error)) return true;
    throw error;
  }
}

const customersKey = ({ part, bucket }: ObjectSide): Error =>
  new PermanentError(
    `part "${part.name}": an object in bucket ${bucket} is encrypted with a key that only its writer has (SSE-C): it cannot be moved`,
  );

async function tagsOf(side: ObjectSide, key: string): Promise<StoredObject['tags']> {
  const { client, bucket } = side;
  const { TagSet = [] } = await ask(
    side,
    'GetObjectTagging',
    () => client.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key })),
    { lets: isMissing },
  );
  return TagSet.map(({ Key = '', Value = '' }) => [Key, Value] as const).sort();
}

function storedObject(
  key: string,
  head: HeadObjectCommandOutput,
  tags: StoredObject['tags'],
): StoredObject {
  const checksum = checksumIn(head, head.ChecksumType);
  const headers = Object.fromEntries(HEADERS.map((name) => [name, head[name]]));
  return {
    key,
    size: head.ContentLength ?? 0,
    etag: head.ETag ?? '',
    ...defined({ checksum }),
    headers: headers as StoredObject['headers'],
    storageClass: head.StorageClass ?? 'STANDARD',
    metadata: head.Metadata ?? {},
    tags,
  };
}

type ChecksumFields = {
  readonly [name in `Checksum${(typeof CHECKSUMS)[number]}`]?: string | undefined;
};

/** The checksum in an answer of S3. */
export function checksumIn(
  answer: ChecksumFields,
  type: string | undefined,
): ObjectChecksum | undefined {
  for (const algorithm of CHECKSUMS) {
    const value = answer[`Checksum${algorithm}`];
    if (value === undefined) continue;
    const isComposite = type === 'COMPOSITE' || (type === undefined && /-\d+$/.test(value));
    return { algorithm, type: isComposite ? 'COMPOSITE' : 'FULL_OBJECT', value };
  }
  return undefined;
}

/** Two objects are the same exactly when these texts are. */
export function encodeObject(
  side: ObjectSide,
  { key, size, headers, storageClass, metadata, tags }: StoredObject,
  { algorithm, type, value }: ObjectChecksum,
): string {
  return JSON.stringify([
    relativeKey(side, key),
    size,
    [algorithm, type, value],
    HEADERS.map((name) => headers[name] ?? null),
    storageClass,
    Object.entries(metadata).sort(),
    tags,
  ]);
}

/** No object expires by itself: a lifecycle rule that removes one during a move is a difference. */
export const objectDigest = (
  side: ObjectSide,
  object: StoredObject,
  checksum: ObjectChecksum,
): ItemDigest => ({
  hash: hash('sha256', encodeObject(side, object, checksum), 'binary'),
  bytes: object.size,
  lasting: true,
});
