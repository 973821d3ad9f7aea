/**
 * The table of answers: every hook in every state of a migration, sent once, again, twice at once,
 * and after a crash anywhere.
 */
import { describe, expect, test } from 'vitest';
import { STATUSES } from '../../lambdas/domain/moving/migration.ts';
import type { Hooks } from '../support/in-memory-cells.ts';
import type { MemoryApp } from '../support/memory-app.ts';
import {
  HOOKS,
  type Hook,
  interruptedAt,
  type Move,
  move,
  type Row,
  situation,
  tenantInUs,
} from '../support/moves.ts';

/** `copied ahead`: scheduled, and marked, because its phase ahead has run. */
type State = Row | 'copied ahead';

/** The hook's answer, and the next state where it is another one. */
type Cell = readonly [answer: string, after?: Row];

const TABLE: Readonly<Record<State, Readonly<Record<Hook, Cell>>>> = {
  'no record': {
    schedule: ['200 scheduled', 'scheduled'],
    start: ['404 E0001'],
    commit: ['404 E0001'],
    rollback: ['200 rolled-back', 'rolled-back'],
    status: ['404 E0001'],
  },
  scheduled: {
    schedule: ['200 scheduled'],
    start: ['200 copying', 'copying'],
    commit: ['409 E9999'],
    rollback: ['200 rolled-back', 'rolled-back'],
    status: ['200 scheduled'],
  },
  'copied ahead': {
    schedule: ['200 scheduled'],
    start: ['200 copying', 'copying'],
    commit: ['409 E9999'],
    rollback: ['200 rolling-back', 'rolling-back'],
    status: ['200 scheduled'],
  },
  copying: {
    schedule: ['200 copying'],
    start: ['200 copying'],
    commit: ['409 E9999'],
    rollback: ['200 rolling-back', 'rolling-back'],
    status: ['200 copying'],
  },
  'ready-to-commit': {
    schedule: ['200 ready-to-commit'],
    start: ['200 ready-to-commit'],
    commit: ['200 committing', 'committing'],
    rollback: ['200 rolling-back', 'rolling-back'],
    status: ['200 ready-to-commit'],
  },
  committing: {
    schedule: ['200 committing'],
    start: ['200 committing'],
    commit: ['200 committing'],
    rollback: ['200 rolling-back', 'rolling-back'],
    status: ['200 committing'],
  },
  committed: {
    schedule: ['200 committed'],
    start: ['200 committed'],
    commit: ['200 committed'],
    rollback: ['200 rolling-back', 'rolling-back'],
    status: ['200 committed'],
  },
  failed: {
    schedule: ['409 E9999'],
    start: ['409 E9999'],
    commit: ['409 E9999'],
    rollback: ['200 rolling-back', 'rolling-back'],
    status: ['200 failed E9999'],
  },
  'rolling-back': {
    schedule: ['409 E9999'],
    start: ['409 E9999'],
    commit: ['409 E9999'],
    rollback: ['200 rolling-back'],
    status: ['200 rolling-back'],
  },
  'rolled-back': {
    schedule: ['409 E9999'],
    start: ['409 E0001'],
    commit: ['409 E9999'],
    rollback: ['200 rolled-back'],
    status: ['200 rolled-back'],
  },
};

const ROWS: readonly State[] = ['no record', 'copied ahead', ...STATUSES];
const CELLS = ROWS.flatMap((row) => HOOKS.map((hook) => ({ row, hook, cell: TABLE[row][hook] })));

/**
 * The state in which a migration ends without further hooks, when everything that was started has
 * run.
 */
async function endOf(migration: Move) {
  await migration.app.runAll();
  const { status } = migration.app.migrations.peek(migration.key) ?? { status: 'no record' };
  return { status, situation: situation(migration.app), slots: await slotsOf(migration.app) };
}

const slotsOf = async ({ slots }: MemoryApp) => (await slots.list('us')).map(({ id }) => id);

async function inState(state: State, hooks: Hooks = {}): Promise<Move> {
  const migration = move(tenantInUs({ hooks }));
  const { app, key } = migration;
  await migration.driveTo(rowOf(state));
  if (state === 'copied ahead') {
    await app.realm('us').operate({ verb: 'ahead', ...key, actor: 'ada' });
    await app.runAll();
    expect(migration.record().ahead?.finishedAt).toBeDefined();
    expect(app.holdings('de')).not.toEqual({});
  }
  return migration;
}

const rowOf = (state: State): Row => (state === 'copied ahead' ? 'scheduled' : state);

describe.each(ROWS)('a migration that is on the ledger as: %s', (row) => {
  describe.each(HOOKS)('%s', (hook) => {
    const [answer, after = rowOf(row)] = TABLE[row][hook];
    const statusOf = ({ app, key }: Move) => app.migrations.peek(key)?.status ?? 'no record';

    test(`is answered ${answer}, and leaves it as: ${after}`, async () => {
      const migration = await inState(row);
      expect(await migration.said[hook]()).toBe(answer);
      expect(statusOf(migration)).toBe(after);
    });

    test('is answered the same again', async () => {
      const migration = await inState(row);
      await migration.said[hook]();
      expect(await migration.said[hook]()).toBe(answer);
      expect(statusOf(migration)).toBe(after);
    });

    test('ends like once, when it comes twice at the same instant', async () => {
      const [once, twice] = [await inState(row), await inState(row)];
      await once.said[hook]();
      const answers = await Promise.all([twice.said[hook](), twice.said[hook]()]);
      expect(answers).toEqual([answer, answer]);
      expect(statusOf(twice)).toBe(after);
      expect(await endOf(twice)).toEqual(await endOf(once));
    });
  });
});

describe('a hook that changes something', () => {
  const changing = CELLS.filter(({ cell: [, after] }) => after !== undefined);

  describe.each(changing)(
    '$hook, when it is on the ledger as: $row',
    ({ row, hook, cell: [answer] }) => {
      test.each(['before', 'after'] as const)(
        'ends like one that was not interrupted, when it dies %s any of its operations and is sent again',
        async (when) => {
          const whole = await inState(row);
          await whole.said[hook]();
          const wanted = await endOf(whole);
          for (let stop = 1; ; stop += 1) {
            const interruption = interruptedAt(stop, when);
            const migration = await inState(row, interruption.hooks);
            interruption.arm();
            const first = await migration.said[hook]().catch(() => 'died');
            interruption.disarm();
            if (first !== 'died') return expect(stop).toBeGreaterThan(1);
            expect(await migration.said[hook](), `after operation ${stop}`).toBe(answer);
            expect(await endOf(migration), `after operation ${stop}`).toEqual(wanted);
          }
        },
      );
    },
  );
});
