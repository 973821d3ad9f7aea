/**
 * Uploads in parts: CreateMultipartUpload, UploadPart, CompleteMultipartUpload, Abort…, ListParts.
 */
import { randomBytes } from 'node:crypto';
import {
  type Algorithm,
  algorithmCalled,
  type Checksum,
  compositeChecksum,
  elementOf,
  fullChecksum,
  headerOf,
  md5,
} from '../checksums.ts';
import type { Operation, S3Context } from '../context.ts';
import { factsOf } from '../facts.ts';
import type { ObjectVersion, Part, Upload } from '../model.ts';
import { checkedChecksum } from '../received.ts';
import { S3Error } from '../s3-error.ts';
import { headerIn, numberIn } from '../s3-request.ts';
import { parseXml, xmlOf } from '../xml.ts';
import { partNumberIn, putPart } from './copies.ts';
import { checkKey, idOf, newVersionId, putVersion } from './objects.ts';

export const createMultipartUpload: Operation = async (request, { store, now, ...context }) => {
  const { bucket, key } = request;
  checkKey(key);
  store.bucket(bucket);
  const named = algorithmCalled(headerIn(request, 'x-amz-checksum-algorithm'));
  const algorithm = named ?? (context.checksumByDefault ? 'CRC64NVME' : undefined);
  const upload: Upload = {
    key,
    id: randomBytes(32).toString('base64url'),
    initiated: now(),
    facts: factsOf(request),
    ...(algorithm && {
      algorithm,
      isNamed: named !== undefined,
      checksumType: typeOf(algorithm, headerIn(request, 'x-amz-checksum-type')),
    }),
  };
  await store.commit(() => [{ change: 'upload', bucket, upload }]);
  return {
    headers: {
      'x-amz-checksum-algorithm': upload.algorithm,
      'x-amz-checksum-type': upload.checksumType,
    },
    body: xmlOf('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: upload.id }),
  };
};

/** SHA sums of parts cannot be joined to one of the whole, and CRC64NVME has no other form. */
function typeOf(algorithm: Algorithm, type: string | undefined): Checksum['type'] {
  const isSha = algorithm.startsWith('SHA');
  const byDefault = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  if ((isSha && type === 'FULL_OBJECT') || (byDefault === 'FULL_OBJECT' && type === 'COMPOSITE'))
    throw new S3Error(
      'InvalidRequest',
      `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
    );
  return type === 'FULL_OBJECT' || type === 'COMPOSITE' ? type : byDefault;
}

export const uploadPart: Operation = async (request, context) => {
  const { bucket, key, query } = request;
  const id = query.get('uploadId') ?? '';
  const { upload } = context.store.upload(bucket, key, id);
  const number = partNumberIn(request);
  const received = await checkedChecksum(request, upload.algorithm);
  if (received && upload.isNamed && received.algorithm !== upload.algorithm)
    throw new S3Error(
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${upload.algorithm?.toLowerCase()}, actual checksum Type: ${received.algorithm.toLowerCase()}`,
    );
  const kept = upload.algorithm && (await fullChecksum(upload.algorithm, request.body));
  const body = await context.store.bodies.add(request.body);
  const part: Part = {
    number,
    body,
    size: body.size,
    etag: md5(request.body).toString('hex'),
    lastModified: context.now(),
    ...(kept && { checksum: kept.value }),
  };
  await putPart(context, bucket, key, id, part);
  return {
    headers: {
      etag: `"${part.etag}"`,
      ...(received && { [headerOf(received.algorithm)]: received.value }),
    },
  };
};

export const completeMultipartUpload: Operation = async (request, context) => {
  const { bucket: name, key, query } = request;
  const { store, now } = context;
  const bucket = store.bucket(name);
  const id = query.get('uploadId') ?? '';
  const { upload, parts } = store.upload(name, key, id);
  const named = parseXml(request.body.toString('utf8'), 'CompleteMultipartUpload').all('Part');
  const used: Part[] = [];
  for (const element of named) {
    const part = parts.get(Number(element.text('PartNumber')));
    const last = used.at(-1);
    if (part === undefined || (element.text('ETag') ?? '').replace(/"/g, '') !== part.etag)
      throw new S3Error('InvalidPart', 'One or more of the specified parts could not be found.');
    const checksum = upload.algorithm && element.text(elementOf(upload.algorithm));
    if (checksum !== undefined && checksum !== part.checksum)
      throw new S3Error('InvalidPart', 'The checksum of a part is not the one that was uploaded.');
    if (last !== undefined && part.number <= last.number)
      throw new S3Error('InvalidPartOrder', 'The list of parts was not in ascending order.');
    used.push(part);
  }
  if (used.length === 0)
    throw new S3Error('MalformedXML', 'an upload is completed with at least one part');
  if (used.slice(0, -1).some(({ size }) => size < context.limits.partBytes))
    throw new S3Error(
      'EntityTooSmall',
      'Your proposed upload is smaller than the minimum allowed size',
    );
  const version: ObjectVersion = {
    kind: 'object',
    key,
    versionId: newVersionId(bucket),
    lastModified: now(),
    etag: `${md5(Buffer.concat(used.map(({ etag }) => Buffer.from(etag, 'hex')))).toString('hex')}-${used.length}`,
    size: used.reduce((sum, { size }) => sum + size, 0),
    bodies: used.map(({ body }) => body),
    ...(await checksumOf(upload, used, context)),
    parts: used.map(({ number, size, checksum }) => ({
      number,
      size,
      ...(checksum && { checksum }),
    })),
    facts: upload.facts,
  };
  const expected = upload.algorithm && headerIn(request, headerOf(upload.algorithm));
  if (expected !== undefined && expected !== version.checksum?.value)
    throw new S3Error('BadDigest', 'The checksum you specified did not match what was calculated.');
  await putVersion(context, name, version, request, id);
  const { checksum } = version;
  return {
    headers: idOf(bucket, version),
    body: xmlOf('CompleteMultipartUploadResult', {
      Bucket: name,
      Key: key,
      ETag: `"${version.etag}"`,
      ...(checksum && {
        [elementOf(checksum.algorithm)]: checksum.value,
        ChecksumType: checksum.type,
      }),
    }),
  };
};

async function checksumOf(
  { algorithm, checksumType }: Upload,
  parts: readonly Part[],
  { store }: S3Context,
): Promise<{ checksum?: Checksum }> {
  if (algorithm === undefined) return {};
  if (checksumType === 'COMPOSITE')
    return {
      checksum: await compositeChecksum(
        algorithm,
        parts.map(({ checksum = '' }) => checksum),
      ),
    };
  const bytes = await store.bodies.read(parts.map(({ body }) => body));
  return { checksum: await fullChecksum(algorithm, bytes) };
}

export const abortMultipartUpload: Operation = async ({ bucket, key, query }, { store }) => {
  const id = query.get('uploadId') ?? '';
  await store.commit(() => {
    store.upload(bucket, key, id);
    return [{ change: 'no upload', bucket, id }];
  });
  return { status: 204 };
};

export const listParts: Operation = async (request, { store }) => {
  const { bucket, key, query } = request;
  const id = query.get('uploadId') ?? '';
  const { upload, parts } = store.upload(bucket, key, id);
  const after = numberIn(request, 'part-number-marker', 0, 10_000);
  const most = numberIn(request, 'max-parts', 1_000, 1_000);
  const following = [...parts.values()]
    .filter(({ number }) => number > after)
    .sort((one, other) => one.number - other.number);
  const page = following.slice(0, most);
  const isTruncated = page.length < following.length;
  return {
    body: xmlOf('ListPartsResult', {
      Bucket: bucket,
      Key: key,
      UploadId: id,
      StorageClass: upload.facts.storageClass,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.number ?? after,
      MaxParts: most,
      IsTruncated: isTruncated,
      ChecksumAlgorithm: upload.algorithm,
      ChecksumType: upload.checksumType,
      Part: page.map(({ number, etag, size, lastModified, checksum }) => ({
        PartNumber: number,
        LastModified: new Date(lastModified).toISOString(),
        ETag: `"${etag}"`,
        Size: size,
        ...(upload.algorithm && checksum && { [elementOf(upload.algorithm)]: checksum }),
      })),
    }),
  };
};
