/** Steps that hooks, tasks and the janitor share: how a status changes, and what must follow. */

import { defined } from '../domain/defined.ts';
import {
  type Ahead,
  attemptOfPhase,
  isNoOp,
  type Migration,
  PHASES_OF,
  type Phase,
  realmOfPhase,
  type Status,
  type Step,
  statusAfter,
} from '../domain/moving/migration.ts';
import type { RefusalCode } from '../domain/refusal.ts';
import { freeze, release as released } from '../domain/tenants/fence.ts';
import { isOwnedBy } from '../domain/tenants/tenant.ts';
import type { Ports } from '../ports.ts';

export type Steps = ReturnType<typeof steps>;

export function steps({ tenants, migrations, slots, workflows, clock, log }: Ports) {
  /**
   * Moves the status by one step of the transition table, if the record still has it. Returns the
   * record after that. The next phase begins with a new attempt, so that its execution has a new
   * name.
   */
  async function take(
    migration: Migration,
    step: Step,
    actor: string,
    facts: Partial<Migration> = {},
    mayStill: (current: Migration) => boolean = () => true,
  ): Promise<Migration> {
    if (statusAfter(migration, step) === undefined) return migration;
    const { changed, record } = await migrations.change(migration, actor, (current) => {
      if (current?.status !== migration.status || !mayStill(current)) return undefined;
      // By the record that is replaced: it may have been marked since `migration` was read.
      const to = statusAfter(current, step);
      if (to === undefined) return undefined;
      return {
        ...withoutDriver(current),
        status: to,
        ...nextPhase(current, to, facts.phase),
        ...facts,
      };
    });
    if (record === undefined) throw new Error(`the ledger has lost migration ${migration.id}`);
    if (changed)
      log.info(`migration ${record.id} is ${record.status}`, { ...fieldsOf(record), actor });
    return record;
  }

  /**
   * Makes sure that the present phase has a running execution; a closed one is followed by the next
   * attempt. Returns what the ledger says after that, by which a hook is answered.
   */
  async function drive(migration: Migration, actor: string): Promise<Migration> {
    const { phase, status } = migration;
    if (phase === undefined || migration.halted || isNoOp(migration)) return migration;
    if (!PHASES_OF[status]?.includes(phase)) return migration;
    if ((await workflows.start(runOf(migration, phase))) === 'running')
      return markDriven(migration, actor);
    const { failedExecutions, lastFailure } = migration;
    await restart(migration, actor, {
      ...defined({ failedExecutions, lastFailure }),
    });
    return (await migrations.read(migration)) ?? migration;
  }

  /**
   * Starts the phase again, from its checkpoints, under the next attempt. Of two callers at once,
   * one wins.
   */
  async function restart(
    migration: Migration,
    actor: string,
    facts: Partial<Migration> = {},
  ): Promise<void> {
    const phase = facts.phase ?? migration.phase;
    if (phase === undefined) return;
    const { changed, record } = await migrations.change(migration, actor, (current) =>
      current?.status === migration.status &&
      current.attempt === migration.attempt &&
      !current.halted
        ? { ...goingOn(current), ...facts, ...nextAttempt(current, phase) }
        : undefined,
    );
    if (!changed || record === undefined) return;
    log.info(`migration ${record.id}: attempt ${attemptOfPhase(record)} of phase ${phase}`, {
      ...fieldsOf(record),
      actor,
    });
    await workflows.start(runOf(record, phase));
    await markDriven(record, actor);
  }

  /**
   * Rule 16: marks the schedule, and only then starts phase `ahead`, which claims the target.
   * Nothing happens where the record has changed since `migration` was read, or everything was
   * copied already.
   */
  async function beginAhead(migration: Migration, actor: string): Promise<Migration> {
    const { changed, record } = await migrations.change(migration, actor, (current) =>
      current?.status === 'scheduled' &&
      current.attempt === migration.attempt &&
      current.phase !== 'ahead' &&
      current.ahead?.finishedAt === undefined
        ? {
            ...withoutDriver(current),
            ahead: { begunAt: current.ahead?.begunAt ?? new Date(clock.now()).toISOString() },
            ...nextAttempt(current, 'ahead'),
          }
        : undefined,
    );
    if (record === undefined) throw new Error(`the ledger has lost migration ${migration.id}`);
    if (changed) log.info(`migration ${record.id} is copied ahead`, { ...fieldsOf(record), actor });
    return changed ? drive(record, actor) : record;
  }

  /** Ends phase `ahead` of a schedule, well or not. The mark stays: the target may hold items. */
  async function endAhead(
    migration: Migration,
    actor: string,
    how: Omit<Ahead, 'begunAt'>,
  ): Promise<Migration> {
    const { record } = await migrations.change(migration, actor, (current) => {
      if (current?.status !== 'scheduled' || current.phase !== 'ahead') return undefined;
      if (current.attempt !== migration.attempt || current.ahead === undefined) return undefined;
      const { phase: _p, phaseBegan: _b, ...rest } = withoutDriver(current);
      return { ...rest, ahead: { ...current.ahead, ...how } };
    });
    return record ?? migration;
  }

  /** Says that a hook or task has started this attempt: a commit without it was never answered. */
  async function markDriven(migration: Migration, actor: string): Promise<Migration> {
    const { record } = await migrations.change(migration, actor, (current) =>
      current?.attempt === migration.attempt && current.driven !== current.attempt
        ? { ...current, driven: current.attempt }
        : undefined,
    );
    return record ?? migration;
  }

  /**
   * Fences the tenant in the source, unless it is fenced already. Returns whether it now is, by
   * this migration.
   */
  async function fence(migration: Migration): Promise<boolean> {
    const { tenant, id, source } = migration;
    const { record } = await tenants.change(source, tenant, (current) =>
      freeze(current, id, source, clock.now()),
    );
    return isOwnedBy(record, id, 'frozen');
  }

  /**
   * The source serves again (or is retired, if the tenant was uninstalled), and this migration can
   * no longer fence it.
   */
  async function release({ tenant, id, source }: Migration): Promise<void> {
    await tenants.change(source, tenant, (current) => released(current, id, clock.now()));
  }

  /**
   * Writes `failed` first, then lifts the fence: after a crash in between the tenant is still
   * fenced, and the next hook or the janitor goes on.
   */
  async function fail(
    migration: Migration,
    code: RefusalCode,
    reason: string,
    actor: string,
  ): Promise<Migration> {
    const failed = await take(migration, 'fail', actor, { error: { code, reason } });
    if (failed.status === 'failed') await release(failed);
    return failed;
  }

  /**
   * What follows when a schedule has ended that never started: its rollback, if something was
   * copied ahead.
   */
  async function afterExpiry(migration: Migration, actor: string): Promise<Migration> {
    if (migration.status === 'rolling-back') return drive(migration, actor);
    if (migration.status === 'rolled-back') await afterRollback(migration);
    return migration;
  }

  /**
   * What follows from `rolled-back` without a workflow: the source remembers, and the window is
   * free again.
   */
  async function afterRollback(migration: Migration): Promise<void> {
    if (!isNoOp(migration)) await release(migration);
    await slots.free(migration);
  }

  return {
    take,
    drive,
    restart,
    beginAhead,
    endAhead,
    fence,
    release,
    fail,
    afterExpiry,
    afterRollback,
  };
}

/** The fields of a migration in a log line. */
export const fieldsOf = ({
  id,
  tenant,
  source,
  target,
}: Pick<Migration, 'id' | 'tenant' | 'source' | 'target'>) => ({
  migrationId: id,
  clientKey: tenant,
  source,
  target,
});

const runOf = (migration: Migration, phase: Phase) => ({
  realm: realmOfPhase(migration, phase),
  ledger: migration.ledger,
  tenant: migration.tenant,
  id: migration.id,
  phase,
  attempt: migration.attempt,
});

/**
 * The phase with which a status begins. A rollback after a commit has begun must first look whether
 * to copy back.
 */
function nextPhase(current: Migration, to: Status, wanted?: Phase): Partial<Migration> {
  const phases: Partial<Record<Status, Phase>> = {
    copying: 'copy',
    committing: 'commit',
    'rolling-back':
      current.status === 'committing' || current.status === 'committed' ? 'restore' : 'rollback',
  };
  const phase = wanted ?? phases[to];
  return phase === undefined ? {} : nextAttempt(current, phase);
}

/** The first attempt of another phase, or the next one of the present phase. */
function nextAttempt(current: Migration, phase: Phase) {
  const attempt = current.attempt + 1;
  return current.phase === phase ? { phase, attempt } : { phase, attempt, phaseBegan: attempt };
}

function withoutDriver({
  driven: _d,
  halted: _h,
  failedExecutions: _b,
  lastFailure: _l,
  ...migration
}: Migration): Migration {
  return migration;
}

/** A restart after good progress resets the count of failed executions. */
function goingOn({ failedExecutions: _b, lastFailure: _l, ...migration }: Migration): Migration {
  return migration;
}
