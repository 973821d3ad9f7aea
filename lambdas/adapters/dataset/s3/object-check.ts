/** Finds objects that could not be moved or purged, before a move begins. */
import { HeadObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import type { Clock } from '../../../ports.ts';
import { oneAhead } from '../range-reader.ts';
import { ask, decodedKey, type ObjectSide } from './object-side.ts';
import { isMissing, statusOf } from './s3-errors.ts';
import { needsCustomerKey } from './stored-object.ts';

/** How many versions of objects have each obstacle; a version may have several. */
export interface ObjectObstacles {
  readonly checked: number;
  /** Under a legal hold, or a retention that is not over: a purge would be refused. */
  readonly locked: number;
  /** Encrypted with a key that only the writer has (SSE-C). */
  readonly customerKey: number;
  /** In a storage class that has to be restored before it can be read. */
  readonly archived: number;
  /** `false` where the time was over before all were looked at. */
  readonly complete: boolean;
  /** The last version of the page that was looked at, where a look is not complete. */
  readonly after?: VersionMarker;
}

/** Key and version id. */
type VersionMarker = readonly [string, string | undefined];

const NOTHING: ObjectObstacles = {
  checked: 0,
  locked: 0,
  customerKey: 0,
  archived: 0,
  complete: false,
};

/** All versions, because all are purged; `until` in epoch milliseconds. */
export async function objectObstacles(
  side: ObjectSide,
  clock: Clock,
  until: number,
  from: ObjectObstacles = NOTHING,
): Promise<ObjectObstacles> {
  const { after: start, ...before } = from;
  let found: ObjectObstacles = before;
  for await (const { versions, after } of oneAhead(versionPages(side, start))) {
    const each = await Promise.all(versions.map((version) => obstaclesOf(side, version, clock)));
    for (const one of each)
      found = {
        ...found,
        checked: found.checked + 1,
        locked: found.locked + Number(one.has('locked')),
        customerKey: found.customerKey + Number(one.has('customerKey')),
        archived: found.archived + Number(one.has('archived')),
      };
    if (after !== undefined && clock.now() >= until) return { ...found, after };
  }
  return { ...found, complete: true };
}

/** A sentence for each obstacle; none names an object. */
export function sayObstacles({
  locked,
  customerKey,
  archived,
}: ObjectObstacles): readonly string[] {
  const say = (count: number, singular: string, plural: string, rest: string) =>
    count === 0 ? [] : [`${count} ${count === 1 ? singular : plural} ${rest}`];
  return [
    ...say(
      locked,
      'version of an object is',
      'versions of objects are',
      'under Object Lock or a legal hold: S3 would refuse the purge of the source',
    ),
    ...say(
      customerKey,
      'version of an object is',
      'versions of objects are',
      'encrypted with a key that only the writer has (SSE-C): S3 cannot copy it without that key',
    ),
    ...say(
      archived,
      'version of an object is',
      'versions of objects are',
      'archived: restore and copy it to a storage class that can be read, before the move',
    ),
  ];
}

interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly storageClass: string;
}

interface VersionPage {
  readonly versions: readonly ListedVersion[];
  readonly after: VersionMarker | undefined;
}

async function* versionPages(
  side: ObjectSide,
  start: VersionMarker | undefined,
): AsyncGenerator<VersionPage> {
  const { client, bucket, prefix, limits } = side;
  let [keyMarker, idMarker]: readonly (string | undefined)[] = start ?? [];
  do {
    const page = await ask(side, 'ListObjectVersions', () =>
      client.send(
        new ListObjectVersionsCommand({
          Bucket: bucket,
          Prefix: prefix,
          EncodingType: 'url',
          MaxKeys: limits.pageKeys,
          ...(keyMarker !== undefined && { KeyMarker: keyMarker, VersionIdMarker: idMarker }),
        }),
      ),
    );
    const versions = (page.Versions ?? []).map(
      ({ Key, VersionId = 'null', StorageClass = 'STANDARD' }) => ({
        key: decodedKey(Key, page.EncodingType),
        versionId: VersionId,
        storageClass: StorageClass,
      }),
    );
    [keyMarker, idMarker] = page.IsTruncated
      ? [decodedKey(page.NextKeyMarker, page.EncodingType), page.NextVersionIdMarker]
      : [];
    yield { versions, after: keyMarker === undefined ? undefined : [keyMarker, idMarker] };
  } while (keyMarker !== undefined);
}

type Obstacle = 'locked' | 'customerKey' | 'archived';

async function obstaclesOf(
  side: ObjectSide,
  { key, versionId, storageClass }: ListedVersion,
  clock: Clock,
): Promise<ReadonlySet<Obstacle>> {
  const { client, bucket } = side;
  const found = new Set<Obstacle>();
  if (storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE') found.add('archived');
  try {
    const head = await ask(
      side,
      'HeadObject',
      () => client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId })),
      { lets: (error) => isMissing(error) || isBadRequest(error) },
    );
    const until = head.ObjectLockRetainUntilDate?.getTime() ?? 0;
    if (head.ObjectLockLegalHoldStatus === 'ON' || until > clock.now()) found.add('locked');
    // Intelligent-Tiering archives what nobody reads.
    if (head.ArchiveStatus !== undefined) found.add('archived');
    if (head.SSECustomerAlgorithm !== undefined) found.add('customerKey');
  } catch (error) {
    if (isMissing(error)) return found;
    if (!isBadRequest(error)) throw error;
    if (await needsCustomerKey(side, key, versionId)) found.add('customerKey');
  }
  return found;
}

/** The answer to a HEAD without the key of the customer. */
const isBadRequest = (error: unknown): boolean => error instanceof Error && statusOf(error) === 400;
