/**
 * Purges tenants that were uninstalled 30 days ago and have not come back: data, proof, receipt,
 * record. Also discards what a killed rehearsal left, because this function runs by schedule and
 * may delete in its realm.
 */

import { rangeIdsOf, rangesOf } from '../../domain/datasets/dataset.ts';
import { isScannedAtOnce } from '../../domain/datasets/discovery.ts';
import { isKeyedAlike, type KeyValues, keyValuesOf } from '../../domain/datasets/key-values.ts';
import { defined } from '../../domain/defined.ts';
import {
  beginPurge,
  isDue,
  isPurgedBy,
  type PurgeReceipt,
  pausePurge,
} from '../../domain/tenants/retirement.ts';
import type { TenantRecord } from '../../domain/tenants/tenant.ts';
import type { AppContext } from '../app-context.ts';
import { backupsExpireAfter, checkApart, notEmpty } from '../phases/deletion.ts';
import { leaseOf, MOST_OFFERS } from '../phases/leases.ts';
import { type Invocation, TURN_RESERVE_MS } from '../phases/range-turn.ts';
import { tenantKeys } from '../tenant-keys.ts';
import { rehearsalKeys } from './rehearsal-keys.ts';

/** What is written down of a segment that was purged and proven empty. */
const PURGED = {
  revision: 0,
  work: 'purge-source',
  asOf: 0,
  lastingUntil: 0,
  tries: 0,
  done: true,
} as const;

export function purgeRetired(context: AppContext) {
  const { ports, settings } = context;
  const rehearsal = rehearsalKeys(context);
  const keys = tenantKeys(context);
  const { tenants, receipts, rangeRecords, migrations, partKind, clock, log, isGone } = ports;
  const { realm: here, parts, backupDays } = settings;
  const large = new Set(
    parts.filter(({ discover }) => !isScannedAtOnce(discover)).map(({ name }) => name),
  );

  /**
   * One turn. Safe twice: what is purged is gone. A failure with one tenant does not stop the
   * others.
   */
  async function run(invocation: Invocation): Promise<void> {
    const until = invocation.deadline - TURN_RESERVE_MS;
    try {
      await rehearsal.discardOverdue(invocation);
    } catch (error) {
      log.error(
        `alarm: what a rehearsal has left cannot be discarded: ${error instanceof Error ? error.message : 'unknown error'}`,
      );
    }
    for (const tenant of await tenants.due(here, clock.now())) {
      if (clock.now() >= until) return;
      try {
        await purgeTenant(tenant, invocation, until);
      } catch (error) {
        log.error(
          `alarm: a retired tenant cannot be purged: ${error instanceof Error ? error.message : 'unknown error'}`,
          { clientKey: tenant },
        );
      }
    }
  }

  async function purgeTenant(tenant: string, invocation: Invocation, until: number) {
    if (!(await mayBePurged(tenant))) return;
    checkApart(context);
    await checkKeys(tenant);
    const purger = leaseOf(invocation);
    try {
      // Within the `try`: after a fault it is unknown whether the lease was taken, and then it is
      // given back.
      const { record } = await tenants.change(here, tenant, (current) =>
        beginPurge(current, purger, clock.now(), isGone),
      );
      if (!isPurgedBy(record, purger.owner)) return;
      const values = keyValuesOf(record);
      const isDone =
        (await purgeAll(values, record.purge.begunAt, until)) && (await isProvenEmpty(values));
      if (isDone) return await signOff(record);
    } catch (error) {
      await pause();
      throw error;
    }
    await pause();

    /** A tenant that comes back meanwhile has to wait for the lease. */
    async function pause(tries = MOST_OFFERS): Promise<void> {
      try {
        await tenants.change(here, tenant, (current) => pausePurge(current, purger.owner));
      } catch {
        if (tries > 1) return pause(tries - 1);
        log.warn('the lease on a purge was not given back; it runs out by itself', {
          clientKey: tenant,
        });
      }
    }
  }

  /**
   * Purges nothing that could be another tenant's, and signs nothing off whose keys are not all
   * known.
   */
  async function checkKeys(tenant: string): Promise<void> {
    const record = await tenants.read(here, tenant);
    const obstacle = record && (await keys.obstacle(keyValuesOf(record), [here]));
    if (obstacle !== undefined) throw new Error(obstacle);
  }

  /**
   * As long as the move by which the tenant arrived is not committed, the source may still be
   * restored from here.
   */
  async function mayBePurged(tenant: string): Promise<boolean> {
    const record = await tenants.read(here, tenant);
    if (record?.state === 'purging') return true;
    if (record === undefined || !isDue(record, clock.now())) return false;
    const { arrivedBy: id, ledger: source } = record;
    if (id === undefined || source === undefined) return true;
    if ((await receipts.read(here, tenant, id))?.state === 'committed') return true;
    if ((await migrations.read({ ledger: source, tenant, id }))?.status === 'committed')
      return true;
    throw new Error(`migration ${id}, by which it came, is not committed`);
  }

  /**
   * Purges every part, caches too; `false` when the time is over. Of a large table each segment is
   * proven empty right after its purge, and written down: the next turn goes on behind it.
   */
  async function purgeAll(values: KeyValues, begunAt: string, until: number): Promise<boolean> {
    const { rateLimit } = await ports.settings.read(here, values.tenant);
    const key = { ledger: here, tenant: values.tenant, id: `purge begun at ${begunAt}` };
    for (const range of rangesOf(parts, values)) {
      const isLarge = large.has(range.part);
      const stored = isLarge ? await rangeRecords.read(here, key, range.id) : undefined;
      if (stored?.done) continue;
      let isDone = false;
      for await (const { done } of partKind.purge(range, here, undefined, until, rateLimit))
        isDone = done;
      if (!isDone) return false;
      if (isLarge) {
        if (!(await partKind.isEmpty(range, here))) return false;
        await rangeRecords.put(here, key, { ...PURGED, range: range.id });
      }
      if (clock.now() >= until) return false;
    }
    return true;
  }

  async function isProvenEmpty(values: KeyValues): Promise<boolean> {
    const left = await notEmpty(context, rangesOf(parts, values), here);
    if (left.length === 0) return true;
    log.error('alarm: a retired tenant was purged, and is not empty: it is purged again', {
      clientKey: values.tenant,
    });
    return false;
  }

  /**
   * Writes the receipt before it removes the record: without the record, no later turn would write
   * the receipt.
   */
  async function signOff(
    record: TenantRecord & { readonly purge: NonNullable<TenantRecord['purge']> },
  ) {
    const { tenant, uninstalledIat, purge } = record;
    const values = keyValuesOf(record);
    const receipt: PurgeReceipt = {
      tenant,
      ...defined({ uninstalledIat }),
      begunAt: purge.begunAt,
      at: new Date(clock.now()).toISOString(),
      provenEmpty: rangeIdsOf(parts, values),
      backupsExpire: backupsExpireAfter(backupDays, clock.now()),
    };
    await receipts.writePurge(here, receipt);
    // Unless further names of the tenant have become known meanwhile: then the next turn purges
    // there too.
    await tenants.change(here, tenant, (current) =>
      isPurgedBy(current, purge.owner) && isKeyedAlike(keyValuesOf(current), values)
        ? 'remove'
        : undefined,
    );
    log.info(`a retired tenant is purged in realm ${here}`, { clientKey: tenant });
  }

  return run;
}
