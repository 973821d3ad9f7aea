/** Operators' changes: cancel, retry and set, each any number of times. */
import { describe, expect, test } from 'vitest';
import type { Status } from '../../../lambdas/domain/moving/migration.ts';
import { Fault } from '../../../lambdas/domain/refusal.ts';
import { itemOf, TENANT } from '../../support/builders.ts';
import type { MemoryAppOptions } from '../../support/memory-app.ts';
import {
  interruptedAt,
  type Move,
  move,
  type Row,
  situation,
  tenantInUs,
} from '../../support/moves.ts';

async function moved(row: Row, options: MemoryAppOptions = {}): Promise<Move> {
  const migration = move(tenantInUs(options));
  await migration.driveTo(row);
  return migration;
}

/** The verbs, as the operator Ada calls them. */
function operator({ app, key }: Pick<Move, 'app' | 'key'>, who = 'ada') {
  const ask = (request: object) =>
    app.realm('us').operate({ actor: who, ledger: 'us', ...request });
  return {
    ask,
    cancel: () => ask({ verb: 'cancel', ...key }),
    retry: () => ask({ verb: 'retry', ...key }),
    set: (settings: object, tenant?: string) => ask({ verb: 'set', tenant, settings }),
  };
}

const runningRuns = ({ app }: Move) =>
  app.workflows.running().map(({ phase, attempt }) => `${phase} ${attempt}`);

describe('an operator who cancels', () => {
  test('ends what is scheduled, frees its window, and lets no late start begin it', async () => {
    const migration = await moved('scheduled');
    const { app, said, record, history } = migration;
    expect(await operator(migration).cancel()).toMatchObject({
      outcome: 'cancelled',
      status: 'rolled-back',
    });
    expect(record().error?.reason).toBe('cancelled by operator ada');
    expect(history().at(-1)).toMatchObject({ status: 'rolled-back', actor: 'operator ada' });
    expect(app.slots.peek('us')).toEqual([]);
    expect(await said.start()).toBe('409 E0001');
    expect(await said.rollback()).toBe('200 rolled-back');
    expect(app.tenants.peek('us', TENANT)?.state).toBe('active');
  });

  test('fails what is copying, so that the source serves again at once', async () => {
    const migration = await moved('copying');
    const { app, said, history } = migration;
    expect(await operator(migration).cancel()).toMatchObject({
      outcome: 'cancelled',
      status: 'failed',
    });
    expect(await said.status()).toBe('200 failed E9999');
    expect(history().at(-1)).toMatchObject({ status: 'failed', actor: 'operator ada' });
    expect(app.tenants.peek('us', TENANT)?.state).toBe('active');
    await app.runAll();
    expect(await said.rollback()).toBe('200 rolling-back');
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(situation(app)).toMatchObject({ us: { state: 'active' } });
    expect(Object.keys(situation(app))).toEqual(['us']);
  });

  test.each<[Row, number]>([
    ['scheduled', 12],
    ['copying', 12],
  ])(
    'what is %s gets the same answer again, wherever the first call was cut off',
    async (row, most) => {
      for (const when of ['before', 'after'] as const) {
        for (let stop = 1; stop <= most; stop += 1) {
          const death = interruptedAt(stop, when);
          const migration = await moved(row, { hooks: death.hooks });
          death.arm();
          await operator(migration)
            .cancel()
            .catch(() => undefined);
          death.disarm();
          const [again, oncemore] = [
            await operator(migration).cancel(),
            await operator(migration).cancel(),
          ];
          expect(again, `${when} ${stop}`).toMatchObject({ outcome: 'cancelled' });
          expect(oncemore).toEqual(again);
          expect(migration.app.tenants.peek('us', TENANT)).toMatchObject({
            state: 'active',
            released: ['57500'],
          });
          if (row === 'scheduled') expect(migration.app.slots.peek('us')).toEqual([]);
        }
      }
    },
  );

  test('at the instant at which it is started still ends it', async () => {
    const migration = await moved('scheduled');
    migration.app.clock.advanceTo(Date.parse(migration.facts.startTime));
    const [answer] = await Promise.all([operator(migration).cancel(), migration.said.start()]);
    expect(answer).toMatchObject({ outcome: 'cancelled' });
    expect(['failed', 'rolled-back']).toContain(migration.record().status);
    expect(migration.app.tenants.peek('us', TENANT)?.state).toBe('active');
  });

  test.each<Row>([
    'ready-to-commit',
    'committing',
    'committed',
    'failed',
    'rolling-back',
    'rolled-back',
  ])('is refused what is %s, with a sentence, and changes nothing', async (row) => {
    const migration = await moved(row);
    const before = migration.record();
    const answer = await operator(migration).cancel();
    expect(answer).toMatchObject({ outcome: 'refused', status: row });
    expect(answer.message).toMatch(new RegExp(`^migration 57500 is ${row}: \\w`));
    expect(migration.record()).toEqual(before);
  });
});

describe('an operator who retries', () => {
  test('leaves alone what is running, and says so', async () => {
    const migration = await moved('copying');
    expect(await operator(migration).retry()).toEqual({
      outcome: 'left-alone',
      status: 'copying',
      message: 'phase copy, attempt 1 of migration 57500 is running',
    });
    expect(runningRuns(migration)).toEqual(['copy 1']);
  });

  test.each<[Row, string]>([
    ['copying', 'copy'],
    ['committing', 'commit'],
    ['rolling-back', 'rollback'],
  ])('starts the next attempt of what is %s and whose execution has died', async (row, phase) => {
    const migration = await moved(row);
    const { app, record, history } = migration;
    const { attempt } = record();
    for (const run of app.workflows.running()) app.workflows.close(run, 'failed');
    expect(await operator(migration).retry()).toMatchObject({
      outcome: 'retried',
      message: `phase ${phase}, attempt 2 of migration 57500 has been started`,
    });
    // The attempt over all phases is only in the execution's name.
    expect(runningRuns(migration)).toEqual([`${phase} ${attempt + 1}`]);
    expect(history().at(-1)).toMatchObject({
      status: row,
      actor: 'operator ada',
      attempt: 2,
    });
    expect(await operator(migration).retry()).toMatchObject({ outcome: 'left-alone' });
    await app.runAll();
    expect(['ready-to-commit', 'committed', 'rolled-back']).toContain(record().status);
  });

  test('lets a halted commit look again, which goes on once the source is what was verified', async () => {
    const migration = await moved('committing');
    const { app, record } = migration;
    const stranger = itemOf(TENANT, 'stranger');
    app.datasets.put('us', 'templates', stranger);
    await app.runAll();
    expect(record().halted).toContain('templates');
    expect(await operator(migration).retry()).toMatchObject({
      outcome: 'retried',
      status: 'committing',
    });
    await app.runAll();
    expect(record().halted).toContain('templates'); // nothing was mended
    app.datasets.remove('us', 'templates', stranger);
    await operator(migration).retry();
    expect(record().halted).toBeUndefined();
    await app.runAll();
    expect(record().status).toBe('committed');
  });

  test('twice at once starts one attempt of a halted commit', async () => {
    const migration = await moved('committing');
    const { app, record } = migration;
    app.datasets.put('us', 'templates', itemOf(TENANT, 'stranger'));
    await app.runAll();
    const { attempt } = record();
    await Promise.all([operator(migration).retry(), operator(migration, 'bob').retry()]);
    expect(record().attempt).toBe(attempt + 1);
    expect(runningRuns(migration)).toEqual([`commit ${attempt + 1}`]);
  });

  test.each<Status>(['scheduled', 'ready-to-commit', 'committed', 'failed', 'rolled-back'])(
    'is refused what is %s: there is nothing to try again',
    async (row) => {
      const migration = await moved(row);
      const before = migration.record();
      expect(await operator(migration).retry()).toMatchObject({ outcome: 'refused', status: row });
      expect(migration.record()).toEqual(before);
    },
  );

  test('does not drive a commit that was never answered, and that Atlassian will have rolled back', async () => {
    const migration = await moved('ready-to-commit');
    await migration.app.realm('us').steps.take(migration.record(), 'commit', 'commit');
    expect(await operator(migration).retry()).toMatchObject({
      outcome: 'refused',
      status: 'committing',
    });
    expect(runningRuns(migration)).toEqual([]);
  });
});

describe('an operator who sets', () => {
  test('changes the settings of a realm or a tenant, and leaves who it was', async () => {
    const migration = await moved('no record');
    const { app, said } = migration;
    const ada = operator(migration);
    expect(await ada.set({ noNewMoves: true })).toEqual({
      outcome: 'set',
      message: 'set for realm us: new moves off',
      settings: { noNewMoves: true },
    });
    expect(await said.schedule()).toBe('409 E0003');
    await ada.set({ noNewMoves: false }, TENANT);
    expect(await said.schedule()).toBe('200 scheduled');
    expect(await ada.set({ noNewMoves: null }, TENANT)).toMatchObject({ settings: {} });
    expect(await app.settings.history('us', TENANT)).toMatchObject([
      { actor: 'operator ada', change: { noNewMoves: false } },
      { actor: 'operator ada', change: { noNewMoves: null } },
    ]);
  });
});

describe('an operator is refused', () => {
  const key = { tenant: TENANT, id: '57500' };
  test.each<[string, object, RegExp]>([
    ['an unknown verb', { verb: 'purge', ...key }, /verb/],
    ['no verb', key, /verb/],
    ['nobody who asks', { verb: 'cancel', ...key, actor: '' }, /actor/],
    ['a name that breaks a line', { verb: 'cancel', ...key, actor: 'ada\nalarm: x' }, /actor/],
    ['no tenant', { verb: 'cancel', id: '1' }, /tenant/],
    [
      'the partition of the realm as a tenant',
      { verb: 'set', tenant: '#realm', settings: { concurrency: 1 } },
      /tenant/,
    ],
    ['no migration', { verb: 'retry', tenant: TENANT }, /id/],
    ['an id that is none', { verb: 'retry', tenant: TENANT, id: 'a#b' }, /id/],
    [
      'a migration that nobody knows',
      { verb: 'cancel', tenant: TENANT, id: '1' },
      /not in the ledger of realm us/,
    ],
    [
      'another realm’s ledger',
      { verb: 'cancel', ...key, ledger: 'de' },
      /realm us keeps another ledger/,
    ],
    ['no setting', { verb: 'set', settings: {} }, /noNewMoves, concurrency, rateLimit/],
    ['a setting that there is not', { verb: 'set', settings: { speed: 9 } }, /"speed"/],
    ['a concurrency of nothing', { verb: 'set', settings: { concurrency: 0 } }, /from 1 to 40/],
    ['a concurrency in words', { verb: 'set', settings: { concurrency: '4' } }, /from 1 to 40/],
    [
      'more ranges at once than the workflow has',
      { verb: 'set', settings: { concurrency: 41 } },
      /no more than 40 ranges of a move at work at once/,
    ],
    ['half a write', { verb: 'set', settings: { rateLimit: 0.5 } }, /whole number/],
    ['a switch that is no switch', { verb: 'set', settings: { noNewMoves: 1 } }, /true or false/],
  ])('%s', async (_, request, message) => {
    const migration = await moved('scheduled');
    const before = migration.record();
    const answer = await operator(migration).ask(request);
    expect(answer.outcome).toBe('refused');
    expect(answer.message).toMatch(message);
    expect(migration.record()).toEqual(before);
    expect(await migration.app.settings.history('us', undefined)).toEqual([]);
  });

  test.each([undefined, null, 'cancel', 7, []])('%j altogether', async (input) => {
    const migration = await moved('no record');
    const answer = await migration.app.realm('us').operate(input);
    expect(answer).toMatchObject({ outcome: 'refused', message: expect.stringMatching(/./) });
  });

  test('not when the ledger cannot be reached: that is thrown', async () => {
    let isDown = false;
    const migration = await moved('scheduled', {
      hooks: {
        step: async () => {
          if (isDown) throw new Fault('it cannot be reached');
        },
      },
    });
    isDown = true;
    await expect(operator(migration).cancel()).rejects.toThrow(Fault);
  });
});
