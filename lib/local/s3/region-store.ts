/**
 * The buckets of one region. Every change goes through `commit`: it is a line in the journal first,
 * and then true in memory, so that a host that is killed finds all that it has acknowledged.
 */
import { appendFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type UnwritableDataDir, unwritable } from '../unwritable.ts';
import { type BodyStore, bodyStore } from './body-store.ts';
import { orderedKeys } from './key-order.ts';
import type { Body, Bucket, Change, ObjectVersion, Part, Upload, Version } from './model.ts';
import { S3Error } from './s3-error.ts';

export interface RegionStore {
  readonly region: string;
  readonly bodies: BodyStore;
  readonly hasBucket: (name: string) => boolean;
  /** Throws `NoSuchBucket`. */
  bucket(name: string): Bucket;
  /** The newest version; throws `NoSuchKey`, for a delete marker with its headers. */
  current(bucket: string, key: string): ObjectVersion;
  /** The version with this id; throws `NoSuchVersion`. */
  version(bucket: string, key: string, versionId: string): Version;
  upload(bucket: string, key: string, id: string): { upload: Upload; parts: Map<number, Part> };
  /**
   * Makes all of these changes, or none. One `decide` runs after the other: no other change comes
   * between what it sees and what it decides. It may throw.
   */
  commit(decide: () => readonly Change[]): Promise<void>;
}

export interface RegionStoreOptions {
  readonly dataDir?: string | undefined;
  readonly onUnwritable?: ((error: UnwritableDataDir) => void) | undefined;
}

/** Rejects with `UnwritableDataDir`. */
export async function openRegion(
  region: string,
  { dataDir, onUnwritable }: RegionStoreOptions,
): Promise<RegionStore> {
  const folder = dataDir === undefined ? undefined : join(dataDir, 'objects', region);
  const journal = folder && join(folder, 'journal.jsonl');
  const buckets = new Map<string, Bucket>();
  let broken: UnwritableDataDir | undefined;
  let recorded = Promise.resolve();

  try {
    if (folder !== undefined) await mkdir(folder, { recursive: true });
    const bodies = await bodyStore(folder && join(folder, 'bodies'));
    const store = storeOf(bodies);
    if (journal !== undefined) await replay(journal);
    for (const bucket of buckets.values()) bodies.use(bodiesIn(bucket));
    await bodies.removeUnused();
    return store;
  } catch (error) {
    throw unwritable(dataDir ?? '', error) ?? error;
  }

  function storeOf(bodies: BodyStore): RegionStore {
    const bucket = (name: string): Bucket => {
      const found = buckets.get(name);
      if (found === undefined)
        throw new S3Error('NoSuchBucket', 'The specified bucket does not exist');
      return found;
    };
    return {
      region,
      bodies,
      bucket,
      hasBucket: (name) => buckets.has(name),
      current(name, key) {
        const [newest] = bucket(name).versions.get(key) ?? [];
        if (newest?.kind === 'object') return newest;
        throw new S3Error('NoSuchKey', 'The specified key does not exist.', {
          ...(newest && { 'x-amz-delete-marker': 'true', 'x-amz-version-id': newest.versionId }),
        });
      },
      version(name, key, versionId) {
        const versions = bucket(name).versions.get(key) ?? [];
        const found = versions.find((version) => version.versionId === versionId);
        if (found === undefined)
          throw new S3Error('NoSuchVersion', 'The specified version does not exist.');
        return found;
      },
      upload(name, key, id) {
        const found = bucket(name).uploads.get(id);
        if (found?.upload.key !== key)
          throw new S3Error('NoSuchUpload', 'The specified upload does not exist.');
        return found;
      },
      async commit(decide) {
        const done = recorded.then(async () => {
          if (broken) throw new S3Error('InternalError', broken.message);
          const changes = decide();
          await record(changes);
          return changes.flatMap(applied);
        });
        recorded = done.then(
          () => {},
          () => {},
        );
        await bodies.leave(await done);
      },
    };

    /** Applies a change; returns the bodies that it no longer uses. */
    function applied(change: Change): readonly Body[] {
      const left = applyTo(buckets, change);
      if (change.change === 'version') bodies.use(bodiesOf(change.version));
      if (change.change === 'part') bodies.use([change.part.body]);
      return left;
    }
  }

  async function record(changes: readonly Change[]): Promise<void> {
    if (journal === undefined) return;
    try {
      await appendFile(journal, `${JSON.stringify(changes)}\n`);
    } catch (error) {
      broken = unwritable(dataDir ?? '', error);
      if (broken) onUnwritable?.(broken);
      throw new S3Error('InternalError', 'the local host could not record this');
    }
  }

  /** A last line that is not complete was never acknowledged. The journal is written anew. */
  async function replay(path: string): Promise<void> {
    const text = await readFile(path, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      if (line === '') continue;
      let changes: readonly Change[];
      try {
        changes = JSON.parse(line);
      } catch {
        break;
      }
      for (const change of changes) applyTo(buckets, change);
    }
    const whole = [...buckets.values()].flatMap(changesThatMake);
    await writeFile(`${path}.new`, whole.map((change) => `${JSON.stringify([change])}\n`).join(''));
    await rename(`${path}.new`, path);
  }
}

const bodiesOf = (version: Version): readonly Body[] =>
  version.kind === 'object' ? version.bodies : [];

const bodiesIn = ({ versions, uploads }: Bucket): readonly Body[] => [
  ...[...versions.values()].flat().flatMap(bodiesOf),
  ...[...uploads.values()].flatMap(({ parts }) => [...parts.values()].map(({ body }) => body)),
];

/** Returns the bodies that are not used any more by what it changed. */
function applyTo(buckets: Map<string, Bucket>, change: Change): readonly Body[] {
  if (change.change === 'bucket') {
    const { bucket: name, objectLock } = change;
    buckets.set(name, {
      name,
      objectLock,
      versioning: objectLock ? 'Enabled' : 'never',
      settings: new Map(),
      keys: orderedKeys(),
      versions: new Map(),
      uploads: new Map(),
    });
    return [];
  }
  const bucket = buckets.get(change.bucket);
  if (bucket === undefined) return [];
  switch (change.change) {
    case 'no bucket':
      buckets.delete(change.bucket);
      return [];
    case 'versioning':
      bucket.versioning = change.versioning;
      return [];
    case 'setting':
      bucket.settings.set(change.name, change.xml);
      return [];
    case 'version': {
      const { version } = change;
      const left = without(bucket, version.key, version.versionId);
      bucket.versions.set(version.key, [version, ...(bucket.versions.get(version.key) ?? [])]);
      bucket.keys.add(version.key);
      return left;
    }
    case 'no version':
      return without(bucket, change.key, change.versionId);
    case 'upload':
      bucket.uploads.set(change.upload.id, { upload: change.upload, parts: new Map() });
      return [];
    case 'part': {
      const parts = bucket.uploads.get(change.id)?.parts;
      const before = parts?.get(change.part.number);
      parts?.set(change.part.number, change.part);
      return before ? [before.body] : [];
    }
    case 'no upload': {
      const parts = bucket.uploads.get(change.id)?.parts ?? new Map<number, Part>();
      bucket.uploads.delete(change.id);
      return [...parts.values()].map(({ body }) => body);
    }
  }
}

function without(bucket: Bucket, key: string, versionId: string): readonly Body[] {
  const before = bucket.versions.get(key) ?? [];
  const kept = before.filter((version) => version.versionId !== versionId);
  if (kept.length > 0) bucket.versions.set(key, kept);
  else {
    bucket.versions.delete(key);
    bucket.keys.remove(key);
  }
  return before.filter((version) => version.versionId === versionId).flatMap(bodiesOf);
}

function changesThatMake(bucket: Bucket): readonly Change[] {
  const { name, objectLock, versioning } = bucket;
  const versions = [...bucket.versions.values()].flatMap((all) => all.toReversed());
  const uploads = [...bucket.uploads.values()];
  return [
    { change: 'bucket', bucket: name, objectLock },
    { change: 'versioning', bucket: name, versioning },
    ...[...bucket.settings].map(
      ([setting, xml]): Change => ({ change: 'setting', bucket: name, name: setting, xml }),
    ),
    ...versions.map((version): Change => ({ change: 'version', bucket: name, version })),
    ...uploads.flatMap(({ upload, parts }): readonly Change[] => [
      { change: 'upload', bucket: name, upload },
      ...[...parts.values()].map(
        (part): Change => ({ change: 'part', bucket: name, id: upload.id, part }),
      ),
    ]),
  ];
}
