/**
 * The verbs of an operator. Each takes a step that a hook, the janitor or a task could have taken,
 * and records the operator.
 */
import { defined } from '../../domain/defined.ts';
import { operatorActor } from '../../domain/moving/history.ts';
import { attemptOfPhase, type Migration } from '../../domain/moving/migration.ts';
import {
  aheadObstacle,
  CANCELLED,
  cancelObstacle,
  type Operation,
  type OperationAnswer,
  operation,
  retryObstacle,
} from '../../domain/operating/operations.ts';
import { settingsWords } from '../../domain/operating/setting-words.ts';
import { Fault, Refusal } from '../../domain/refusal.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';
import { adoptions } from './adoptions.ts';

export function operate(context: AppContext) {
  const { ports, steps, settings } = context;
  const { migrations, clock, log } = ports;
  const { realm: here } = settings;
  const { adopt, disown } = adoptions(context);

  /**
   * Safe twice: the second call finds what the first has done, and answers the same. Faults are
   * thrown.
   */
  async function operated(input: unknown): Promise<OperationAnswer> {
    try {
      const asked = operation(input);
      if (asked.ledger !== here)
        return refused(`realm ${here} keeps another ledger: ask the one of ${realmName(asked)}`);
      switch (asked.verb) {
        case 'set':
          return await set(asked);
        case 'adopt':
          return await adopt(asked);
        case 'disown':
          return await disown(asked);
        default:
          return await onMigration(asked);
      }
    } catch (error) {
      if (error instanceof Refusal) return refused(error.message);
      throw error;
    }
  }

  async function onMigration(
    asked: Extract<Operation, { verb: 'cancel' | 'retry' | 'ahead' | 'stop-ahead' }>,
  ): Promise<OperationAnswer> {
    const migration = await migrations.read(asked);
    if (migration === undefined)
      return refused(`migration ${asked.id} of this tenant is not in the ledger of realm ${here}`);
    const actor = operatorActor(asked.actor);
    const verbs = { cancel, retry, ahead, 'stop-ahead': stopAhead };
    const answer = await verbs[asked.verb](migration, actor);
    log.info(`${actor}: ${asked.verb}: ${answer.message}`, fieldsOf(migration));
    return answer;
  }

  /**
   * A `scheduled` migration ends before it begins. A `copying` one fails, so that the site comes
   * back now and Atlassian rolls it back.
   */
  async function cancel(migration: Migration, actor: string, tries = 3): Promise<OperationAnswer> {
    const { id, status, error } = migration;
    const wasCancelled = error?.reason.startsWith(CANCELLED) ?? false;
    const why = { code: 'E9999', reason: `${CANCELLED} ${actor}` } as const;
    switch (status) {
      case 'scheduled':
        return again(await steps.take(migration, 'expire', actor, { error: why }));
      case 'copying':
        return again(await steps.fail(migration, why.code, why.reason, actor));
      case 'rolling-back':
        if (!wasCancelled) break;
        await steps.drive(migration, actor);
        return cancelled(
          status,
          `migration ${id} is cancelled: what was copied ahead is being discarded in ${migration.target}`,
        );
      case 'rolled-back':
        if (!wasCancelled) break;
        await steps.afterRollback(migration); // finishes what a crash left of an earlier call
        return cancelled(status, `migration ${id} is cancelled, and nothing has moved`);
      case 'failed':
        if (!wasCancelled) break;
        await steps.release(migration);
        return cancelled(
          status,
          `migration ${id} has failed, as was asked: the source serves again, and Atlassian rolls it back`,
        );
      default:
    }
    return refused(cancelObstacle(migration) ?? `migration ${id} is ${status}`, status);

    async function again(next: Migration): Promise<OperationAnswer> {
      if (tries === 0) throw new Fault(`migration ${id} changes while it is being cancelled`);
      return cancel(next, actor, tries - 1);
    }
  }

  /** Copies ahead now, whether or not the configuration would, and again where that was stopped. */
  async function ahead(migration: Migration, actor: string): Promise<OperationAnswer> {
    const { id, status, target } = migration;
    const obstacle = aheadObstacle(migration, clock.now());
    if (obstacle !== undefined) return refused(obstacle, status);
    const isBegun = migration.phase === 'ahead';
    const next = isBegun
      ? await steps.drive(migration, actor)
      : await steps.beginAhead(migration, actor);
    if (next.phase !== 'ahead' && next.ahead?.finishedAt === undefined)
      throw new Fault(`migration ${id} changes while it is to be copied ahead`);
    const message = `migration ${id} is copied ahead to ${target}, while its source serves`;
    return { outcome: isBegun ? 'left-alone' : 'begun', status: next.status, message };
  }

  /** What is copied stays for the move, and goes with the schedule if that is cancelled. */
  async function stopAhead(migration: Migration, actor: string): Promise<OperationAnswer> {
    const { id, status } = migration;
    if (status !== 'scheduled' || migration.phase !== 'ahead')
      return {
        outcome: 'left-alone',
        status,
        message: `nothing is copied ahead for migration ${id}`,
      };
    const next = await steps.endAhead(migration, actor, { stopped: `stopped by ${actor}` });
    if (next.phase === 'ahead')
      throw new Fault(`migration ${id} changes while its copying ahead is stopped`);
    return {
      outcome: 'stopped',
      status: next.status,
      message: `migration ${id} is no longer copied ahead: the move copies what is missing`,
    };
  }

  /** The next attempt of the phase at hand, unless its execution runs. */
  async function retry(migration: Migration, actor: string): Promise<OperationAnswer> {
    const { id, status, attempt, halted, driven } = migration;
    const obstacle = retryObstacle(migration);
    if (obstacle !== undefined) return refused(obstacle, status);
    const next = halted ? await resume(migration, actor) : await steps.drive(migration, actor);
    const where = `phase ${next.phase}, attempt ${attemptOfPhase(next)} of migration ${id}`;
    if (next.status !== status)
      return {
        outcome: 'left-alone',
        status: next.status,
        message: `migration ${id} is now ${next.status}`,
      };
    if (next.attempt === attempt && driven === attempt)
      return { outcome: 'left-alone', status, message: `${where} is running` };
    return { outcome: 'retried', status, message: `${where} has been started` };
  }

  /**
   * The operator has mended what halted the commit: it reads the source again. Of two operators who
   * retry, one starts it.
   */
  async function resume(migration: Migration, actor: string): Promise<Migration> {
    const { changed, record } = await migrations.change(migration, actor, (current) => {
      if (current?.status !== migration.status || current.attempt !== migration.attempt) return;
      const { halted: _, ...rest } = current;
      return current.halted ? { ...rest, attempt: current.attempt + 1 } : undefined;
    });
    if (record === undefined) throw new Error(`the ledger has lost migration ${migration.id}`);
    return changed ? steps.drive(record, actor) : record;
  }

  async function set(asked: Extract<Operation, { verb: 'set' }>): Promise<OperationAnswer> {
    const actor = operatorActor(asked.actor);
    const { tenant, settings: change } = asked;
    const { changed, record } = await ports.settings.change(here, tenant, actor, change);
    const whose = tenant === undefined ? `realm ${here}` : `this tenant in realm ${here}`;
    const settings = record ?? {};
    const message = `set for ${whose}: ${settingsWords(settings).join('; ') || 'nothing; the default holds'}`;
    if (changed) log.info(`${actor}: set: ${message}`, tenant ? { clientKey: tenant } : {});
    return { outcome: 'set', message, settings };
  }

  return operated;
}

const refused = (message: string, status?: string): OperationAnswer => ({
  outcome: 'refused',
  message,
  ...defined({ status }),
});
const cancelled = (status: string, message: string): OperationAnswer => ({
  outcome: 'cancelled',
  status,
  message,
});
/** Cut, because it comes from the operator's input. */
const realmName = ({ ledger }: Operation) => JSON.stringify(ledger.slice(0, 16));
