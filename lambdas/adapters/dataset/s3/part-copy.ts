/**
 * The requests of a copy in parts: it begins, goes on from parts that are there, and is completed.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { defined } from '../../../domain/defined.ts';
import { Fault, PermanentError } from '../../../domain/refusal.ts';
import { replacedMeanwhile } from './object-bytes.ts';
import { checkCopy, storageClassOf } from './object-copy.ts';
import { ask, copySourceOf, decodedKey, type ObjectSide } from './object-side.ts';
import { isMissing, isNoUpload, isReplaced } from './s3-errors.ts';
import { checksumIn, describeObject, type StoredObject } from './stored-object.ts';

/** Bytes of the source that become a part; both ends inclusive. */
export interface PlannedPart {
  readonly number: number;
  readonly from: number;
  readonly to: number;
}

/** S3's limit of parts. */
const MOST_PARTS = 10_000;
const MB = 1024 ** 2;

/** The parts as they were uploaded where the checksum is of these, else parts of one size. */
export async function plannedParts(
  source: ObjectSide,
  object: StoredObject,
): Promise<readonly PlannedPart[]> {
  const sizes =
    object.checksum?.type === 'COMPOSITE'
      ? await uploadedSizes(source, object)
      : equalSizes(source, object);
  let from = 0;
  return sizes.map((size, place) => {
    const part = { number: place + 1, from, to: from + size - 1 };
    from += size;
    return part;
  });
}

function equalSizes({ limits }: ObjectSide, { size }: StoredObject): readonly number[] {
  const least = Math.ceil(size / MOST_PARTS / MB) * MB;
  const bytes = Math.max(limits.partBytes, size > limits.partBytes * MOST_PARTS ? least : 0);
  return Array.from({ length: Math.ceil(size / bytes) }, (_, place) =>
    Math.min(bytes, size - place * bytes),
  );
}

async function uploadedSizes(side: ObjectSide, object: StoredObject): Promise<readonly number[]> {
  const { client, bucket, part } = side;
  const sizes: number[] = [];
  let marker: string | undefined;
  do {
    const { ObjectParts: page } = await ask(side, 'GetObjectAttributes', () =>
      client.send(
        new GetObjectAttributesCommand({
          Bucket: bucket,
          Key: object.key,
          ObjectAttributes: ['ObjectParts'],
          ...(marker !== undefined && { PartNumberMarker: marker }),
        }),
      ),
    );
    sizes.push(...(page?.Parts ?? []).map(({ Size = 0 }) => Size));
    marker = page?.IsTruncated ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  if (sizes.reduce((sum, size) => sum + size, 0) === object.size) return sizes;
  throw new PermanentError(
    `part "${part.name}": S3 does not tell the parts of an object whose checksum is made of them`,
  );
}

export interface OpenUpload {
  readonly id: string;
  /** What is in place already, by number. */
  readonly parts: Map<number, CompletedPart>;
}

/** The upload with its parts; `undefined` where it cannot be gone on with. */
export async function resumedUpload(
  target: ObjectSide,
  key: string,
  id: string,
  plan: readonly PlannedPart[],
): Promise<OpenUpload | undefined> {
  const parts = new Map<number, CompletedPart>();
  let marker: string | undefined;
  try {
    do {
      const page = await ask(
        target,
        'ListParts',
        () =>
          target.client.send(
            new ListPartsCommand({
              Bucket: target.bucket,
              Key: key,
              UploadId: id,
              ...(marker !== undefined && { PartNumberMarker: marker }),
            }),
          ),
        { lets: isNoUpload },
      );
      for (const part of page.Parts ?? []) {
        const planned = plan[(part.PartNumber ?? 0) - 1];
        if (planned === undefined || planned.to - planned.from + 1 !== part.Size) return undefined;
        parts.set(planned.number, completedPart(planned.number, part));
      }
      marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (marker !== undefined);
  } catch (error) {
    if (isNoUpload(error)) return undefined;
    throw error;
  }
  return { id, parts };
}

/** First aborts what a worker that died has left open for this key. */
export async function beginUpload(target: ObjectSide, object: StoredObject): Promise<OpenUpload> {
  const { client, bucket } = target;
  const { key, checksum, headers, metadata, storageClass, tags } = object;
  const { Uploads = [], EncodingType: encoding } = await ask(target, 'ListMultipartUploads', () =>
    client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, EncodingType: 'url' }),
    ),
  );
  for (const { Key, UploadId } of Uploads)
    if (UploadId !== undefined && decodedKey(Key, encoding) === key)
      await abortUpload(target, key, UploadId);
  const { ExpiresString, ...others } = headers;
  const Expires = ExpiresString === undefined ? undefined : new Date(ExpiresString);
  if (Expires !== undefined && Number.isNaN(Expires.getTime()))
    throw new PermanentError(
      `part "${target.part.name}": a large object has a header Expires that is no date, which a copy in parts cannot keep`,
    );
  const { UploadId: id = '' } = await ask(target, 'CreateMultipartUpload', () =>
    client.send(
      new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        ...defined({ ...others, Expires }),
        Metadata: { ...metadata },
        StorageClass: storageClassOf(storageClass),
        ...(tags.length > 0 && { Tagging: taggingOf(tags) }),
        ChecksumAlgorithm: checksum?.algorithm ?? 'CRC64NVME',
        ChecksumType: checksum?.type ?? 'FULL_OBJECT',
      }),
    ),
  );
  return { id, parts: new Map() };
}

const taggingOf = (tags: StoredObject['tags']): string =>
  tags.map((tag) => tag.map(encodeURIComponent).join('=')).join('&');

export async function copyPart(
  source: ObjectSide,
  target: ObjectSide,
  { key, etag }: StoredObject,
  upload: OpenUpload,
  { number, from, to }: PlannedPart,
): Promise<void> {
  try {
    const { CopyPartResult = {} } = await ask(
      target,
      'UploadPartCopy',
      () =>
        target.client.send(
          new UploadPartCopyCommand({
            Bucket: target.bucket,
            Key: key,
            UploadId: upload.id,
            PartNumber: number,
            CopySource: copySourceOf(source, key),
            CopySourceIfMatch: etag,
            CopySourceRange: `bytes=${from}-${to}`,
          }),
        ),
      { lets: (error) => isMissing(error) || isReplaced(error) },
    );
    upload.parts.set(number, completedPart(number, CopyPartResult));
  } catch (error) {
    throw isMissing(error) || isReplaced(error) ? replacedMeanwhile(source) : error;
  }
}

type Sums = Parameters<typeof checksumIn>[0];

/** With the part's checksum: S3 asks for it where the whole is made of those of the parts. */
function completedPart(
  PartNumber: number,
  answer: Sums & { ETag?: string | undefined },
): CompletedPart {
  const sum = checksumIn(answer, 'FULL_OBJECT');
  return { PartNumber, ETag: answer.ETag, ...(sum && { [`Checksum${sum.algorithm}`]: sum.value }) };
}

/** An upload that is gone may have been completed by a request whose answer was lost. */
export async function completeUpload(
  target: ObjectSide,
  object: StoredObject,
  { id, parts }: OpenUpload,
): Promise<void> {
  const { client, bucket } = target;
  const Parts = [...parts.values()].sort(
    (one, other) => Number(one.PartNumber) - Number(other.PartNumber),
  );
  try {
    const made = await ask(
      target,
      'CompleteMultipartUpload',
      () =>
        client.send(
          new CompleteMultipartUploadCommand({
            Bucket: bucket,
            Key: object.key,
            UploadId: id,
            MultipartUpload: { Parts },
          }),
        ),
      { lets: isNoUpload },
    );
    checkCopy(target, object, checksumIn(made, made.ChecksumType));
  } catch (error) {
    if (!isNoUpload(error)) throw error;
    const present = await describeObject(target, object.key);
    if (present?.size !== object.size || object.checksum?.value !== present.checksum?.value)
      throw new Fault(`part "${target.part.name}": the copy of a large object has to begin again`);
  }
}

/** An upload that is gone is no error. */
export async function abortUpload(side: ObjectSide, key: string, id: string): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: side.bucket, Key: key, UploadId: id });
  try {
    await ask(side, 'AbortMultipartUpload', () => side.client.send(command), { lets: isNoUpload });
  } catch (error) {
    if (!isNoUpload(error)) throw error;
  }
}
