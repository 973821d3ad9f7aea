/**
 * Schedules: when a new one is refused, which of several counts, and what remains of one that was
 * refused.
 */

import { isKeyedByMore, namedValues } from '../domain/datasets/dataset.ts';
import { keyValuesOf } from '../domain/datasets/key-values.ts';
import {
  type Facts,
  isLater,
  isUnderWay,
  type Migration,
  sameFacts,
} from '../domain/moving/migration.ts';
import { type Realm, stackOf } from '../domain/realm.ts';
import { conflict, Fault, invalid } from '../domain/refusal.ts';
import { type Caller, checkWindow } from '../domain/requests.ts';
import type { TenantRecord } from '../domain/tenants/tenant.ts';
import { DAY_SECONDS } from '../domain/time.ts';
import type { AppContext } from './app-context.ts';
import { misfitNow } from './known-size.ts';
import { knownObstacle, oversizedPlace } from './obstacles.ts';
import { fieldsOf } from './steps.ts';
import { tenantKeys } from './tenant-keys.ts';

/** A tombstone outlives every delayed schedule of its id. */
const TOMBSTONE_DAYS = 30;

export function scheduling(context: AppContext) {
  const { ports, steps, settings } = context;
  const { tenants, slots, migrations, receipts, clock, log } = ports;
  const here = settings.realm;
  const keys = tenantKeys(context);

  /**
   * Writes the schedule, if nothing forbids it, and returns the record after that. Throws a
   * `Refusal` otherwise.
   */
  async function scheduleNew(
    caller: Caller,
    id: string,
    location: Realm,
    facts: Facts,
  ): Promise<Migration> {
    checkWindow(facts, clock.now());
    const values = namedValues(settings.parts, keyValuesOf(await movableTenant(caller, facts)));
    const target = stackOf(settings.realms, location);
    if (target !== here) {
      const obstacle = await keys.obstacle(values, [here]);
      if (obstacle) throw invalid(`migration ${id} cannot be done: ${obstacle}`);
      const found =
        (await knownObstacle(context, values.tenant)) ??
        (await oversizedPlace(context, values, [here, target]));
      if (found) throw invalid(`migration ${id} cannot be done: ${found}`);
      const reason = await misfitNow(context, values, facts);
      if (reason) throw invalid(`migration ${id} cannot be done in its window: ${reason}`);
    }
    const now = new Date(clock.now()).toISOString();
    const key = { ledger: here, tenant: caller.tenant, id };
    const proposed: Migration = {
      ...key,
      status: 'scheduled',
      source: here,
      target,
      ...(isKeyedByMore(settings.parts) && { keyValues: values }),
      facts,
      scheduledAt: now,
      scheduledIat: caller.iat,
      updatedAt: now,
      attempt: 0,
    };
    const cap = settings.maxOverlappingMigrations;
    if (!(await slots.take(key, { start: facts.startTime, end: facts.endTime }, cap))) {
      throw conflict(`realm ${here} has ${cap} overlapping migrations already`, 'E0004');
    }
    const { changed, record } = await migrations.change(key, 'schedule', (current) =>
      current ? undefined : proposed,
    );
    if (changed) log.info(`migration ${id} is scheduled`, fieldsOf(proposed));
    return repeat(record ?? proposed, facts);
  }

  /** A repeated schedule, or one that was just written: it counts, unless a later one does. */
  async function repeat(migration: Migration, facts: Facts): Promise<Migration> {
    if (migration.facts && !sameFacts(migration.facts, facts)) {
      throw conflict(`migration ${migration.id} was scheduled with another window or location`);
    }
    // A schedule in another realm's ledger is finished by that realm.
    if (migration.status !== 'scheduled' || migration.ledger !== here) return migration;
    return supersede(migration);
  }

  /**
   * Throws where a new schedule is not possible: the tenant lives elsewhere or is moving, or moves
   * are switched off.
   */
  async function movableTenant({ tenant }: Caller, facts: Facts): Promise<TenantRecord> {
    const record = await tenants.read(here, tenant);
    const others = await migrations.list(here, tenant);
    const underWay = others.find(isUnderWay);
    if (underWay) {
      throw conflict(
        `migration ${underWay.id} of this tenant is ${underWay.status}, and must end first`,
        'E0004',
      );
    }
    if (record === undefined || record.state === 'retired' || record.state === 'purging')
      throw conflict('the tenant is not installed here');
    if (record.state === 'opening') throw new Fault('the tenant is being installed at this moment');
    if (record.state === 'moved') throw conflict(`the tenant lives in realm ${record.movedTo}`);
    if (record.state !== 'active')
      throw conflict('a migration of this tenant must end first', 'E0004');
    if (record.arrivedBy !== undefined && !(await hasSettled(record, record.arrivedBy))) {
      throw conflict(
        `migration ${record.arrivedBy}, by which the tenant came here, is not committed yet`,
        'E0004',
      );
    }
    if ((await ports.settings.read(here, tenant)).noNewMoves) {
      throw conflict(`moves to ${facts.location} are switched off for now`, 'E0003');
    }
    return record;
  }

  /**
   * Whether the migration by which the tenant came here is committed: by the receipt, or, where a
   * crash kept it away, by the ledger.
   */
  async function hasSettled(
    { tenant, ledger: source }: TenantRecord,
    id: string,
  ): Promise<boolean> {
    if ((await receipts.read(here, tenant, id))?.state === 'committed') return true;
    if (source === undefined) return false;
    const arrival = await migrations.read({ ledger: source, tenant, id });
    if (arrival?.status !== 'committed') return false;
    const receipt = await receipts.read(source, tenant, id);
    if (receipt) await receipts.write(here, receipt);
    return true;
  }

  /**
   * Only the latest of a tenant's schedules counts. Two that arrive at once both look after they
   * have written, so that one of them sees the other. A move that began in between goes before
   * both.
   */
  async function supersede(migration: Migration): Promise<Migration> {
    const others = (await migrations.list(migration.ledger, migration.tenant)).filter(
      ({ id }) => id !== migration.id,
    );
    const underWay = others.find(isUnderWay);
    if (underWay) {
      await expire(migration, `migration ${underWay.id} began first`);
      throw conflict(
        `migration ${underWay.id} of this tenant is ${underWay.status}, and must end first`,
        'E0004',
      );
    }
    const scheduled = others.filter(({ status }) => status === 'scheduled');
    for (const earlier of scheduled.filter((other) => isLater(migration, other))) {
      await expire(earlier, `superseded by migration ${migration.id}`);
    }
    const later = scheduled.find((other) => isLater(other, migration));
    return later ? expire(migration, `superseded by migration ${later.id}`) : migration;
  }

  async function expire(migration: Migration, reason: string): Promise<Migration> {
    const expired = await steps.take(migration, 'expire', 'schedule', {
      error: { code: 'E0001', reason },
    });
    return steps.afterExpiry(expired, 'schedule');
  }

  /** Before a start: the schedule, unless a later one has taken its place. */
  async function supersedeAtStart(scheduled: Migration): Promise<Migration> {
    const others = await migrations.list(scheduled.ledger, scheduled.tenant);
    const later = others.find((other) => other.status === 'scheduled' && isLater(other, scheduled));
    return later ? expire(scheduled, `superseded by migration ${later.id}`) : scheduled;
  }

  /**
   * Leaves a tombstone, so that a delayed schedule of this id can neither revive it nor supersede a
   * newer one.
   */
  async function bury({ tenant, iat }: Caller, id: string, home = here): Promise<Migration> {
    const now = new Date(clock.now()).toISOString();
    const tombstone: Migration = {
      ledger: home,
      tenant,
      id,
      status: 'rolled-back',
      source: home,
      target: home,
      scheduledAt: now,
      scheduledIat: iat,
      updatedAt: now,
      attempt: 0,
      expiresAt: Math.floor(clock.now() / 1000) + TOMBSTONE_DAYS * DAY_SECONDS,
    };
    const { record } = await migrations.change(tombstone, 'rollback', (current) =>
      current ? undefined : tombstone,
    );
    return record ?? tombstone;
  }

  return { scheduleNew, repeat, expire, supersedeAtStart, bury };
}
