/**
 * Handles an execution that failed, timed out or was aborted: starts the next attempt, or writes
 * `failed`. EventBridge calls it; the janitor finds what it misses.
 */
import { attemptOfPhase, isTooLate, PHASES_OF } from '../../domain/moving/migration.ts';
import type { AppContext } from '../app-context.ts';
import { runKey } from '../phases/task-input.ts';
import { fieldsOf } from '../steps.ts';

/**
 * Executions in a row that are started at once. After these, the janitor starts them, every half an
 * hour.
 */
const ATTEMPTS_IN_A_ROW = 3;

export function settle({ ports, steps }: AppContext) {
  const { migrations, clock, log, metrics } = ports;

  /**
   * Safe twice: an attempt that is no longer the present one changes nothing. `input` is the
   * execution's; `why` is its error.
   */
  async function settled(input: unknown, ending: string, why?: string): Promise<void> {
    const run = runKey(input);
    const migration = await migrations.read(run);
    if (
      migration === undefined ||
      migration.phase !== run.phase ||
      migration.attempt !== run.attempt
    )
      return;
    if (!PHASES_OF[migration.status]?.includes(run.phase) || migration.halted) return;
    const said = why === undefined ? ending : `${ending}: ${why}`;
    const failedExecutions = (migration.failedExecutions ?? 0) + 1;
    // The first failed execution of a phase that may be left out altogether is nothing to wake an
    // operator for.
    const isGrave = run.phase !== 'ahead' || failedExecutions > 1;
    log[isGrave ? 'error' : 'warn'](
      `${isGrave ? 'alarm: ' : ''}phase ${run.phase}, attempt ${attemptOfPhase(migration)} of migration ${run.id} has ended as ${said}`,
      fieldsOf(migration),
    );
    if (run.phase === 'ahead' && isGrave) metrics.record('AheadFailures', 1);
    const mayGoOn = failedExecutions % ATTEMPTS_IN_A_ROW !== 0;
    if (run.phase === 'copy' && (!mayGoOn || isTooLate(migration, clock.now()))) {
      await steps.fail(migration, 'E9999', `the copy ended as ${said}`, 'settle');
    } else if (run.phase === 'ahead' && !mayGoOn) {
      await steps.endAhead(migration, 'settle', { stopped: `the phase ended as ${said}` });
    } else if (mayGoOn) {
      await steps.restart(migration, 'settle', { failedExecutions, lastFailure: said });
    } else {
      await migrations.change(migration, 'settle', (current) =>
        current?.attempt === migration.attempt
          ? { ...current, failedExecutions, lastFailure: said }
          : undefined,
      );
    }
  }

  return settled;
}
