/** CopyObject and UploadPartCopy: the source may be a bucket of any region. */
import { algorithmCalled, elementOf, fullChecksum, md5 } from '../checksums.ts';
import { checkCopySource } from '../conditions.ts';
import type { Operation, S3Context } from '../context.ts';
import { checkCustomerKey, describedBy, isArchived, kindOf } from '../facts.ts';
import type { ObjectVersion, Part } from '../model.ts';
import type { RegionStore } from '../region-store.ts';
import { S3Error } from '../s3-error.ts';
import { decoded, headerIn, numberIn, type S3Address } from '../s3-request.ts';
import { checkTags } from '../tags.ts';
import { xmlOf } from '../xml.ts';
import { checkKey, idOf, newVersionId, putVersion, rangeIn } from './objects.ts';

export const copyObject: Operation = async (request, context) => {
  const { bucket: name, key } = request;
  const { store, limits, now, checksumByDefault } = context;
  checkKey(key);
  const bucket = store.bucket(name);
  const source = sourceOf(request, context);
  const { version } = source;
  if (version.size > limits.copyBytes)
    throw new S3Error(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${limits.copyBytes}`,
    );
  const replaces = (directive: string) => headerIn(request, directive) === 'REPLACE';
  const { headers, metadata, tags } = version.facts;
  const facts = {
    ...(replaces('x-amz-metadata-directive')
      ? describedBy(request)
      : described(request, headers, metadata)),
    ...kindOf(request),
    tags: replaces('x-amz-tagging-directive')
      ? checkTags([...new URLSearchParams(headerIn(request, 'x-amz-tagging') ?? '')])
      : tags,
  };
  if (
    source.isSame(name, key) &&
    !replaces('x-amz-metadata-directive') &&
    facts.storageClass === version.facts.storageClass
  )
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  const bytes = await source.store.bodies.read(version.bodies);
  const algorithm =
    algorithmCalled(headerIn(request, 'x-amz-checksum-algorithm')) ??
    version.checksum?.algorithm ??
    (checksumByDefault ? 'CRC64NVME' : undefined);
  const checksum = algorithm && (await fullChecksum(algorithm, bytes));
  const body = await store.bodies.add(bytes);
  const made: ObjectVersion = {
    kind: 'object',
    key,
    versionId: newVersionId(bucket),
    lastModified: now(),
    etag: md5(bytes).toString('hex'),
    size: body.size,
    bodies: [body],
    ...(checksum && { checksum }),
    facts,
  };
  await putVersion(context, name, made, request);
  return {
    headers: { ...idOf(bucket, made), ...source.ids },
    body: xmlOf('CopyObjectResult', {
      LastModified: new Date(made.lastModified).toISOString(),
      ETag: `"${made.etag}"`,
      ...(checksum && {
        [elementOf(checksum.algorithm)]: checksum.value,
        ChecksumType: checksum.type,
      }),
    }),
  };
};

/** A copy keeps all headers but this one. */
function described(
  request: S3Address,
  headers: ObjectVersion['facts']['headers'],
  metadata: ObjectVersion['facts']['metadata'],
) {
  const { 'x-amz-website-redirect-location': _, ...kept } = headers;
  const redirect = headerIn(request, 'x-amz-website-redirect-location');
  return {
    headers: { ...kept, ...(redirect && { 'x-amz-website-redirect-location': redirect }) },
    metadata,
  };
}

export const uploadPartCopy: Operation = async (request, context) => {
  const { bucket: name, key, query } = request;
  const { store, limits, now } = context;
  const id = query.get('uploadId') ?? '';
  const { upload } = store.upload(name, key, id);
  const source = sourceOf(request, context);
  const header = headerIn(request, 'x-amz-copy-source-range');
  const range = rangeIn(header, source.version.size);
  const whole = await source.store.bodies.read(source.version.bodies);
  const bytes = range === undefined ? whole : whole.subarray(range[0], range[1] + 1);
  const last = Number(/-(\d+)$/.exec(header ?? '')?.[1] ?? 0);
  if (header !== undefined && last >= source.version.size)
    throw new S3Error('InvalidArgument', 'Range specified is not valid for source object');
  if (bytes.length > limits.copyBytes)
    throw new S3Error(
      'InvalidRequest',
      `The specified copy source is larger than the maximum allowable size for a copy source: ${limits.copyBytes}`,
    );
  const body = await store.bodies.add(Buffer.from(bytes));
  const checksum = upload.algorithm && (await fullChecksum(upload.algorithm, bytes));
  const part: Part = {
    number: partNumberIn(request),
    body,
    size: body.size,
    etag: md5(bytes).toString('hex'),
    lastModified: now(),
    ...(checksum && { checksum: checksum.value }),
  };
  await putPart(context, name, key, id, part);
  return {
    headers: source.ids,
    body: xmlOf('CopyPartResult', {
      LastModified: new Date(part.lastModified).toISOString(),
      ETag: `"${part.etag}"`,
      ...(checksum && { [elementOf(checksum.algorithm)]: checksum.value }),
    }),
  };
};

export function partNumberIn(request: S3Address): number {
  const number = numberIn(request, 'partNumber', 0, 1e9);
  if (number < 1 || number > 10_000)
    throw new S3Error(
      'InvalidArgument',
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  return number;
}

/** Looks at the moment of writing whether the upload is still open. */
export async function putPart(
  { store }: S3Context,
  bucket: string,
  key: string,
  id: string,
  part: Part,
): Promise<void> {
  try {
    await store.commit(() => {
      store.upload(bucket, key, id);
      return [{ change: 'part', bucket, id, part }];
    });
  } catch (error) {
    await store.bodies.leave([part.body]);
    throw error;
  }
}

interface Source {
  readonly store: RegionStore;
  readonly version: ObjectVersion;
  readonly isSame: (bucket: string, key: string) => boolean;
  /** Headers of the answer. */
  readonly ids: Readonly<Record<string, string>>;
}

/** `/bucket/key?versionId=…`, percent-encoded. */
function sourceOf(request: S3Address, { storeOf }: S3Context): Source {
  const header = headerIn(request, 'x-amz-copy-source') ?? '';
  const [, path = '', versionId] = /^\/?(.*?)(?:\?versionId=(.*))?$/.exec(header) ?? [];
  const at = path.indexOf('/');
  const [bucket, key] = [decoded(path.slice(0, at)), decoded(path.slice(at + 1))];
  if (at < 1 || key === '')
    throw new S3Error('InvalidArgument', 'Copy Source must mention the source bucket and key');
  const store = storeOf(bucket);
  const version =
    versionId === undefined ? store.current(bucket, key) : store.version(bucket, key, versionId);
  if (version.kind === 'marker')
    throw new S3Error('InvalidRequest', 'The source of a copy request may not be a delete marker.');
  checkCustomerKey(version, request, 'x-amz-copy-source-server-side-encryption');
  if (isArchived(version))
    throw new S3Error(
      'InvalidObjectState',
      "Operation is not valid for the source object's storage class",
    );
  checkCopySource(request, version);
  const isVersioned = store.bucket(bucket).versioning !== 'never';
  return {
    store,
    version,
    isSame: (other, otherKey) => other === bucket && otherKey === key && versionId === undefined,
    ids: isVersioned ? { 'x-amz-copy-source-version-id': version.versionId } : {},
  };
}
