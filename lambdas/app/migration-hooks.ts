/**
 * The five migration hooks: what Atlassian asks of an app while a customer's data moves between
 * realms. Each is a fixed sequence of conditional writes. A repeated hook runs it again, and so
 * finishes what an earlier one left undone.
 */
import { namedValues, strayRanges } from '../domain/datasets/dataset.ts';
import { extended, type KeyValues, keyValuesOf } from '../domain/datasets/key-values.ts';
import {
  type ActingHook,
  advance,
  type Facts,
  isNoOp,
  type Migration,
  sameFacts,
  valuesOf,
} from '../domain/moving/migration.ts';
import { realmOfLocation } from '../domain/realm.ts';
import { conflict, Fault, notScheduled, Refusal } from '../domain/refusal.ts';
import type { ActionRequest, Caller, ScheduleRequest, StartRequest } from '../domain/requests.ts';
import { close, open, withFactsOf } from '../domain/tenants/fence.ts';
import { arrivedBy, isOwnedBy } from '../domain/tenants/tenant.ts';
import type { AppContext } from './app-context.ts';
import { misfitNow } from './known-size.ts';
import { homeOf, locate } from './locate.ts';
import { knownObstacle } from './obstacles.ts';
import { numberedSchedule } from './schedule-ids.ts';
import { scheduling } from './scheduling.ts';
import { fieldsOf } from './steps.ts';
import { tenantKeys } from './tenant-keys.ts';
import { undo } from './undo.ts';

export interface HookAnswer {
  readonly status: string;
  readonly errorResponseCode?: string;
}

export function migrationHooks(context: AppContext) {
  const { ports, steps, settings } = context;
  const { tenants, migrations, slots, clock, log } = ports;
  const here = settings.realm;
  const { scheduleNew, repeat, expire, supersedeAtStart, bury } = scheduling(context);
  const undoMigration = undo(context);
  const keys = tenantKeys(context);
  const find = (caller: Caller, id: string | undefined) => locate(context, caller, id, 'other');

  /** `POST /schedule`: agrees on a window and a location; nothing moves yet. */
  async function schedule(caller: Caller, request: ScheduleRequest): Promise<HookAnswer> {
    const facts: Facts = {
      location: request.location.toLowerCase(),
      startTime: request.startTime,
      endTime: request.endTime,
    };
    const location = realmOfLocation(settings.realms, facts.location);
    if (location === undefined) {
      throw new Refusal(
        400,
        'E0002',
        `no realm of this app is called ${JSON.stringify(request.location)}`,
      );
    }
    const id = request.id ?? (await numberedSchedule(migrations, here, caller, facts));
    const existing = await find(caller, id);
    if (existing) return answered(await repeat(existing, facts), 'schedule');
    try {
      return answered(await scheduleNew(caller, id, location, facts), 'schedule');
    } catch (error) {
      // The rollback of this refused schedule will name no id either, and must not undo the move
      // before it.
      if (request.id === undefined && error instanceof Refusal) await bury(caller, id);
      throw error;
    }
  }

  /** `POST /start`: the site is offline. Fences the tenant and begins to copy. */
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
    // It stays scheduled, so that its rollback finds what it undoes; no tenant was fenced.
    const { id, facts } = current;
    if (facts && !isNoOp(current)) {
      const obstacle = await keys.obstacle(await valuesNow(current), [here, current.target]);
      if (obstacle) throw conflict(`migration ${id} cannot be done: ${obstacle}`);
      const found = current.ledger === here && (await knownObstacle(context, current.tenant));
      if (found) throw conflict(`migration ${id} cannot be done: ${found}`);
      const reason = await misfitNow(context, valuesOf(current), facts, current.ahead);
      if (reason) throw conflict(`migration ${id} cannot be done in its window: ${reason}`);
    }
    const startedAt = new Date(clock.now()).toISOString();
    return steps.take(current, 'start', 'start', { startedAt, startedIat: iat });
  }

  /** With what was learned of the tenant since it was scheduled. */
  async function valuesNow(migration: Migration): Promise<KeyValues> {
    const record = await tenants.read(here, migration.tenant);
    const known = valuesOf(migration);
    if (record === undefined) return known;
    return extended(known, namedValues(settings.parts, keyValuesOf(record)));
  }

  /** A start that loses a race undoes nothing: it answers by what the ledger now says. */
  async function lostFence(migration: Migration): Promise<Migration> {
    const current = (await migrations.read(migration)) ?? migration;
    if (current.status !== 'copying') return current;
    const record = await tenants.read(current.source, current.tenant);
    const owner = record?.migration;
    const reason =
      owner === undefined || owner === current.id
        ? `the tenant cannot be fenced: it is ${record?.state ?? 'not installed'}`
        : `the tenant is fenced by migration ${owner}`;
    return steps.fail(current, 'E0004', reason, 'start');
  }

  /** `GET /status`: tells the migration's status. Reads only. */
  async function status(caller: Caller, request: ActionRequest): Promise<HookAnswer> {
    const migration = await find(caller, request.id);
    if (!migration) throw notScheduled(request.id ?? 'without an id');
    if (migration.status !== 'failed') return { status: migration.status };
    return { status: 'failed', errorResponseCode: migration.error?.code ?? 'E9999' };
  }

  /**
   * `POST /commit`: the site comes back in the target. It comes after the window's end, so no time
   * is checked.
   */
  async function commit(caller: Caller, request: ActionRequest): Promise<HookAnswer> {
    const migration = await find(caller, request.id);
    if (!migration && request.id === undefined)
      throw conflict('no migration of this tenant can be committed');
    if (!migration) throw notScheduled(request.id ?? '');
    refuseOtherFacts(migration, request.facts, 'E9999');
    refuseUnlessAllowed(migration, 'commit');
    return answered(await continueCommit(migration), 'commit');
  }

  /**
   * Always in this order: close the source, bring the target's record up to date, open the target,
   * purge.
   */
  async function continueCommit(migration: Migration): Promise<Migration> {
    if (migration.status === 'ready-to-commit')
      return continueCommit(await steps.take(migration, 'commit', 'commit'));
    if (migration.status !== 'committing') return migration;
    if (isNoOp(migration)) return finishNoOp(migration);
    const { tenant, id, source, target } = migration;

    const closed = await tenants.change(source, tenant, (current) => close(current, id, target));
    if (!isOwnedBy(closed.record, id, 'moved')) return lostCommit(migration);
    const from = closed.record;
    const standby = await tenants.change(target, tenant, (current) =>
      isOwnedBy(current, id, 'standby') ? withFactsOf(current, from) : undefined,
    );
    // A target that is open already takes it as an ordinary installation.
    const isComplete =
      strayRanges(settings.parts, valuesOf(migration), keyValuesOf(from)).length === 0;
    if (!isComplete && isOwnedBy(standby.record, id, 'standby')) throw incomplete(migration);
    const opened = await tenants.change(target, tenant, (current) =>
      open(current, id, clock.now()),
    );
    if (!arrivedBy(opened.record, id)) return lostCommit(migration);
    return steps.drive(migration, 'commit');
  }

  /**
   * The refusal of a commit. A rollback, by the hook or the janitor, then gives the source back as
   * it is, and the next migration copies everything.
   */
  function incomplete(migration: Migration): Refusal {
    const reason =
      'the tenant has come to be known by another installation since its data was copied';
    log.error(
      `alarm: migration ${migration.id} cannot be committed: ${reason}`,
      fieldsOf(migration),
    );
    return conflict(`cannot commit migration ${migration.id}: ${reason}`);
  }

  async function finishNoOp(migration: Migration): Promise<Migration> {
    const committed = await steps.take(migration, 'purged', 'commit', {
      committedAt: new Date(clock.now()).toISOString(),
    });
    await slots.free(committed);
    return committed;
  }

  /**
   * A failed condition ends the sequence: another hook or task has changed the migration, or the
   * outcome is unknown.
   */
  async function lostCommit(migration: Migration): Promise<Migration> {
    const current = (await migrations.read(migration)) ?? migration;
    if (current.status !== 'committing') return current;
    throw new Fault(
      `migration ${current.id} cannot close its source or open its target at this moment`,
    );
  }

  /** `POST /rollback`: undoes the migration, in any status. An unknown id leaves a tombstone. */
  async function rollback(caller: Caller, request: ActionRequest): Promise<HookAnswer> {
    const migration = await locate(context, caller, request.id, 'rollback');
    if (migration) return answered(await undoMigration(migration, 'rollback'), 'rollback');
    if (request.id === undefined) return { status: 'rolled-back' };
    // In this realm and where the tenant lives: a delayed schedule may arrive in either, and the
    // tenant may come back here first.
    const home = await homeOf(context, caller.tenant);
    if (home !== here) await bury(caller, request.id);
    const buried = await bury(caller, request.id, home);
    return answered(await undoMigration(buried, 'rollback'), 'rollback');
  }

  return { schedule, start, status, commit, rollback };
}

function refuseUnlessAllowed(migration: Migration, hook: ActingHook): void {
  const outcome = advance(migration, hook);
  if (outcome.kind === 'refused') throw outcome.refusal;
}

/**
 * The answer by what the ledger now says: a hook that lost a race is answered like one that came
 * later.
 */
function answered(migration: Migration, hook: ActingHook): HookAnswer {
  refuseUnlessAllowed(migration, hook);
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
