/** Tags, attributes and the deletion of many objects at once. */
import { elementOf } from '../checksums.ts';
import type { Operation, S3Context } from '../context.ts';
import type { ObjectVersion } from '../model.ts';
import { S3Error } from '../s3-error.ts';
import { headerIn, type S3Address } from '../s3-request.ts';
import { tagsInXml, xmlOfTags } from '../tags.ts';
import { parseXml, type Xml, xmlOf } from '../xml.ts';
import { deleteVersionOrMark, found, idOf } from './objects.ts';

export const getObjectTagging: Operation = async (request, context) => {
  const version = versionIn(request, context);
  const bucket = context.store.bucket(request.bucket);
  return { headers: idOf(bucket, version), body: xmlOfTags(version.facts.tags) };
};

export const putObjectTagging: Operation = async (request, context) => {
  const tags = tagsInXml(request.body.toString('utf8'));
  return { headers: await changeTags(request, context, tags) };
};

export const deleteObjectTagging: Operation = async (request, context) => ({
  status: 204,
  headers: await changeTags(request, context, []),
});

/** Keeps the version, and its place among the others. */
async function changeTags(
  request: S3Address,
  context: S3Context,
  tags: ObjectVersion['facts']['tags'],
): Promise<Record<string, string>> {
  const { bucket: name, key } = request;
  const { store } = context;
  let headers: Record<string, string> = {};
  await store.commit(() => {
    const bucket = store.bucket(name);
    const version = versionIn(request, context);
    headers = idOf(bucket, version);
    const newer = (bucket.versions.get(key) ?? []).slice(
      0,
      bucket.versions.get(key)?.indexOf(version),
    );
    const changed = { ...version, facts: { ...version.facts, tags } };
    return [changed, ...newer.toReversed()].map((one) => ({
      change: 'version',
      bucket: name,
      version: one,
    }));
  });
  return headers;
}

function versionIn({ bucket, key, query }: S3Address, { store }: S3Context): ObjectVersion {
  const id = query.get('versionId');
  const version = id === undefined ? store.current(bucket, key) : store.version(bucket, key, id);
  if (version.kind === 'marker')
    throw new S3Error('MethodNotAllowed', 'The specified method is not allowed.');
  return version;
}

export const getObjectAttributes: Operation = async (request, context) => {
  const { version, headers } = found(request, context);
  const wanted = new Set((headerIn(request, 'x-amz-object-attributes') ?? '').split(/,\s*/));
  const { checksum, parts = [] } = version;
  const after = Number(headerIn(request, 'x-amz-part-number-marker') ?? 0);
  const most = Math.min(Number(headerIn(request, 'x-amz-max-parts') ?? 1_000), 1_000);
  const following = parts.filter(({ number }) => number > after);
  const page = following.slice(0, most);
  const partsXml: Xml = {
    PartsCount: parts.length,
    PartNumberMarker: after,
    NextPartNumberMarker: page.at(-1)?.number ?? after,
    MaxParts: most,
    IsTruncated: page.length < following.length,
    // S3 tells the parts of composite checksums only.
    ...(checksum?.type === 'COMPOSITE' && {
      Part: page.map(({ number, size, checksum: value }) => ({
        PartNumber: number,
        Size: size,
        [elementOf(checksum.algorithm)]: value,
      })),
    }),
  };
  return {
    headers: {
      'last-modified': headers['last-modified'],
      'x-amz-version-id': headers['x-amz-version-id'],
    },
    body: xmlOf('GetObjectAttributesResponse', {
      ...(wanted.has('ETag') && { ETag: version.etag }),
      ...(wanted.has('Checksum') &&
        checksum && {
          Checksum: {
            [elementOf(checksum.algorithm)]: checksum.value,
            ChecksumType: checksum.type,
          },
        }),
      ...(wanted.has('ObjectParts') && parts.length > 0 && { ObjectParts: partsXml }),
      ...(wanted.has('StorageClass') && { StorageClass: version.facts.storageClass }),
      ...(wanted.has('ObjectSize') && { ObjectSize: version.size }),
    }),
  };
};

/** S3's limit for one request. */
const MOST_DELETIONS = 1_000;

/** What cannot be deleted is named in the answer, whose status is 200 all the same. */
export const deleteObjects: Operation = async (request, context) => {
  const { bucket, body, headers } = request;
  const isChecked =
    headers['content-md5'] !== undefined ||
    [...Object.keys(headers), ...request.trailers.keys()].some((name) =>
      /^x-amz-checksum-(?!algorithm|mode|type)/.test(name),
    );
  if (!isChecked)
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5');
  context.store.bucket(bucket);
  const root = parseXml(body.toString('utf8'), 'Delete');
  const objects = root.all('Object');
  if (objects.length === 0 || objects.length > MOST_DELETIONS)
    throw new S3Error('MalformedXML', `a request deletes 1 to ${MOST_DELETIONS} objects`);
  const deleted: Xml[] = [];
  const errors: Xml[] = [];
  for (const object of objects) {
    const [key = '', versionId] = [object.text('Key'), object.text('VersionId')];
    try {
      const done = await deleteVersionOrMark(context, bucket, key, versionId);
      deleted.push({
        Key: key,
        VersionId: versionId,
        DeleteMarker: done.isMarker ? true : undefined,
        DeleteMarkerVersionId: done.isMarker ? done.versionId : undefined,
      });
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      errors.push({ Key: key, VersionId: versionId, Code: error.code, Message: error.message });
    }
  }
  const isQuiet = root.text('Quiet') === 'true';
  return { body: xmlOf('DeleteResult', { Deleted: isQuiet ? [] : deleted, Error: errors }) };
};
