/** ListObjectsV2, ListObjectVersions and ListMultipartUploads: all in the order of UTF-8 bytes. */
import type { Operation } from '../context.ts';
import { compareKeys } from '../key-order.ts';
import type { Bucket, ObjectVersion, Upload, Version } from '../model.ts';
import { S3Error } from '../s3-error.ts';
import { numberIn, type S3Address } from '../s3-request.ts';
import { type Xml, xmlOf } from '../xml.ts';

const MOST_KEYS = 1_000;

export const listObjectsV2: Operation = async (request, { store }) => {
  const { query, bucket: name } = request;
  const bucket = store.bucket(name);
  const view = viewOf(request);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const most = numberIn(request, 'max-keys', MOST_KEYS, MOST_KEYS);
  const after = token === undefined ? (startAfter ?? '') : keyOfToken(token);
  const objects: ObjectVersion[] = [];
  const prefixes: string[] = [];
  let [last, isTruncated] = ['', false];
  for (const entry of entriesAfter(bucket, view, after, after)) {
    const [newest] = entry.versions;
    if (entry.prefix === undefined && newest?.kind !== 'object') continue;
    if (objects.length + prefixes.length >= most) {
      isTruncated = most > 0;
      break;
    }
    if (entry.prefix !== undefined) prefixes.push(entry.prefix);
    else if (newest?.kind === 'object') objects.push(newest);
    last = entry.prefix ?? entry.key;
  }
  return {
    body: xmlOf('ListBucketResult', {
      Name: name,
      ...view.echo,
      MaxKeys: most,
      KeyCount: objects.length + prefixes.length,
      IsTruncated: isTruncated,
      ContinuationToken: token,
      StartAfter: startAfter === undefined ? undefined : view.said(startAfter),
      NextContinuationToken: isTruncated ? tokenOf(last) : undefined,
      Contents: objects.map((object) => ({
        Key: view.said(object.key),
        ...objectFields(object),
      })),
      CommonPrefixes: prefixes.map((prefix) => ({ Prefix: view.said(prefix) })),
    }),
  };
};

export const listObjectVersions: Operation = async (request, { store }) => {
  const { query, bucket: name } = request;
  const bucket = store.bucket(name);
  const view = viewOf(request);
  const most = numberIn(request, 'max-keys', MOST_KEYS, MOST_KEYS);
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('version-id-marker') ?? '';
  if (idMarker !== '' && keyMarker === '')
    throw new S3Error(
      'InvalidArgument',
      'A version-id marker cannot be specified without a key marker.',
    );
  const found: { readonly version: Version; readonly isLatest: boolean }[] = [];
  const prefixes: string[] = [];
  let marker: { key: string; id: string } | undefined;
  let isTruncated = false;
  const isFull = () => found.length + prefixes.length >= most;
  search: for (const { key, prefix, versions } of entriesAfter(
    bucket,
    view,
    keyMarker,
    idMarker === '' ? keyMarker : undefined,
  )) {
    if (prefix !== undefined) {
      if (isFull()) {
        isTruncated = true;
        break;
      }
      prefixes.push(prefix);
      marker = { key: prefix, id: '' };
      continue;
    }
    for (const version of versions.slice(key === keyMarker ? placeAfter(versions, idMarker) : 0)) {
      if (isFull()) {
        isTruncated = true;
        break search;
      }
      found.push({ version, isLatest: version === versions[0] });
      marker = { key, id: version.versionId };
    }
  }
  const said = ({ version, isLatest }: (typeof found)[number]): Xml => ({
    Key: view.said(version.key),
    VersionId: version.versionId,
    IsLatest: isLatest,
    ...(version.kind === 'object'
      ? objectFields(version)
      : { LastModified: new Date(version.lastModified).toISOString() }),
  });
  return {
    body: xmlOf('ListVersionsResult', {
      Name: name,
      ...view.echo,
      KeyMarker: view.said(keyMarker),
      VersionIdMarker: idMarker,
      MaxKeys: most,
      IsTruncated: isTruncated && most > 0,
      NextKeyMarker: isTruncated && marker ? view.said(marker.key) : undefined,
      NextVersionIdMarker: isTruncated && marker?.id ? marker.id : undefined,
      Version: found.filter(({ version }) => version.kind === 'object').map(said),
      DeleteMarker: found.filter(({ version }) => version.kind === 'marker').map(said),
      CommonPrefixes: prefixes.map((prefix) => ({ Prefix: view.said(prefix) })),
    }),
  };
};

/** A marker that names a version which is gone has no place: callers must not rely on one. */
function placeAfter(versions: readonly Version[], id: string): number {
  const place = versions.findIndex(({ versionId }) => versionId === id);
  if (place === -1) throw new S3Error('InvalidArgument', 'Invalid version id specified');
  return place + 1;
}

export const listMultipartUploads: Operation = async (request, { store }) => {
  const { query, bucket: name } = request;
  const view = viewOf(request);
  if (view.delimiter !== '')
    throw new S3Error('NotImplemented', 'the local host lists uploads without a delimiter');
  const most = numberIn(request, 'max-uploads', MOST_KEYS, MOST_KEYS);
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const isAfter = ({ key, id }: Upload): boolean => {
    const order = compareKeys(key, keyMarker);
    return order > 0 || (order === 0 && idMarker !== '' && compareKeys(id, idMarker) > 0);
  };
  const following = [...store.bucket(name).uploads.values()]
    .map(({ upload }) => upload)
    .filter((upload) => upload.key.startsWith(view.prefix) && isAfter(upload))
    .sort((one, other) => compareKeys(one.key, other.key) || compareKeys(one.id, other.id));
  const page = following.slice(0, most);
  const last = page.length < following.length ? page.at(-1) : undefined;
  return {
    body: xmlOf('ListMultipartUploadsResult', {
      Bucket: name,
      ...view.echo,
      KeyMarker: view.said(keyMarker),
      UploadIdMarker: idMarker,
      MaxUploads: most,
      IsTruncated: last !== undefined,
      NextKeyMarker: last && view.said(last.key),
      NextUploadIdMarker: last?.id,
      Upload: page.map(({ key, id, initiated, facts, algorithm, checksumType }) => ({
        Key: view.said(key),
        UploadId: id,
        Initiated: new Date(initiated).toISOString(),
        StorageClass: facts.storageClass,
        ChecksumAlgorithm: algorithm,
        ChecksumType: checksumType,
      })),
    }),
  };
};

interface View {
  readonly prefix: string;
  /** Empty where there is none. */
  readonly delimiter: string;
  /** A key as the answer has it. */
  readonly said: (key: string) => string;
  readonly echo: { readonly [name: string]: Xml };
}

function viewOf({ query }: S3Address): View {
  const [prefix, delimiter] = [query.get('prefix') ?? '', query.get('delimiter') ?? ''];
  const encoding = query.get('encoding-type');
  if (encoding !== undefined && encoding !== 'url')
    throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  const said = encoding === 'url' ? urlEncoded : (key: string) => key;
  return {
    prefix,
    delimiter,
    said,
    echo: {
      Prefix: said(prefix),
      ...(delimiter !== '' && { Delimiter: said(delimiter) }),
      ...(encoding && { EncodingType: encoding }),
    },
  };
}

/** A space becomes a plus sign, and a slash stays. */
const urlEncoded = (key: string): string =>
  encodeURIComponent(key).replace(/%20/g, '+').replace(/%2F/g, '/');

interface Entry {
  readonly key: string;
  /** Present where this stands for all keys with a common prefix. */
  readonly prefix?: string;
  readonly versions: readonly Version[];
}

/**
 * Keys, and common prefixes in their place, from `from` on. What is `handled` already, a key or a
 * common prefix with all of its keys, is passed over.
 */
function* entriesAfter(
  { keys, versions }: Bucket,
  { prefix, delimiter }: View,
  from: string,
  handled: string | undefined,
): Generator<Entry> {
  let place = keys.placeOf(compareKeys(from, prefix) > 0 ? from : prefix);
  let lastPrefix = '';
  for (let key = keys.at(place); key?.startsWith(prefix); key = keys.at(place)) {
    place += 1;
    if (key === handled && handled !== '') continue;
    const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (at === -1) {
      yield { key, versions: versions.get(key) ?? [] };
      continue;
    }
    const common = key.slice(0, at + delimiter.length);
    const all = versions.get(key) ?? [];
    const isListed = common === lastPrefix || (handled !== undefined && common === handled);
    if (isListed || all[0]?.kind === 'marker') continue;
    lastPrefix = common;
    yield { key, prefix: common, versions: all };
  }
}

const objectFields = ({ lastModified, etag, size, checksum, facts }: ObjectVersion) => ({
  LastModified: new Date(lastModified).toISOString(),
  ETag: `"${etag}"`,
  Size: size,
  StorageClass: facts.storageClass,
  ...(checksum && { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type }),
});

const tokenOf = (key: string): string => Buffer.from(`after ${key}`).toString('base64');
function keyOfToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString();
  if (!text.startsWith('after '))
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  return text.slice('after '.length);
}
