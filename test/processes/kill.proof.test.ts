/**
 * Kills real processes at random moments of real moves: everything that a host had acknowledged is
 * there after its restart, and the move ends by itself, as if nothing had happened. `KILL_SEED=…`
 * repeats the moments of another run, as far as a machine can.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Migration, Phase } from '../../lambdas/domain/moving/migration.ts';
import type { Work } from '../../lambdas/domain/moving/range-record.ts';
import {
  fieldOf,
  type Hook,
  type Reply,
  type SimulatedAtlassian,
  type Site,
  startSimulatedAtlassian,
} from '../../lib/local/simulated-atlassian.ts';
import { residency } from '../../residency.config.ts';
import { facts } from '../support/world.ts';
import {
  differing,
  type HostContents,
  hostContents,
  sizeOf,
  uploadsOnDisk,
} from './host-contents.ts';
import { freeTcpPorts, type HostProcess, hostProcess } from './host-process.ts';

const ITEMS = 1_800;
/**
 * S3's least size of a part. An object with a checksum of its parts is copied in these parts, so
 * that it need not have hundreds of megabytes.
 */
const PART = 5 * 1024 ** 2;
const PARTS = [PART, PART, PART, 1];
const FEWEST_KILLS = 12;
const MOST_EXTRA_MOVES = 6;
/** A kill comes at most this long after its kind of work was seen. */
const SPREAD_MS = 200;
/** At most this long after a hook was sent, which is about when it is answered. */
const HOOK_MS = 40;
const PATIENCE_MS = 240_000;

const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);
const random = randomFrom(SEED);
/** How often the host was killed, by its kind of work. */
const kills = new Map<string, number>();
const killed = () => [...kills.values()].reduce((sum, count) => sum + count, 0);

let dataDir: string;
let atlassian: SimulatedAtlassian;
let host: HostProcess;
let contents: HostContents;

beforeAll(async () => {
  console.log(`the moments of the kills: KILL_SEED=${SEED}`);
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';
  dataDir = await mkdtemp(join(tmpdir(), 'killed-host-'));
  atlassian = await startSimulatedAtlassian({ appKey: residency.app.key });
  host = hostProcess(await freeTcpPorts(), {
    DATA_DIR: dataDir,
    INSTALL_KEYS_URL: atlassian.installKeysUrl,
    DRAIN_SECONDS: '0',
    COMMIT_GRACE_SECONDS: '0',
    JANITOR_SECONDS: '5',
    THROTTLES: 'off',
  });
  await host.start();
  contents = hostContents(host);
});
afterAll(async () => {
  console.log(`killed ${killed()} times:`, Object.fromEntries(kills));
  await host.kill();
  await atlassian.close();
  await rm(dataDir, { recursive: true });
});

describe('a host that is killed again and again', () => {
  test('finishes a move of 1,800 items and 7 objects by itself', async () => {
    const [site, neighbour] = [await installed('acme'), await installed('acme-10')];
    await contents.settle(site, ITEMS);
    await contents.settle(neighbour, 600);
    await contents.settleObjects(site, 6, PARTS);
    await contents.settleObjects(neighbour, 2);
    const before = {
      site: await contents.holdings('us', site),
      neighbour: await contents.holdings('us', neighbour),
    };
    const objects = {
      site: await contents.objectsOf('us', site),
      neighbour: await contents.objectsOf('us', neighbour),
    };
    expect(objects.site).toHaveLength(7);
    await using writer = busyWriter(await installed('busy'));
    await using poller = pollerOf(site, 1);

    await insist(site, 'schedule', { ...facts('DE'), migrationId: 1 });
    await killAtHook(site, 'start', { ...facts('DE'), migrationId: 1 });
    await killInUpload(site, 1);
    await killDuring('copy', 2, site, 1);
    await killDuring('verify-copy', 2, site, 1);
    await reaches(site, 1, 'ready-to-commit');
    await killAtHook(site, 'commit', { migrationId: 1 });
    await killDuring('recheck-source', 1, site, 1);
    await killDuring('purge-source', 2, site, 1);
    await reaches(site, 1, 'committed');

    const inTarget = await contents.holdings('de', site);
    expect(differing(before.site, inTarget, 'move')).toBe(0);
    expect(sizeOf(inTarget, 'drop')).toBe(0);
    expect(sizeOf(await contents.holdings('us', site))).toBe(0);
    expect(differing(before.neighbour, await contents.holdings('us', neighbour))).toBe(0);
    expect(sizeOf(await contents.holdings('de', neighbour))).toBe(0);
    expect(await contents.objectsOf('de', site)).toEqual(objects.site);
    expect(await contents.objectsLeft('us', site)).toBe(0);
    expect(await contents.uploadsOf('de', site)).toBe(0);
    expect(await contents.objectsOf('us', neighbour)).toEqual(objects.neighbour);
    expect(await contents.objectsLeft('de', neighbour)).toBe(0);
    expect([await contents.stateIn('us', site), await contents.stateIn('de', site)]).toEqual([
      'moved',
      'active',
    ]);
    expect(poller.refusals).toEqual([]);
    expect(await writer.lost()).toEqual([]);
    expect(writer.acknowledged()).toBeGreaterThan(40);
  });

  test('takes a move back whose source was being purged already', async () => {
    const site = await installed('returns');
    await contents.settle(site, 0.6 * ITEMS);
    await contents.settleObjects(site, 2);
    const before = await contents.holdings('us', site);
    const objects = await contents.objectsOf('us', site);
    await using poller = pollerOf(site, 2);

    await insist(site, 'schedule', { ...facts('EU'), migrationId: 2 });
    await insist(site, 'start', { ...facts('EU'), migrationId: 2 });
    await reaches(site, 2, 'ready-to-commit');
    await insist(site, 'commit', { migrationId: 2 });
    await killDuring('purge-source', 1, site, 2);
    await killAtHook(site, 'rollback', { migrationId: 2 });
    await killDuring('restore-source', 1, site, 2);
    await killDuring('verify-restore', 1, site, 2);
    await killDuring('discard-target', 1, site, 2);
    await reaches(site, 2, 'rolled-back');

    expect(differing(before, await contents.holdings('us', site), 'move')).toBe(0);
    expect(sizeOf(await contents.holdings('eu', site))).toBe(0);
    expect(await contents.objectsOf('us', site)).toEqual(objects);
    expect(await contents.objectsLeft('eu', site)).toBe(0);
    expect([await contents.stateIn('us', site), await contents.stateIn('eu', site)]).toEqual([
      'active',
      'none',
    ]);
    expect(poller.refusals).toEqual([]);
  });

  // A phase can end before its kill. Then further tenants move until every kind of work was killed.
  test(`was killed at least ${FEWEST_KILLS} times, in every kind of work`, async () => {
    for (let id = 3; id < 3 + MOST_EXTRA_MOVES && !isKilledEnough(); id += 1) await extraMove(id);
    expect(killed()).toBeGreaterThanOrEqual(FEWEST_KILLS);
    expect(KINDS_OF_KILLS.filter((kind) => !kills.has(kind))).toEqual([]);
  });
});

const isKilledEnough = () =>
  killed() >= FEWEST_KILLS && KINDS_OF_KILLS.every((kind) => kills.has(kind));

/** A move that is undone in the middle of the purge, with one kill in each kind of work. */
async function extraMove(id: number): Promise<void> {
  const site = await installed(`extra-${id}`);
  await contents.settle(site, 0.3 * ITEMS);
  const isUploadKilled = kills.has('upload');
  await contents.settleObjects(site, 2, isUploadKilled ? [] : PARTS);
  const before = await contents.holdings('us', site);
  const objects = await contents.objectsOf('us', site);
  await insist(site, 'schedule', { ...facts('AU'), migrationId: id });
  await killAtHook(site, 'start', { ...facts('AU'), migrationId: id });
  if (!isUploadKilled) await killInUpload(site, id);
  await killDuring('copy', 1, site, id);
  await killDuring('verify-copy', 1, site, id);
  await reaches(site, id, 'ready-to-commit');
  await killAtHook(site, 'commit', { migrationId: id });
  await killDuring('recheck-source', 1, site, id);
  await killDuring('purge-source', 1, site, id);
  await killAtHook(site, 'rollback', { migrationId: id });
  await killDuring('restore-source', 1, site, id);
  await killDuring('verify-restore', 1, site, id);
  await killDuring('discard-target', 1, site, id);
  await reaches(site, id, 'rolled-back');
  expect(differing(before, await contents.holdings('us', site), 'move')).toBe(0);
  expect(sizeOf(await contents.holdings('au', site))).toBe(0);
  expect(await contents.objectsOf('us', site)).toEqual(objects);
  expect(await contents.objectsLeft('au', site)).toBe(0);
}

/**
 * The phase of each kind of work, the ledger with its records, and the next kind of work in that
 * phase.
 */
type KilledWork = Exclude<Work, 'clear' | 'repair-target' | 'copy-ahead'>;
const AT_HAND: Record<
  KilledWork,
  { readonly phase: Phase; readonly side: 'source' | 'target'; readonly next?: Work }
> = {
  copy: { phase: 'copy', side: 'target', next: 'verify-copy' },
  'verify-copy': { phase: 'copy', side: 'target' },
  'recheck-source': { phase: 'commit', side: 'source', next: 'purge-source' },
  'purge-source': { phase: 'commit', side: 'source' },
  'restore-source': { phase: 'restore', side: 'source', next: 'verify-restore' },
  'verify-restore': { phase: 'restore', side: 'source' },
  'discard-target': { phase: 'rollback', side: 'target' },
};

const KINDS_OF_KILLS = [...Object.keys(AT_HAND), 'start', 'commit', 'rollback', 'upload'];

/** In the order in which a migration reaches them. */
const PHASES: readonly (Phase | undefined)[] = [undefined, 'copy', 'commit', 'restore', 'rollback'];

/** Kills the host up to `times` times during this kind of work: fewer, where it ends before. */
async function killDuring(work: KilledWork, times: number, site: Site, id: number): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    if (!(await comesTo(work, site, id))) return;
    await pause(random() * SPREAD_MS);
    await killAndStart(work);
  }
}

/**
 * Kills the host while it copies a large object in parts. What it has left on its disk says whether
 * the upload was open at that moment; else the kill was one in a copy.
 */
async function killInUpload(site: Site, id: number): Promise<void> {
  const { source, target } = await migrationOf(site, id);
  let isOver = false;
  await waitFor(async () => {
    const records = await contents.ledger.rangeRecords.list(target, {
      ...keyOf(site, id),
      ledger: source,
    });
    const record = records.find(({ range }) => range.startsWith('documents/'));
    isOver = record?.work !== undefined && (record.work !== 'copy' || record.done);
    return isOver || record?.target?.cursor?.includes('upload=') === true;
  }, 20);
  if (isOver) return;
  await host.kill();
  const kind = (await uploadsOnDisk(dataDir, target)) > 0 ? 'upload' : 'copy';
  kills.set(kind, (kills.get(kind) ?? 0) + 1);
  await host.start();
}

async function killAtHook(
  site: Site,
  hook: Hook,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const sent = ask(site, hook, fields);
  await pause(random() * HOOK_MS);
  await killAndStart(hook);
  await sent;
  await insist(site, hook, fields);
}

async function killAndStart(during: string): Promise<void> {
  await host.kill();
  kills.set(during, (kills.get(during) ?? 0) + 1);
  await host.start();
}

/** Waits until a worker does this kind of work; `false` when it is over. */
async function comesTo(work: KilledWork, site: Site, id: number): Promise<boolean> {
  const { phase, side, next } = AT_HAND[work];
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const migration = await migrationOf(site, id);
    const records = await contents.ledger.rangeRecords.list(migration[side], migration);
    if (migration.phase === phase) {
      if (records.some((record) => record.work === work && !record.done)) return true;
      if (records.some((record) => record.work === next)) return false;
    }
    // A later phase may have begun before the first look at it; the last one stays on the record.
    const isPast = PHASES.indexOf(migration.phase) > PHASES.indexOf(phase);
    if (isPast || IS_OVER.has(migration.status)) return false;
    await pause(50);
  }
  throw new Error(`${work} did not come within ${PATIENCE_MS} ms\n${await standing(site, id)}`);
}

const IS_OVER: ReadonlySet<string> = new Set(['ready-to-commit', 'committed', 'rolled-back']);

/** Repeats as Atlassian does, only sooner: after a fault or no answer, never after a refusal. */
async function insist(
  site: Site,
  hook: Hook,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const reply = await ask(site, hook, fields);
    if (reply?.status === 200) return;
    if (reply && reply.status < 500)
      throw new Error(`${hook} is answered ${reply.status} ${JSON.stringify(reply.body)}`);
    await pause(100);
  }
  throw new Error(`${hook} was not answered within ${PATIENCE_MS} ms\n${tail()}`);
}

/** No reply where no host listens, or the host dies before it has answered. */
const ask = (
  site: Site,
  hook: Hook,
  fields: Readonly<Record<string, unknown>>,
): Promise<Reply | undefined> =>
  atlassian.hook(site, host.urlOf('us'), hook, fields).catch(() => undefined);

async function reaches(site: Site, id: number, status: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  let said: string | undefined;
  while (Date.now() < end) {
    const reply = await ask(site, 'status', { migrationId: id });
    said = (reply && fieldOf(reply, 'status')) ?? said;
    if (said === status) return;
    if (said === 'failed') break;
    await pause(250);
  }
  throw new Error(`migration ${id} is ${said}, not ${status}\n${await standing(site, id)}`);
}

/** Polls the migration's status, for as long as the test lasts. */
function pollerOf(site: Site, id: number) {
  const refusals: string[] = [];
  const stop = new AbortController();
  const polling = (async () => {
    await waitFor(async () => (await ask(site, 'status', { migrationId: id }))?.status === 200);
    while (!stop.signal.aborted) {
      const reply = await ask(site, 'status', { migrationId: id });
      if (reply && reply.status !== 200 && reply.status !== 503)
        refusals.push(`${reply.status} ${JSON.stringify(reply.body)}`);
      await pause(400);
    }
  })();
  return {
    refusals,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await polling.catch(() => undefined);
    },
  };
}

/**
 * A tenant whose users save one template after the other, and keep which of them was acknowledged.
 */
function busyWriter(site: Site) {
  const saved: string[] = [];
  const stop = new AbortController();
  const writing = (async () => {
    for (let number = 0; !stop.signal.aborted; number += 1) {
      const path = `/templates/saved-${number}`;
      const reply = await atlassian.request(site, 'PUT', path, { number }).catch(() => undefined);
      if (reply?.status === 200) saved.push(path);
      await pause(100);
    }
  })();
  return {
    acknowledged: () => saved.length,
    async lost(): Promise<readonly string[]> {
      stop.abort();
      await writing;
      const lost: string[] = [];
      for (const path of saved) {
        const { status } = await atlassian.request(site, 'GET', path);
        if (status !== 200) lost.push(path);
      }
      return lost;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await writing;
    },
  };
}

async function waitFor(isSo: () => Promise<boolean>, everyMs = 50): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`this never became true: ${isSo}`);
    await pause(everyMs);
  }
}

async function installed(clientKey: string): Promise<Site> {
  const site = atlassian.site(clientKey, host.urlOf('us'));
  expect((await atlassian.install(site)).status).toBe(204);
  return site;
}

const keyOf = ({ clientKey }: Pick<Site, 'clientKey'>, id: number) => ({
  ledger: 'us',
  tenant: clientKey,
  id: String(id),
});

async function migrationOf({ clientKey }: Site, id: number): Promise<Migration> {
  const found = await contents.ledger.migrations.read(keyOf({ clientKey }, id));
  if (found === undefined) throw new Error(`migration ${id} is not on record`);
  return found;
}

/** For a failure's message: the record, the leases, and the host's last lines. */
async function standing(site: Site, id: number): Promise<string> {
  const migration = await migrationOf(site, id);
  const records = await Promise.all(
    [migration.source, migration.target].map((realm) =>
      contents.ledger.rangeRecords.list(realm, migration),
    ),
  );
  const leased = records.flat().filter(({ lease }) => lease !== undefined);
  return [migration, ...leased.map(({ range, work, lease }) => ({ range, work, lease }))]
    .map((found) => JSON.stringify(found))
    .concat(tail())
    .join('\n');
}

const tail = () => host.output().split('\n').slice(-25).join('\n');

/** mulberry32: numbers from 0 to 1, the same ones for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
