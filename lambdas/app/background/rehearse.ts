/**
 * Rehearses a move in its target: copies a sample of the tenant's items to partition keys that no
 * tenant can have, verifies and discards it, and returns how long each took. It changes nothing of
 * the tenant.
 */

import { type Part, type Range, rangesOf } from '../../domain/datasets/dataset.ts';
import { type Digest, EMPTY_DIGEST, isSame } from '../../domain/datasets/digest.ts';
import { type KeyValues, keyValuesOf } from '../../domain/datasets/key-values.ts';
import type { MigrationKey } from '../../domain/moving/migration.ts';
import {
  LEASE,
  type Measured,
  REHEARSAL,
  type RehearsalRefused,
  type RehearsalReport,
  type RehearsalRequest,
  rehearsalRanges,
  rehearsalRequest,
} from '../../domain/operating/rehearsal.ts';
import type { Realm } from '../../domain/realm.ts';
import { conflict, invalid, Refusal } from '../../domain/refusal.ts';
import { MINUTE_MS } from '../../domain/time.ts';
import type { Checkpoint, Horizon, Samples } from '../../ports.ts';
import type { AppContext } from '../app-context.ts';
import { concurrently, lastOf } from '../concurrently.ts';
import { backupsExpireAfter } from '../phases/deletion.ts';
import type { Invocation } from '../phases/range-turn.ts';
import { rehearsalKeys } from './rehearsal-keys.ts';

/**
 * Each measurement is repeated this often, and the median counts, because other work may run at the
 * same time.
 */
const ROUNDS = 3;
/** So few items of a range that they cost little more than none. */
const FEW = 2;
/** Number of calls that are timed one after the other, and of those that are timed all at once. */
const LOOKS = 5;
const CONCURRENT_CALLS = 160;
/** Milliseconds of an invocation that are reserved for discarding and proving. */
const RESERVE = MINUTE_MS;

export function rehearse(context: AppContext, samples: Samples) {
  const { ports, settings } = context;
  const { realm: here } = settings;
  const { migrations, rangeRecords, tenants, partKind, clock } = ports;
  const keys = rehearsalKeys(context);
  const moving = settings.parts.filter(({ policy }) => policy === 'move');

  /**
   * Safe twice, and safe when it dies anywhere: the next rehearsal, or the hourly purge, finds that
   * it has not ended, and discards what is left. Two at once would discard each other's sample, so
   * there is a lease. Nothing is copied of a tenant that has left meanwhile.
   */
  async function rehearsed(
    input: unknown,
    invocation: Invocation,
  ): Promise<RehearsalReport | RehearsalRefused> {
    try {
      return await leased(rehearsalRequest(input), invocation);
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.message };
      throw error;
    }
  }

  async function leased(request: RehearsalRequest, invocation: Invocation) {
    if (request.source === here)
      throw invalid('a rehearsal is run in another realm than the source');
    if (settings.clash !== undefined) throw conflict(settings.clash);
    const record = await tenants.read(request.source, request.tenant);
    if (record?.state !== 'active' && record?.state !== 'frozen')
      throw conflict(`realm ${request.source} does not serve this tenant`);
    const values = keyValuesOf(record);
    return keys.withKeys(invocation, (leftovers) => timed(request, values, leftovers, invocation));
  }

  async function timed(
    { tenant, source, items }: RehearsalRequest,
    values: KeyValues,
    leftovers: number,
    { deadline }: Invocation,
  ): Promise<RehearsalReport> {
    const now = Math.floor(clock.now() / 1000);
    const horizon = { asOf: now, lastingUntil: now };
    const ranges = pairsOf(moving, values);
    const each = Math.max(1, Math.ceil(items / Math.max(1, ranges.length)));
    // A first run with few items compiles the code and opens connections, so that they do not
    // count.
    await copySample(ranges, source, horizon, Math.min(each, FEW));
    const until = deadline - RESERVE;
    /** Writes and reads back `limit` items of each range. */
    const pass = async (limit: number): Promise<Pass> => {
      const begunCopy = performance.now();
      const written = await copySample(ranges, source, horizon, limit);
      const copyMs = performance.now() - begunCopy;
      const begunReading = performance.now();
      const found = await concurrently(ranges, ({ to }) =>
        digestOf(partKind.digest(to, here, horizon, undefined, until)),
      );
      return { copyMs, readMs: performance.now() - begunReading, written, found };
    };
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const records = await timesOfRecords(tenant, source);
      // Discards first, because items that were deleted in the source meanwhile must not be here
      // either.
      await keys.discard(moving);
      const few = await pass(Math.min(each, FEW));
      rounds.push({ ...records, few, ...(await pass(each)) });
    }

    await keys.discard(moving);
    const written = rounds.at(-1)?.written ?? [];
    return {
      source,
      target: here,
      leftovers,
      items: countOf(written),
      bytes: written.reduce((sum, { bytes }) => sum + bytes, 0),
      ranges: written.filter((digest) => digest.items > 0).length,
      verified: rounds.every(isVerified),
      provenEmpty: true,
      backupsExpire: backupsExpireAfter(settings.backupDays, clock.now()),
      measured: {
        sourceMs: median(rounds.map((round) => round.sourceMs)),
        targetMs: median(rounds.map((round) => round.targetMs)),
        callMs: median(rounds.map((round) => round.callMs)),
        copyMs: median(rounds.map((round) => round.copyMs)),
        readMs: median(rounds.map((round) => round.readMs)),
        few: {
          items: countOf(rounds.at(-1)?.few.written ?? []),
          copyMs: median(rounds.map(({ few }) => few.copyMs)),
          readMs: median(rounds.map(({ few }) => few.readMs)),
        },
        drainMs: settings.drainSeconds * 1000,
      },
    };
  }

  const copySample = (pairs: readonly Pair[], source: Realm, horizon: Horizon, each: number) =>
    concurrently(pairs, ({ from, to }) =>
      digestOf(samples.copy(from, source, to, here, horizon, each)),
    );

  /**
   * The record reads and writes of a worker's turn: the migration in the source, both fences, its
   * own range.
   */
  async function timesOfRecords(tenant: string, source: Realm) {
    const key: MigrationKey = { ledger: source, tenant, id: REHEARSAL };
    const sourceMs = await each(LOOKS, () => migrations.read(key));
    const targetMs = await each(LOOKS, () => tenants.read(here, tenant));
    const asked = [
      () => migrations.read(key),
      () => tenants.read(source, tenant),
      () => tenants.read(here, tenant),
      () => rangeRecords.read(here, LEASE, LEASE.id),
    ];
    const begun = performance.now();
    const calls = Array.from({ length: CONCURRENT_CALLS }, (_, at) => asked[at % asked.length]);
    await concurrently(calls, async (call) => call?.());
    return { sourceMs, targetMs, callMs: (performance.now() - begun) / CONCURRENT_CALLS };
  }

  return rehearsed;
}

/**
 * A range of the tenant, and the rehearsal's range of the same number, so that two samples never
 * share a key.
 */
interface Pair {
  readonly from: Range;
  readonly to: Range;
}

function pairsOf(parts: readonly Part[], values: KeyValues): readonly Pair[] {
  const targets = new Map(rehearsalRanges(parts).map((range) => [range.id, range]));
  return rangesOf(parts, values).flatMap((from) => {
    const to = targets.get(from.id);
    return to === undefined ? [] : [{ from, to }];
  });
}

interface Pass {
  readonly copyMs: number;
  readonly readMs: number;
  readonly written: readonly Digest[];
  readonly found: readonly Digest[];
}

interface Round extends Pass, Pick<Measured, 'sourceMs' | 'targetMs' | 'callMs'> {
  readonly few: Pass;
}

const countOf = (digests: readonly Digest[]): number =>
  digests.reduce((sum, { items }) => sum + items, 0);

const isVerified = ({ written, found }: Pass): boolean =>
  written.every((digest, at) => isSame(digest, found[at] ?? EMPTY_DIGEST));

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

const digestOf = async (checkpoints: AsyncIterable<Checkpoint>): Promise<Digest> =>
  (await lastOf(checkpoints))?.digest ?? EMPTY_DIGEST;

/**
 * Milliseconds of each call, one after the other. The first, which opens connections, does not
 * count.
 */
async function each(times: number, call: () => Promise<unknown>): Promise<number> {
  await call();
  const begun = performance.now();
  for (let look = 0; look < times; look += 1) await call();
  return (performance.now() - begun) / times;
}
