/**
 * Deletes all that a range has: open uploads, and every version and delete marker of its objects;
 * and proves that nothing is left. Uploads go first, because one that is completed later would make
 * an object again.
 */
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { Fault, PermanentError } from '../../../domain/refusal.ts';
import type { Checkpoint } from '../../../ports.ts';
import { BEGINNING, checkpointAt } from '../checkpoint.ts';
import { cursorText, type ObjectCursor, parseCursor } from './object-cursor.ts';
import { ask, compareKeys, decodedKey, type ObjectSide, relativeKey } from './object-side.ts';
import type { ObjectStep } from './object-steps.ts';
import { abortUpload } from './part-copy.ts';

interface OneVersion {
  readonly key: string;
  readonly versionId: string;
}

/**
 * `changed` counts uploads, versions and markers. Ends when a listing from the beginning has no
 * further page: what a listing after a key that was just deleted left out would be in it.
 */
export async function* purgeSteps(
  side: ObjectSide,
  from: Checkpoint = BEGINNING,
): AsyncGenerator<ObjectStep> {
  let { changed } = from;
  const reached = (cursor: ObjectCursor | undefined, count: number) => (): Checkpoint => {
    changed += count;
    return checkpointAt(cursor && cursorText(cursor), from.digest, changed);
  };
  const { after } = parseCursor(from.cursor);
  if (after === undefined)
    for await (const uploads of openUploads(side)) {
      const writes = uploads.map(
        ({ key, id }) =>
          () =>
            abortUpload(side, key, id),
      );
      yield { writes, checkpoint: reached({ uploads: true }, uploads.length), pages: 1 };
    }
  let last = after ?? FIRST;
  for (;;) {
    const page = wholeKeys(await listVersions(side, last), last);
    const shares = sharesOf(page.versions);
    const deletion = Promise.withResolvers<void>();
    deletion.promise.catch(() => {}); // it is awaited only where more versions of a key follow
    const deleteAll = async () => {
      const deleted = Promise.all(shares.map((share) => purgeVersions(side, share)));
      deleted.then(() => deletion.resolve(), deletion.reject);
      await deleted;
    };
    const isEnd = page.after === undefined && last === FIRST;
    const after = page.after ?? FIRST;
    const checkpoint = reached(isEnd ? undefined : { after }, page.versions.length);
    yield { writes: [deleteAll], checkpoint, pages: 1 };
    if (isEnd) return;
    // Back at the beginning, or still among the versions of one key: these have to be gone first.
    if (after === FIRST || after === last) await deletion.promise;
    last = after;
  }
}

/** The position before all versions, when the uploads are gone. Keys are relative. */
const FIRST = '';

interface VersionPage {
  /** In the order of their keys. */
  readonly versions: readonly OneVersion[];
  readonly isLast: boolean;
}

/**
 * A listing goes on after a key, never after a version, which is being deleted meanwhile. So the
 * versions of the key in which the page ends are listed again; where the page has no other key,
 * they are deleted, and the same place is listed once more.
 */
function wholeKeys({ versions, isLast }: VersionPage, last: string) {
  if (isLast) return { versions, after: undefined };
  const end = versions.at(-1)?.key;
  const whole = versions.filter(({ key }) => key !== end);
  const after = whole.at(-1)?.key;
  return after === undefined ? { versions, after: last } : { versions: whole, after };
}

async function listVersions(side: ObjectSide, last: string): Promise<VersionPage> {
  const { client, bucket, prefix, limits } = side;
  const page = await ask(side, 'ListObjectVersions', () =>
    client.send(
      new ListObjectVersionsCommand({
        Bucket: bucket,
        Prefix: prefix,
        EncodingType: 'url',
        MaxKeys: limits.pageKeys,
        ...(last !== FIRST && { KeyMarker: `${prefix}${last}` }),
      }),
    ),
  );
  const versions = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]
    .map(({ Key, VersionId = 'null' }) => ({
      key: relativeKey(side, decodedKey(Key, page.EncodingType)),
      versionId: VersionId,
    }))
    .sort((one, other) => compareKeys(one.key, other.key));
  return { versions, isLast: !page.IsTruncated };
}

async function* openUploads(side: ObjectSide) {
  const { client, bucket, prefix, limits } = side;
  let [keyMarker, idMarker]: (string | undefined)[] = [];
  do {
    const page = await ask(side, 'ListMultipartUploads', () =>
      client.send(
        new ListMultipartUploadsCommand({
          Bucket: bucket,
          Prefix: prefix,
          EncodingType: 'url',
          MaxUploads: limits.pageKeys,
          ...(keyMarker !== undefined && { KeyMarker: keyMarker, UploadIdMarker: idMarker }),
        }),
      ),
    );
    const uploads = (page.Uploads ?? []).flatMap(({ Key, UploadId: id }) =>
      id === undefined ? [] : [{ key: decodedKey(Key, page.EncodingType), id }],
    );
    if (uploads.length > 0) yield uploads;
    [keyMarker, idMarker] = page.IsTruncated
      ? [decodedKey(page.NextKeyMarker, page.EncodingType), page.NextUploadIdMarker]
      : [];
  } while (keyMarker !== undefined);
}

/** S3's limit for one request. */
const MOST_DELETIONS = 1_000;
/** XML cannot carry these, or changes them. */
const NOT_IN_XML = /[\p{Cc}\ufffe\uffff]/u;

/** What one request each deletes. */
function sharesOf(versions: readonly OneVersion[]): readonly (readonly OneVersion[])[] {
  const inXml = versions.filter(({ key }) => !NOT_IN_XML.test(key));
  const single = versions.filter(({ key }) => NOT_IN_XML.test(key)).map((version) => [version]);
  const shares: OneVersion[][] = [];
  for (let first = 0; first < inXml.length; first += MOST_DELETIONS)
    shares.push(inXml.slice(first, first + MOST_DELETIONS));
  return [...shares, ...single];
}

async function purgeVersions(side: ObjectSide, versions: readonly OneVersion[]): Promise<void> {
  const { client, bucket, prefix, part } = side;
  const items = versions.length;
  const [first] = versions;
  if (first === undefined) return;
  if (NOT_IN_XML.test(first.key)) {
    const Key = `${prefix}${first.key}`;
    const command = new DeleteObjectCommand({ Bucket: bucket, Key, VersionId: first.versionId });
    await ask(side, 'DeleteObject', () => client.send(command));
    return;
  }
  const Objects = versions.map(({ key, versionId }) => ({
    Key: `${prefix}${key}`,
    VersionId: versionId,
  }));
  const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
  const { Errors = [] } = await ask(side, 'DeleteObjects', () => client.send(command), { items });
  const codes = [...new Set(Errors.map(({ Code = 'an error' }) => Code))];
  if (codes.length === 0) return;
  const says = `part "${part.name}": S3 has not deleted ${Errors.length} of ${items} versions in bucket ${bucket}: ${codes.join(', ')}`;
  throw codes.every((code) => PASSING.has(code)) ? new Fault(says) : new PermanentError(says);
}

const PASSING = new Set(['InternalError', 'SlowDown', 'ServiceUnavailable', 'OperationAborted']);

/** Strongly consistent, as all of S3's listings are. */
export async function isEmptyPrefix(side: ObjectSide): Promise<boolean> {
  const { client, bucket, prefix } = side;
  const place = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' } as const;
  const [versions, uploads] = await Promise.all([
    ask(side, 'ListObjectVersions', () =>
      client.send(new ListObjectVersionsCommand({ ...place, MaxKeys: 1 })),
    ),
    ask(side, 'ListMultipartUploads', () =>
      client.send(new ListMultipartUploadsCommand({ ...place, MaxUploads: 1 })),
    ),
  ]);
  const found = [versions.Versions, versions.DeleteMarkers, uploads.Uploads];
  return (
    found.every((list = []) => list.length === 0) && !versions.IsTruncated && !uploads.IsTruncated
  );
}
