/**
 * A turn of a worker that has several ranges: what it does with those that others hold, and when it
 * ends.
 */
import { describe, expect, test } from 'vitest';
import type { Work } from '../../../lambdas/domain/moving/range-record.ts';
import type { Operation } from '../../support/in-memory-cells.ts';
import { inputOf } from '../../support/memory-workflow.ts';
import { move, tenantInUs } from '../../support/moves.ts';

const PARTS = [
  {
    kind: 'dynamodb',
    name: 'exports',
    policy: 'move',
    partitionKey: 'tenant',
    sortKey: { name: 'id', type: 'S' },
    shards: 6,
  },
] as const;

/** A tenant with six ranges that is being copied by two workers, the target claimed. */
async function copying({ pageSeconds = 0 } = {}) {
  const asked: string[] = [];
  const step = async ({ port, name }: Operation) => {
    if (port === 'rangeRecords') asked.push(name);
    if (port === 'partKind' && name === 'copy') app.clock.advance(pageSeconds * 1000);
  };
  const app = tenantInUs({ parts: PARTS, concurrency: 2, pageItems: 1, hooks: { step } });
  const migration = move(app);
  const { key } = migration;
  await migration.driveTo('copying');
  const [run] = app.workflows.running();
  if (run === undefined) throw new Error('no copy runs');
  const { tasks } = app.realm('de');
  let invocations = 0;
  const invocation = () => {
    invocations += 1;
    return { id: `invocation-${invocations}`, deadline: app.clock.now() + 300_000 };
  };
  const plan = await tasks.prepareCopy(inputOf(run), invocation());
  const turn = (number: number, rest: object = {}) =>
    tasks.copyRange(
      {
        ...inputOf(run),
        worker: { number, of: 2 },
        turns: plan.turns,
        turn: { number: 0 },
        ...rest,
      },
      invocation(),
    );
  const done = () =>
    app.rangeRecords
      .peek('de', key)
      .flatMap(({ range, done }) => (done ? [range.replace('exports/', '')] : []));
  const lease = async (range: string, seconds: number, worker?: string, work: Work = 'copy') => {
    const stored = await app.rangeRecords.read('de', key, range);
    const until = app.clock.now() + seconds * 1000;
    const lease = { owner: 'somebody', until, ...(worker && { worker }) };
    const fresh = { range, revision: 0, work, asOf: 1, lastingUntil: 2, tries: 0 } as const;
    await app.rangeRecords.put('de', key, { done: false, ...fresh, ...stored, lease });
  };
  return { ...migration, plan, turn, done, lease, asked };
}

describe('a worker', () => {
  test('is one of as many as may work at once', async () => {
    const { plan } = await copying();
    expect(plan).toMatchObject({
      moving: [
        { number: 0, of: 2 },
        { number: 1, of: 2 },
      ],
      ranges: [
        { number: 0, of: 2 },
        { number: 1, of: 2 },
      ],
    });
  });

  test('finishes its own ranges and helps with those of others', async () => {
    const { turn, done } = await copying();
    expect(await turn(0)).toEqual({ number: 1, over: true, waitSeconds: 0 });
    expect(done()).toEqual(['00', '01', '02', '03', '04', '05']);
    expect(await turn(1)).toEqual({ number: 1, over: true, waitSeconds: 0 });
  });

  test('waits for a range of its own that somebody holds, and does the others meanwhile', async () => {
    const { app, turn, done, lease } = await copying();
    await lease('exports/02', 90);
    expect(await turn(0)).toEqual({ number: 1, over: false, waitSeconds: 2 });
    expect(done()).toEqual(['00', '01', '03', '04', '05']);
    const late = { turn: { number: 7 } };
    expect(await turn(0, late)).toEqual({ number: 8, over: false, waitSeconds: 91 });
    app.clock.advance(91_000);
    expect(await turn(0, late)).toEqual({ number: 8, over: true, waitSeconds: 0 });
    expect(done()).toEqual(['00', '01', '02', '03', '04', '05']);
  });

  test('reads the records anew instead of trying ranges that others have finished', async () => {
    const { turn, done, lease, asked } = await copying();
    await lease('exports/05', 90, 'copy 1, 1 of 2');
    await lease('exports/03', 90, 'copy 1, 1 of 2');
    await turn(0);
    expect(done()).toEqual(['00', '01', '02', '04']);
    expect(asked.filter((name) => name === 'list')).toHaveLength(3);
    asked.length = 0;
    expect(await turn(0)).toEqual({ number: 1, over: true, waitSeconds: 0 });
    expect(asked).toEqual(['list']);
  });

  test('does not wait for a range of another worker that somebody holds', async () => {
    const { turn, done, lease } = await copying();
    await lease('exports/03', 90);
    expect(await turn(0)).toEqual({ number: 1, over: true, waitSeconds: 0 });
    expect(done()).toEqual(['00', '01', '02', '04', '05']);
  });

  test('leaves a range of its own to another worker of its attempt that holds it', async () => {
    const { turn, done, lease } = await copying();
    await lease('exports/02', 90, 'copy 1, 1 of 2');
    expect(await turn(0)).toEqual({ number: 1, over: true, waitSeconds: 0 });
    expect(done()).toEqual(['00', '01', '03', '04', '05']);
  });

  test('waits for a range of its own that a worker of another state has left leased', async () => {
    const { turn, lease } = await copying();
    await lease('exports/02', 90, 'copy 1, 3 of 4', 'clear');
    expect(await turn(0)).toEqual({ number: 1, over: false, waitSeconds: 2 });
  });

  test('waits for what its own dead turn holds, and for what an earlier attempt holds of its own', async () => {
    const { app, turn, done, lease } = await copying();
    await lease('exports/01', 90, 'copy 1, 0 of 2');
    await lease('exports/02', 60, 'copy 0, 1 of 2');
    await lease('exports/03', 60, 'copy 0, 1 of 2');
    const late = { turn: { number: 7 } };
    expect(await turn(0, late)).toEqual({ number: 8, over: false, waitSeconds: 61 });
    app.clock.advance(61_000);
    expect(await turn(0, late)).toEqual({ number: 8, over: false, waitSeconds: 30 });
    expect(done()).toEqual(['00', '02', '03', '04', '05']);
    app.clock.advance(30_000);
    expect(await turn(0, late)).toEqual({ number: 8, over: true, waitSeconds: 0 });
    expect(done()).toEqual(['00', '01', '02', '03', '04', '05']);
  });

  test('begins no range when its time is over, and goes on in its next turn', async () => {
    const { turn, done } = await copying({ pageSeconds: 100 });
    expect(await turn(0)).toEqual({ number: 1, over: false, waitSeconds: 0 });
    expect(done()).toEqual([]);
    expect(await turn(0, { turn: { number: 1 } })).toMatchObject({ number: 2, over: false });
    expect(done()).toEqual(['00']);
  });

  test('ends when it has had its turns, or when another number of workers is allowed', async () => {
    const { app, turn, done, lease } = await copying();
    await lease('exports/00', 90);
    expect(await turn(0, { turns: 3, turn: { number: 2 } })).toMatchObject({ over: true });
    app.settings.set('de', { concurrency: 1 });
    const before = done();
    expect(await turn(1)).toEqual({ number: 1, over: true, waitSeconds: 0 });
    expect(done()).toEqual(before);
  });

  test('of an earlier version, which was given a range, ends, and the next attempt goes on', async () => {
    const { app, turn, done, said } = await copying();
    const given = { worker: undefined, range: 'exports/00' };
    expect(await turn(0, given)).toEqual({ number: 1, over: true, waitSeconds: 0 });
    expect(done()).toEqual([]);
    await app.runAll();
    expect(await said.status()).toBe('200 ready-to-commit');
  });

  test.each([
    { worker: undefined },
    { worker: { number: 2, of: 2 } },
    { worker: { number: -1, of: 2 } },
    { worker: { number: 0.5, of: 2 } },
    { worker: 3 },
    { turn: undefined },
    { turns: 'many' },
  ])('is refused with %j', async (rest) => {
    const { turn } = await copying();
    await expect(turn(0, rest)).rejects.toThrow('does not name a worker and a turn');
  });
});
