/**
 * The five migration hooks: what Atlassian asks of an app while a customer's data moves between realms. Each is a fixed
 * sequence of conditional writes; a repeated hook runs it again, and so finishes what an earlier one left undone.
 */
import type { Part } from '../domain/datasets/dataset.ts';
import {
  type ActingHook,
  advance,
  type Facts,
  isLater,
  isNoOp,
  isUnderWay,
  type Migration,
  sameFacts,
} from '../domain/moving/migration.ts';
import { type Realm, realmOfLocation, stackOf, stackRows } from '../domain/realm.ts';
import { conflict, Fault, invalid, notScheduled, Refusal } from '../domain/refusal.ts';
import {
  type ActionRequest,
  checkWindow,
  type ScheduleRequest,
  type StartRequest,
} from '../domain/requests.ts';
import type { Residency } from '../domain/residency.ts';
import { close, open, withFactsOf } from '../domain/tenants/fence.ts';
import { arrivedBy, isOwnedBy, type TenantRecord } from '../domain/tenants/tenant.ts';
import type { Ports } from '../ports.ts';
import { misfitNow } from './known-size.ts';
import { homeOf, locate } from './locate.ts';
import { numberedSchedule } from './schedule-ids.ts';
import { fieldsOf, type Steps } from './steps.ts';

/** A verified caller: the tenant, and when its token was issued (epoch seconds). */
export interface Caller {
  readonly tenant: string;
  readonly iat: number;
}

export interface HookAnswer {
  readonly status: string;
  readonly errorResponseCode?: string;
}

export interface HookSettings {
  /** The realm whose stack answers. */
  readonly realm: Realm;
  readonly residency: Pick<Residency, 'realms'>;
  readonly maxOverlappingMigrations: number;
  readonly parts: readonly Part[];
  readonly drainSeconds: number;
}

const DAY_SECONDS = 24 * 60 * 60;
/** A tombstone outlives every delayed schedule of its id. */
const TOMBSTONE_DAYS = 30;

export type MigrationHooks = ReturnType<typeof migrationHooks>;

export function migrationHooks(ports: Ports, steps: Steps, settings: HookSettings) {
  const { tenants, ledger, clock, log } = ports;
  const here = settings.realm;
  const places = { here, realms: stackRows(settings.residency.realms).map(({ realm }) => realm) };
  const find = (caller: Caller, id: string | undefined) =>
    locate(ports, places, caller, id, 'other');

  /** `POST /schedule`: a window and a location are agreed; nothing moves yet. */
  async function schedule(caller: Caller, request: ScheduleRequest): Promise<HookAnswer> {
    const facts: Facts = {
      location: request.location.toLowerCase(),
      startTime: request.startTime,
      endTime: request.endTime,
    };
    const location = realmOfLocation(settings.residency.realms, facts.location);
    if (location === undefined) {
      throw new Refusal(
        400,
        'E0002',
        `no realm of this app is called ${JSON.stringify(request.location)}`,
      );
    }
    const id = request.id ?? (await numberedSchedule(ledger, here, caller, facts));
    const existing = await find(caller, id);
    if (existing) return repeatSchedule(existing, facts);
    try {
      return await scheduleNew(caller, id, location, facts);
    } catch (error) {
      // Its rollback will name no id either, and must not be taken for one of the move before it.
      if (request.id === undefined && error instanceof Refusal) await bury(caller, id);
      throw error;
    }
  }

  async function scheduleNew(
    caller: Caller,
    id: string,
    location: Realm,
    facts: Facts,
  ): Promise<HookAnswer> {
    checkWindow(facts, clock.now());
    await checkTenant(caller, facts);
    const target = stackOf(settings.residency.realms, location);
    const reason =
      target === here ? undefined : await misfitNow(ports, settings, caller.tenant, facts);
    if (reason) throw invalid(`migration ${id} cannot be done in its window: ${reason}`);
    const now = new Date(clock.now()).toISOString();
    const key = { ledger: here, tenant: caller.tenant, id };
    const proposed: Migration = {
      ...key,
      status: 'scheduled',
      source: here,
      target,
      facts,
      scheduledAt: now,
      scheduledIat: caller.iat,
      updatedAt: now,
      attempt: 0,
    };
    const cap = settings.maxOverlappingMigrations;
    if (!(await ledger.takeSlot(key, { start: facts.startTime, end: facts.endTime }, cap))) {
      throw conflict(`realm ${here} has ${cap} overlapping migrations already`, 'E0004');
    }
    const { changed, record } = await ledger.change(key, 'schedule', (current) =>
      current ? undefined : proposed,
    );
    if (changed) log.info(`migration ${id} is scheduled`, fieldsOf(proposed));
    return repeatSchedule(record ?? proposed, facts);
  }

  async function repeatSchedule(migration: Migration, facts: Facts): Promise<HookAnswer> {
    if (migration.facts && !sameFacts(migration.facts, facts)) {
      throw conflict(`migration ${migration.id} was scheduled with another window or location`);
    }
    refuseUnlessAllowed(migration, 'schedule');
    // Of a schedule in another realm's ledger, that realm finishes what is missing.
    if (migration.status !== 'scheduled' || migration.ledger !== here)
      return { status: migration.status };
    return answered(await supersede(migration), 'schedule');
  }

  /** What speaks against a new schedule: the tenant is elsewhere, or moving; moves are switched off. */
  async function checkTenant({ tenant }: Caller, facts: Facts): Promise<void> {
    const record = await tenants.read(here, tenant);
    const others = await ledger.list(here, tenant);
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
    if ((await ledger.settings(here, tenant)).noNewMoves) {
      throw conflict(`moves to ${facts.location} are switched off for now`, 'E0003');
    }
  }

  /** The migration by which the tenant came here is committed: the receipt says so, or, where a crash kept it away, its ledger. */
  async function hasSettled(
    { tenant, ledger: source }: TenantRecord,
    id: string,
  ): Promise<boolean> {
    if ((await ledger.readReceipt(here, tenant, id))?.state === 'committed') return true;
    if (source === undefined) return false;
    const arrival = await ledger.read({ ledger: source, tenant, id });
    if (arrival?.status !== 'committed') return false;
    const receipt = await ledger.readReceipt(source, tenant, id);
    if (receipt) await ledger.writeReceipt(here, receipt);
    return true;
  }

  /**
   * Of a tenant's schedules only the latest stands. Two that arrive at once both look after they have written, so that
   * one of them sees the other; a move that began in between beats both.
   */
  async function supersede(migration: Migration): Promise<Migration> {
    const others = (await ledger.list(migration.ledger, migration.tenant)).filter(
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
    if (expired.status === 'rolled-back') await steps.afterRollback(expired);
    return expired;
  }

  /** `POST /start`: the site is offline; fence the tenant and begin to copy. */
  async function start(caller: Caller, request: StartRequest): Promise<HookAnswer> {
    const migration = await find(caller, request.id);
    if (!migration) throw notScheduled(request.id ?? 'without an id');
    refuseOtherFacts(migration, request.facts, 'E0001');
    refuseUnlessAllowed(migration, 'start');
    if (migration.status === 'scheduled' && migration.ledger !== here)
      throw conflict(`migration ${migration.id} is scheduled in realm ${migration.ledger}`);
    return answered(await continueStart(migration, caller), 'start');
  }

  async function continueStart(migration: Migration, caller: Caller): Promise<Migration> {
    if (migration.status === 'scheduled')
      return continueStart(await beginCopying(migration, caller), caller);
    if (migration.status !== 'copying') return migration;
    if (isNoOp(migration)) return steps.take(migration, 'copied', 'start');
    if (!(await steps.fence(migration))) return lostFence(migration);
    return steps.drive(migration, 'start');
  }

  /** Ledger first, then the fence, then the workflow. */
  async function beginCopying(scheduled: Migration, { iat }: Caller): Promise<Migration> {
    const current = await supersedeAtStart(scheduled);
    if (current.status !== 'scheduled') return current;
    const isOver = Date.parse(current.facts?.endTime ?? '') <= clock.now();
    if (isOver) return expire(current, 'its window was over before it began');
    // It stays scheduled, so that its rollback finds what it undoes; and nobody was fenced.
    const { id, tenant, facts } = current;
    const reason =
      facts && !isNoOp(current) ? await misfitNow(ports, settings, tenant, facts) : undefined;
    if (reason) throw conflict(`migration ${id} cannot be done in its window: ${reason}`);
    const startedAt = new Date(clock.now()).toISOString();
    return steps.take(current, 'start', 'start', { startedAt, startedIat: iat });
  }

  async function supersedeAtStart(scheduled: Migration): Promise<Migration> {
    const others = await ledger.list(scheduled.ledger, scheduled.tenant);
    const later = others.find((other) => other.status === 'scheduled' && isLater(other, scheduled));
    return later ? expire(scheduled, `superseded by migration ${later.id}`) : scheduled;
  }

  /** A start that loses a race undoes nothing: it answers by what the ledger now says. */
  async function lostFence(migration: Migration): Promise<Migration> {
    const current = (await ledger.read(migration)) ?? migration;
    if (current.status !== 'copying') return current;
    const record = await tenants.read(current.source, current.tenant);
    const owner = record?.migration;
    const reason =
      owner === undefined || owner === current.id
        ? `the tenant cannot be fenced: it is ${record?.state ?? 'not installed'}`
        : `the tenant is fenced by migration ${owner}`;
    return steps.fail(current, 'E0004', reason, 'start');
  }

  /** `GET /status`: where the migration is. Reads only. */
  async function status(caller: Caller, request: ActionRequest): Promise<HookAnswer> {
    const migration = await find(caller, request.id);
    if (!migration) throw notScheduled(request.id ?? 'without an id');
    if (migration.status !== 'failed') return { status: migration.status };
    return { status: 'failed', errorResponseCode: migration.error?.code ?? 'E9999' };
  }

  /** `POST /commit`: the site comes back in the target. Comes after the window's end, so the clock has no say. */
  async function commit(caller: Caller, request: ActionRequest): Promise<HookAnswer> {
    const migration = await find(caller, request.id);
    if (!migration && request.id === undefined)
      throw conflict('no migration of this tenant can be committed');
    if (!migration) throw notScheduled(request.id ?? '');
    refuseOtherFacts(migration, request.facts, 'E9999');
    refuseUnlessAllowed(migration, 'commit');
    return answered(await continueCommit(migration), 'commit');
  }

  /** Close the source, bring the target's record up to date, open the target, purge: in this order, always. */
  async function continueCommit(migration: Migration): Promise<Migration> {
    if (migration.status === 'ready-to-commit')
      return continueCommit(await steps.take(migration, 'commit', 'commit'));
    if (migration.status !== 'committing') return migration;
    if (isNoOp(migration)) return finishNoOp(migration);
    const { tenant, id, source, target } = migration;

    const closed = await tenants.change(source, tenant, (current) => close(current, id, target));
    if (!isOwnedBy(closed.record, id, 'moved')) return lostCommit(migration);
    const from = closed.record;
    await tenants.change(target, tenant, (current) =>
      isOwnedBy(current, id, 'standby') ? withFactsOf(current, from) : undefined,
    );
    const opened = await tenants.change(target, tenant, (current) =>
      open(current, id, clock.now()),
    );
    if (!arrivedBy(opened.record, id)) return lostCommit(migration);
    return steps.drive(migration, 'commit');
  }

  async function finishNoOp(migration: Migration): Promise<Migration> {
    const committed = await steps.take(migration, 'purged', 'commit', {
      committedAt: new Date(clock.now()).toISOString(),
    });
    await ledger.freeSlot(committed);
    return committed;
  }

  /** A failed condition ends the sequence: somebody else has moved the migration on, or nobody knows yet. */
  async function lostCommit(migration: Migration): Promise<Migration> {
    const current = (await ledger.read(migration)) ?? migration;
    if (current.status !== 'committing') return current;
    throw new Fault(`migration ${current.id} cannot switch its tenant over at this moment`);
  }

  /** `POST /rollback`: undo everything, from any state; an unknown id leaves a tombstone. */
  async function rollback(caller: Caller, request: ActionRequest): Promise<HookAnswer> {
    const migration = await locate(ports, places, caller, request.id, 'rollback');
    if (migration) return answered(await rollBack(migration, 'rollback'), 'rollback');
    if (request.id === undefined) return { status: 'rolled-back' };
    // Here and where the tenant lives: a delayed schedule may come to either, and the tenant may come back here first.
    const home = await homeOf(ports, places, caller.tenant);
    if (home !== here) await bury(caller, request.id);
    const buried = await bury(caller, request.id, home);
    return answered(await rollBack(buried, 'rollback'), 'rollback');
  }

  /** A delayed schedule of this id can then neither revive it nor supersede a newer one. */
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
    const { record } = await ledger.change(tombstone, 'rollback', (current) =>
      current ? undefined : tombstone,
    );
    return record ?? tombstone;
  }

  /**
   * Also how an uninstallation, an operator and the janitor undo a migration: these only as long as `mayStill` holds, which
   * is asked again in the very write (a commit that was answered in between must stand).
   */
  async function rollBack(
    migration: Migration,
    actor: string,
    mayStill: (current: Migration) => boolean = () => true,
  ): Promise<Migration> {
    const isUndone = migration.status === 'rolling-back' || migration.status === 'rolled-back';
    if (!isUndone && !mayStill(migration)) return migration;
    if (migration.status === 'committed' && !(await canStillReturn(migration))) {
      log.error(
        `alarm: migration ${migration.id} is committed and its target has moved on: it stays`,
        fieldsOf(migration),
      );
      return migration;
    }
    const next = await steps.take(migration, 'rollback', actor, {}, mayStill);
    if (next.status === 'rolling-back' && isNoOp(next)) {
      return rollBack(await steps.take(next, 'undone', actor), actor, mayStill);
    }
    if (next.status === 'rolling-back') return steps.drive(next, actor);
    if (next.status === 'rolled-back') await steps.afterRollback(next);
    else if (next.status !== migration.status) return rollBack(next, actor, mayStill);
    else if (mayStill(next))
      throw new Fault(`migration ${next.id} changed while it was being rolled back`);
    return next;
  }

  async function canStillReturn({ tenant, id, source, target }: Migration): Promise<boolean> {
    if (source === target) return true;
    const [there, back] = await Promise.all([
      tenants.read(target, tenant),
      tenants.read(source, tenant),
    ]);
    // Retired there, it has not moved on: it comes back as it is.
    return arrivedBy(there, id) && isOwnedBy(back, id, 'moved');
  }

  return { schedule, start, status, commit, rollback, rollBack };
}

function refuseUnlessAllowed(migration: Migration, hook: ActingHook): void {
  const outcome = advance(migration, hook);
  if (outcome.kind === 'refused') throw outcome.refusal;
}

/** The answer by what the ledger now says: a hook that lost a race is answered like one that came later. */
function answered(migration: Migration, hook: ActingHook): HookAnswer {
  const outcome = advance(migration, hook);
  if (outcome.kind === 'refused') throw outcome.refusal;
  return { status: migration.status };
}

function refuseOtherFacts(
  migration: Migration,
  said: Partial<Facts> | undefined,
  code: 'E0001' | 'E9999',
): void {
  if (said === undefined || migration.facts === undefined) return;
  const facts = {
    ...migration.facts,
    ...said,
    location: (said.location ?? migration.facts.location).toLowerCase(),
  };
  if (!sameFacts(migration.facts, facts)) {
    throw conflict(`migration ${migration.id} was scheduled with another window or location`, code);
  }
}
