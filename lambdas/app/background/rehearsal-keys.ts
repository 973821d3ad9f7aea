/**
 * The partition keys that rehearsals write to, which no tenant can have: the lease on them, and the
 * proof that nothing stays under them. The record of the lease has `done: false` before anything is
 * written, and `done: true` after the keys are proven empty.
 */
import type { Part } from '../../domain/datasets/dataset.ts';
import { isLeased, type RangeRecord } from '../../domain/moving/range-record.ts';
import { LEASE, rehearsalRanges } from '../../domain/operating/rehearsal.ts';
import { conflict } from '../../domain/refusal.ts';
import type { AppContext } from '../app-context.ts';
import { concurrently, lastOf } from '../concurrently.ts';
import { giveLeaseBack, leaseOf, shortenOverlong } from '../phases/leases.ts';
import type { Invocation } from '../phases/range-turn.ts';

export function rehearsalKeys({ ports, settings }: AppContext) {
  const { realm: here } = settings;
  const { rangeRecords, partKind, clock, log, isGone } = ports;
  const leaseAt = { realm: here, key: LEASE };
  const stored = () => rangeRecords.read(here, LEASE, LEASE.id);

  /**
   * Runs `run` with the keys leased, and empty at the beginning and at the end. `leftovers` counts
   * the items that an earlier rehearsal had left. Throws a refusal while another rehearsal has the
   * keys.
   */
  async function withKeys<T>(
    invocation: Invocation,
    run: (leftovers: number) => Promise<T>,
  ): Promise<T> {
    const asked = wanted(await refusedIfLeased(), invocation);
    try {
      // Within the `try`: after a fault it is unknown whether the lease was taken, and then it is
      // given back.
      const held = await rangeRecords.put(here, LEASE, asked);
      if (held === undefined) throw conflict('another rehearsal has just begun here');
      const leftovers = await discard(settings.parts);
      try {
        return await run(leftovers);
      } finally {
        await discard(settings.parts);
        await rangeRecords.put(here, LEASE, { ...held, done: true });
      }
    } finally {
      await giveLeaseBack(ports, leaseAt, asked, invocation);
    }
  }

  /**
   * Discards what a killed rehearsal left, and proves it. Does nothing while one is running, or
   * where the last one ended well. Safe twice.
   */
  async function discardOverdue(invocation: Invocation): Promise<void> {
    const record = await stored();
    if (record === undefined || record.done || isLeased(record, clock.now(), isGone)) return;
    const asked = wanted(record, invocation);
    try {
      const held = await rangeRecords.put(here, LEASE, asked);
      if (held === undefined) return;
      const items = await discard(settings.parts);
      await rangeRecords.put(here, LEASE, { ...held, done: true });
      log.warn(
        `a rehearsal had died in realm ${here}: ${items} items of its sample were discarded, and its keys are proven empty`,
      );
    } finally {
      await giveLeaseBack(ports, leaseAt, asked, invocation);
    }
  }

  /** Deletes every item under the rehearsal's keys, and proves it. Returns how many there were. */
  async function discard(parts: readonly Part[]): Promise<number> {
    const discarded = await concurrently(rehearsalRanges(parts), async (range) => {
      if (await partKind.isEmpty(range, here)) return 0;
      const last = await lastOf(partKind.purge(range, here, undefined, Number.POSITIVE_INFINITY));
      if (!(await partKind.isEmpty(range, here)))
        throw new Error(`the rehearsal's range ${range.id} is not empty`);
      return last?.changed ?? 0;
    });
    return discarded.reduce((sum, count) => sum + count, 0);
  }

  async function refusedIfLeased(): Promise<RangeRecord | undefined> {
    const record = await stored();
    if (record === undefined || !isLeased(record, clock.now(), isGone)) return record;
    const { lease } = await shortenOverlong(ports, leaseAt, record);
    throw conflict(
      `another rehearsal is running here, until ${new Date(lease?.until ?? 0).toISOString()} at the latest`,
    );
  }

  const wanted = (record: RangeRecord | undefined, invocation: Invocation): RangeRecord => ({
    ...(record ?? FRESH),
    done: false,
    lease: leaseOf(invocation),
  });

  return { withKeys, discardOverdue, discard };
}

const FRESH: RangeRecord = {
  range: LEASE.id,
  revision: 0,
  work: 'copy',
  asOf: 0,
  lastingUntil: 0,
  tries: 0,
  done: false,
};
