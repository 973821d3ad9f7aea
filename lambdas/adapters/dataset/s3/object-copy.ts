/** What changes the objects of a target by one request: a copy, tags, a removal. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { Fault } from '../../../domain/refusal.ts';
import { checksumOf, replacedMeanwhile } from './object-bytes.ts';
import { ask, copySourceOf, type ObjectSide } from './object-side.ts';
import { isMissing, isReplaced } from './s3-errors.ts';
import {
  checksumIn,
  describeObject,
  type ObjectChecksum,
  type StoredObject,
} from './stored-object.ts';

/** An object that is in the target as it was in the source, and the checksum of its bytes. */
export interface CopiedObject {
  readonly object: StoredObject;
  readonly checksum: ObjectChecksum;
}

/** S3's limit for one request, whatever is declared. */
const MOST_BYTES = 5 * 1024 ** 3;
/** How often an object may be replaced while it is being copied. */
const TRIES = 3;

/**
 * A composite checksum stays the same only if the parts do. The others are copied as a whole up to
 * a size; a sum of SHA over the whole object cannot be made from parts.
 */
export function isCopiedInParts({ limits }: ObjectSide, { size, checksum }: StoredObject): boolean {
  if (checksum?.type === 'COMPOSITE') return true;
  const isWhole = checksum !== undefined && !checksum.algorithm.startsWith('CRC');
  return size > (isWhole ? MOST_BYTES : limits.singleCopyBytes);
}

/** `undefined` where the source has no such object any more. */
export async function copyWhole(
  source: ObjectSide,
  target: ObjectSide,
  described: StoredObject,
): Promise<CopiedObject | undefined> {
  let object: StoredObject | undefined = described;
  for (let tries = 1; tries <= TRIES && object !== undefined; tries += 1) {
    if (isCopiedInParts(source, object)) break;
    const made = await copyOnce(source, target, object);
    if (made === 'missing') return undefined;
    if (made !== 'replaced') {
      checkCopy(target, object, made);
      return { object, checksum: object.checksum ?? made ?? (await checksumOf(source, object)) };
    }
    object = await describeObject(source, object.key);
  }
  if (object === undefined) return undefined;
  throw replacedMeanwhile(source);
}

async function copyOnce(
  source: ObjectSide,
  target: ObjectSide,
  { key, etag, checksum, storageClass, headers }: StoredObject,
): Promise<ObjectChecksum | undefined | 'missing' | 'replaced'> {
  try {
    const { CopyObjectResult: made = {} } = await ask(
      target,
      'CopyObject',
      () =>
        target.client.send(
          new CopyObjectCommand({
            Bucket: target.bucket,
            Key: key,
            CopySource: copySourceOf(source, key),
            CopySourceIfMatch: etag,
            MetadataDirective: 'COPY',
            TaggingDirective: 'COPY',
            // These are not copied unless the request says so.
            StorageClass: storageClassOf(storageClass),
            WebsiteRedirectLocation: headers.WebsiteRedirectLocation,
            ChecksumAlgorithm: checksum?.algorithm ?? 'CRC64NVME',
          }),
        ),
      { lets: (error) => isMissing(error) || isReplaced(error) },
    );
    return checksumIn(made, made.ChecksumType);
  } catch (error) {
    if (isMissing(error)) return 'missing';
    if (isReplaced(error)) return 'replaced';
    throw error;
  }
}

/** S3 computes the checksum of what it has written: where it differs, the copy is not taken. */
export function checkCopy(
  { part }: ObjectSide,
  { checksum }: StoredObject,
  made: ObjectChecksum | undefined,
): void {
  if (checksum === undefined || made === undefined) return;
  if (checksum.algorithm === made.algorithm && checksum.value === made.value) return;
  throw new Fault(`part "${part.name}": the copy of an object has another checksum`);
}

type StorageClass = NonNullable<ConstructorParameters<typeof CopyObjectCommand>[0]['StorageClass']>;

/** The SDK's list of storage classes may be older than S3's. */
export const storageClassOf = (name: string): StorageClass => name as StorageClass;

export async function replaceTags(
  target: ObjectSide,
  key: string,
  tags: StoredObject['tags'],
): Promise<void> {
  const place = { Bucket: target.bucket, Key: key };
  if (tags.length === 0) {
    const command = new DeleteObjectTaggingCommand(place);
    await ask(target, 'DeleteObjectTagging', () => target.client.send(command));
    return;
  }
  const TagSet = tags.map(([Key, Value]) => ({ Key, Value }));
  const command = new PutObjectTaggingCommand({ ...place, Tagging: { TagSet } });
  await ask(target, 'PutObjectTagging', () => target.client.send(command));
}

/** In a versioned bucket a delete marker hides it; a purge removes both. */
export async function removeObject(target: ObjectSide, key: string): Promise<void> {
  const command = new DeleteObjectCommand({ Bucket: target.bucket, Key: key });
  await ask(target, 'DeleteObject', () => target.client.send(command));
}
