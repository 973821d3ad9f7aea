/**
 * What EventBridge does for the realms: it tells `settle` of executions that end badly, and runs
 * the scheduled tasks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Log } from '../../../lambdas/ports.ts';
import { SCHEDULES } from '../../routes.ts';

export interface EventBridgeOptions {
  readonly realms: readonly Realm[];
  /** Runs a function of a realm, by its file below `lambdas/`. */
  readonly run: (realm: Realm, entry: string, event: unknown) => Promise<unknown>;
  readonly log: Log | undefined;
}

export function eventBridge({ realms, run, log }: EventBridgeOptions) {
  /** Calls `settle` up to three times, as EventBridge does. */
  async function settle(realm: Realm, event: unknown, tries = 3): Promise<void> {
    try {
      await run(realm, 'tasks/settle', event);
    } catch (error) {
      log?.error(`settle of ${realm} failed: ${String(error)}`);
      if (tries === 1) return;
      await sleep(1_000, undefined, { ref: false });
      await settle(realm, event, tries - 1);
    }
  }

  /**
   * Runs the scheduled tasks of every realm once, and then every `seconds`; 0 means only once.
   * `close` waits for those that are under way.
   */
  async function startSchedules(seconds: number): Promise<{ close(): Promise<void> }> {
    let sweep = sweepAll();
    await sweep;
    const sweepAgain = () => {
      sweep = sweep.then(sweepAll);
    };
    const timer = seconds > 0 ? setInterval(sweepAgain, seconds * 1000) : undefined;
    return {
      close() {
        clearInterval(timer);
        return sweep;
      },
    };
  }

  async function sweepAll(): Promise<void> {
    const swept = await Promise.allSettled(
      realms.map(async (realm) => {
        for (const { task } of SCHEDULES) await run(realm, `tasks/${task}`, {});
      }),
    );
    for (const one of swept) {
      if (one.status === 'rejected') log?.error(`a scheduled task failed: ${String(one.reason)}`);
    }
  }

  return { settle, startSchedules };
}
