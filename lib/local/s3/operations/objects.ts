/** PutObject, GetObject, HeadObject and DeleteObject. */
import { randomBytes } from 'node:crypto';
import { headerOf, md5 } from '../checksums.ts';
import { checkRead, checkWrite } from '../conditions.ts';
import type { Operation, S3Context } from '../context.ts';
import { checkCustomerKey, factsOf, headersOf, isArchived } from '../facts.ts';
import type { Bucket, Change, ObjectVersion, Version } from '../model.ts';
import { checkedChecksum } from '../received.ts';
import { S3Error } from '../s3-error.ts';
import { headerIn, type S3Address } from '../s3-request.ts';

export const putObject: Operation = async (request, context) => {
  const { bucket: name, key } = request;
  checkKey(key);
  const bucket = context.store.bucket(name);
  const facts = factsOf(request);
  if (facts.lock !== undefined && !bucket.objectLock)
    throw new S3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  const checksum = await checkedChecksum(
    request,
    context.checksumByDefault ? 'CRC64NVME' : undefined,
  );
  const body = await context.store.bodies.add(request.body);
  const version: ObjectVersion = {
    kind: 'object',
    key,
    versionId: newVersionId(bucket),
    lastModified: context.now(),
    etag: md5(request.body).toString('hex'),
    size: body.size,
    bodies: [body],
    ...(checksum && { checksum }),
    facts,
  };
  await putVersion(context, name, version, request);
  return {
    headers: { etag: `"${version.etag}"`, ...checksumHeaders(version), ...idOf(bucket, version) },
  };
};

/**
 * Checks the request's conditions at the moment of writing, and that the `upload` which it
 * completes is still open. Bytes that no upload holds are dropped where the request fails.
 */
export async function putVersion(
  { store }: S3Context,
  bucket: string,
  version: ObjectVersion,
  request: S3Address,
  upload?: string,
): Promise<void> {
  try {
    await store.commit(() => {
      if (upload !== undefined) store.upload(bucket, version.key, upload);
      checkWrite(request, presentIn(store.bucket(bucket), version.key));
      const put: Change = { change: 'version', bucket, version };
      return upload === undefined ? [put] : [put, { change: 'no upload', bucket, id: upload }];
    });
  } catch (error) {
    if (upload === undefined) await store.bodies.leave(version.bodies);
    throw error;
  }
}

export const headObject: Operation = async (request, context) => {
  const { version, headers } = found(request, context);
  return { headers: { ...headers, 'content-length': String(version.size) } };
};

export const getObject: Operation = async (request, context) => {
  const { version, headers } = found(request, context);
  if (isArchived(version))
    throw new S3Error(
      'InvalidObjectState',
      "The operation is not valid for the object's storage class",
    );
  const bytes = await context.store.bodies.read(version.bodies);
  const range = rangeIn(headerIn(request, 'range'), version.size);
  const overridden = { ...headers, ...overridesIn(request) };
  if (range === undefined) return { headers: overridden, body: bytes };
  const [from, to] = range;
  const whole = Object.entries(overridden).filter(([name]) => !name.startsWith('x-amz-checksum'));
  return {
    status: 206,
    headers: {
      ...Object.fromEntries(whole),
      'content-range': `bytes ${from}-${to}/${version.size}`,
    },
    body: bytes.subarray(from, to + 1),
  };
};

/** Finds the version that a read names, and checks whether the request may read it. */
export function found(request: S3Address, { store }: S3Context) {
  const { bucket: name, key, query } = request;
  if (query.has('partNumber'))
    throw new S3Error('NotImplemented', 'the local host reads no single parts of an object');
  const bucket = store.bucket(name);
  const versionId = query.get('versionId');
  const version =
    versionId === undefined ? store.current(name, key) : store.version(name, key, versionId);
  if (version.kind === 'marker')
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed.', {
      'x-amz-delete-marker': 'true',
    });
  checkCustomerKey(version, request);
  checkRead(request, version);
  const withChecksum = headerIn(request, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
  return {
    version,
    headers: {
      ...headersOf(version),
      ...idOf(bucket, version),
      ...(withChecksum && checksumHeaders(version)),
    },
  };
}

export const deleteObject: Operation = async (request, context) => {
  const { bucket: name, key, query } = request;
  const versionId = query.get('versionId');
  const done = await deleteVersionOrMark(context, name, key, versionId, (bucket) =>
    checkDeletion(request, bucket, key),
  );
  return {
    status: 204,
    headers: {
      ...(done.versionId && { 'x-amz-version-id': done.versionId }),
      ...(done.isMarker && { 'x-amz-delete-marker': 'true' }),
    },
  };
};

function checkDeletion(request: S3Address, bucket: Bucket, key: string): void {
  if (headerIn(request, 'if-match') !== undefined) checkWrite(request, presentIn(bucket, key));
}

export interface Deletion {
  /** Of the version that is gone, or of the marker that was made. */
  readonly versionId?: string;
  readonly isMarker: boolean;
}

/**
 * Without a version's id, a versioned bucket gets a delete marker. What is not there is no error.
 */
export async function deleteVersionOrMark(
  { store, now }: S3Context,
  name: string,
  key: string,
  versionId: string | undefined,
  check: (bucket: Bucket) => void = () => {},
): Promise<Deletion> {
  let done: Deletion = { isMarker: false };
  await store.commit(() => {
    const bucket = store.bucket(name);
    check(bucket);
    if (versionId !== undefined) {
      const version = bucket.versions.get(key)?.find((one) => one.versionId === versionId);
      checkLock(version, now());
      done = { versionId, isMarker: version?.kind === 'marker' };
      return [{ change: 'no version', bucket: name, key, versionId }];
    }
    if (bucket.versioning === 'never')
      return [{ change: 'no version', bucket: name, key, versionId: 'null' }];
    const marker = {
      kind: 'marker',
      key,
      versionId: newVersionId(bucket),
      lastModified: now(),
    } as const;
    done = { versionId: marker.versionId, isMarker: true };
    return [{ change: 'version', bucket: name, version: marker }];
  });
  return done;
}

function checkLock(version: Version | undefined, now: number): void {
  if (version?.kind !== 'object') return;
  const { legalHold, until } = version.facts.lock ?? {};
  if (legalHold || (until !== undefined && Date.parse(until) > now))
    throw new S3Error('AccessDenied', 'Access Denied because object protected by object lock.');
}

export const presentIn = (bucket: Bucket, key: string): ObjectVersion | undefined => {
  const [newest] = bucket.versions.get(key) ?? [];
  return newest?.kind === 'object' ? newest : undefined;
};

/** Later ids need not sort behind earlier ones, as with S3. */
export const newVersionId = ({ versioning }: Bucket): string =>
  versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null';

export const idOf = ({ versioning }: Bucket, { versionId }: Version): Record<string, string> =>
  versioning === 'never' ? {} : { 'x-amz-version-id': versionId };

export const checksumHeaders = ({ checksum }: ObjectVersion): Record<string, string> =>
  checksum === undefined
    ? {}
    : { [headerOf(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > 1_024) throw new S3Error('KeyTooLongError', 'Your key is too long');
}

/** Both ends inclusive; `undefined` for the whole object. */
export function rangeIn(
  header: string | undefined,
  size: number,
): readonly [from: number, to: number] | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  if (from > to)
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
      'content-range': `bytes */${size}`,
    });
  return [from, to];
}

/** `response-content-type` and its like, which a presigned URL may bring. */
function overridesIn({ query }: S3Address): Record<string, string> {
  const named = [...query].filter(([name]) => /^response-[a-z-]+$/.test(name));
  return Object.fromEntries(named.map(([name, value]) => [name.slice('response-'.length), value]));
}
