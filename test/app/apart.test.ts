/** Where two tables are one, nothing is claimed and nothing deleted, in any state of a move. */
import { describe, expect, test } from 'vitest';
import type { Invocation } from '../../lambdas/app/phases/range-turn.ts';
import { rangesOf } from '../../lambdas/domain/datasets/dataset.ts';
import { HOUR } from '../support/clock.ts';
import { PARTS, type RealmApp, ROWS, realmApp } from '../support/memory-app.ts';
import { type Move, move, type Row, situation, tenantInUs } from '../support/moves.ts';

type Task = (input: unknown, invocation: Invocation) => Promise<unknown>;

const CLASH = 'stage prod: part "a" in realm us and part "a" in realm de are one table';

/** A move in this state, and the apps of a later deployment, in which two tables are one. */
async function redeployed(row: Row) {
  const migration = move(tenantInUs());
  await migration.driveTo(row);
  const options = { rows: ROWS, parts: PARTS, clash: CLASH };
  const at = (realm: string) => realmApp(migration.app.ports, realm, options);
  return { ...migration, at };
}

/** What the workflow would give a task. */
function inputOf({ record, key }: Pick<Move, 'record' | 'key'>) {
  const { phase, attempt } = record();
  const { ledger, tenant, id: migration } = key;
  const worker = { number: 0, of: rangesOf(PARTS, { tenant }).length };
  const turn = { number: 0 };
  return { ledger, tenant, migration, phase, attempt, worker, turns: 5, turn };
}

describe('after a deployment in which two tables are one', () => {
  test.each<[string, Row, string, (tasks: RealmApp['tasks']) => Task]>([
    ['a target is not claimed', 'copying', 'de', (tasks) => tasks.prepareCopy],
    ['an unclean target is not cleared', 'copying', 'de', (tasks) => tasks.clearTargetRange],
    ['no source is purged', 'committing', 'us', (tasks) => tasks.purgeSourceRange],
    [
      'the point of no return is not passed',
      'committing',
      'us',
      (tasks) => tasks.passPointOfNoReturn,
    ],
    ['no target is discarded', 'rolling-back', 'de', (tasks) => tasks.discardTargetRange],
  ])('%s', async (_, row, realm, taskOf) => {
    const found = await redeployed(row);
    const { app } = found;
    const before = situation(app);
    const task = taskOf(found.at(realm).tasks);
    const invocation = { id: 'invocation', deadline: app.clock.now() + HOUR };
    await expect(task(inputOf(found), invocation)).rejects.toThrow(CLASH);
    expect(situation(app)).toEqual(before);
    expect(app.log.lines.map(({ message }) => message)).toContain(
      `alarm: nothing is claimed nor deleted: ${CLASH}`,
    );
  });

  test('a retired tenant is not purged, and an alarm is raised', async () => {
    const found = await redeployed('no record');
    const { app } = found;
    const record = app.tenants.peek('us', 'tenant-1');
    expect(record?.state).toBe('active');
    if (record === undefined) throw new Error('there is no record');
    app.tenants.set('us', { ...record, state: 'retired', purgeDueAt: 1, uninstalledIat: 1 });
    const before = situation(app);
    await found.at('us').purgeRetired({ id: 'invocation', deadline: app.clock.now() + HOUR });
    expect(situation(app)).toEqual(before);
    expect(app.log.lines.map(({ message }) => message)).toContain(
      `alarm: a retired tenant cannot be purged: ${CLASH}`,
    );
  });
});
