/** What a move proves before it deletes, and before it ends. */
import { describe, expect, test } from 'vitest';
import { itemOf, TENANT } from '../support/builders.ts';
import { MINUTE, SECOND } from '../support/clock.ts';
import type { MemoryAppOptions } from '../support/memory-app.ts';
import type { WorkflowOptions } from '../support/memory-workflow.ts';
import { type Move, move, type Row, situation, tenantInUs } from '../support/moves.ts';

async function moved(row: Row, options: MemoryAppOptions = {}): Promise<Move> {
  const migration = move(tenantInUs(options));
  await migration.driveTo(row);
  return migration;
}

/** Calls `act` just before a task is called for the first time. */
function beforeTask(name: string, act: () => void): WorkflowOptions {
  let isDone = false;
  return {
    invoke: async (task, call) => {
      if (task === name && !isDone) {
        isDone = true;
        act();
      }
      await call();
    },
  };
}

describe('a copy', () => {
  test('whose target was changed, added to and taken from is made equal, and says so in the log', async () => {
    const { app, said, record } = await moved('copying');
    const before = app.holdings('us');
    await app.runAll(
      beforeTask('verifyRange', () => {
        const [first, second] = app.datasets.read('de', 'templates', TENANT);
        if (first === undefined || second === undefined) throw new Error('nothing was copied');
        app.datasets.put('de', 'templates', { ...first, text: { S: 'spoilt' } });
        app.datasets.remove('de', 'templates', second);
        app.datasets.put('de', 'templates', itemOf(TENANT, 'stranger', 'spoilt'));
      }),
    );
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(app.holdings('us')).toEqual(before);
    const { previews: _, ...moving } = before;
    expect(app.holdings('de')).toEqual(moving);
    expect(record().attempt).toBe(2);
    const alarm = app.log.lines.find(({ message }) => /not the same in both realms/.test(message));
    expect(alarm?.message).toContain('it is made equal, and verified again');
    expect(alarm?.fields).toMatchObject({
      migrationId: '57500',
      differences: [{ found: 'extra' }, { found: 'changed' }, { found: 'missing' }],
    });
    expect(JSON.stringify(app.log.lines)).not.toContain('spoilt');
  });

  test('whose source was written to past the guard takes that along', async () => {
    const { app, said } = await moved('copying');
    const late = itemOf(TENANT, 'templates-late', 'late');
    await app.runAll(beforeTask('verifyRange', () => app.datasets.put('us', 'templates', late)));
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(app.holdings('de')['templates']).toContain('templates-late: late');
  });

  test('is not ready to commit where the target differs again after it was made equal', async () => {
    const { app, said, record } = await moved('copying');
    const before = app.holdings('us');
    let times = 0;
    await app.runAll({
      invoke: async (task, call) => {
        if (task === 'verifyRange') {
          times += 1;
          app.datasets.put('de', 'templates', itemOf(TENANT, 'templates-0-1', `spoilt ${times}`));
        }
        await call();
      },
    });
    expect(await said.status()).toBe('200 failed E9999');
    expect(record().error?.reason).toContain('templates/00 is not the same in both realms');
    expect(record().attempt).toBe(2);
    expect(app.holdings('us')).toEqual(before);
    expect(situation(app)).toMatchObject({ us: { state: 'active' }, de: { state: 'standby' } });
    expect(
      app.log.alarms().filter((line) => /^alarm: range .+ not the same/.test(line)),
    ).toHaveLength(2);
  });

  test('that makes its target equal goes on where it died, and stops where it is rolled back', async () => {
    const spoil = (app: Move['app']) =>
      beforeTask('verifyRange', () => {
        for (const item of app.datasets.read('de', 'templates', TENANT))
          app.datasets.put('de', 'templates', { ...item, text: { S: 'spoilt' } });
      });
    const died = move(tenantInUs({ pageItems: 1 }));
    await died.driveTo('copying');
    const first = spoil(died.app);
    let deaths = 0;
    await died.app.runAll({
      invoke: async (task, call) => {
        await first.invoke?.(task, call);
        if (task === 'copyRange' && died.record().attempt === 2 && deaths++ < 3)
          throw new Error('it died');
      },
    });
    expect(await died.said.status()).toBe('200 ready-to-commit');
    expect(deaths).toBeGreaterThan(3);
    expect(died.app.holdings('de')['templates']).toEqual(died.app.holdings('us')['templates']);

    const undone = move(tenantInUs({ pageItems: 1 }));
    await undone.driveTo('copying');
    const again = spoil(undone.app);
    await undone.app.runAll({
      invoke: async (task, call) => {
        if (task === 'copyRange' && undone.record().attempt === 2) await undone.said.rollback();
        await again.invoke?.(task, call);
      },
    });
    expect(await undone.said.status()).toBe('200 rolled-back');
    expect(undone.app.holdings('de')).toEqual({});
    expect(situation(undone.app)).toMatchObject({ us: { state: 'active' } });
  });

  test('leaves caches where they are, and takes everything else', async () => {
    const { app } = await moved('ready-to-commit');
    const { previews, ...moving } = app.holdings('us');
    expect(previews).toHaveLength(4);
    expect(app.holdings('de')).toEqual(moving);
  });

  test('of many pages goes on from its checkpoints when invocations die', async () => {
    const migration = move(tenantInUs({ pageItems: 1 }));
    const { app } = migration;
    await migration.driveTo('copying');
    let calls = 0;
    await app.runAll({
      invoke: async (_, call) => {
        calls += 1;
        if (calls % 3 === 0) throw new Error('the invocation has died');
        await call();
        if (calls % 7 === 0) throw new Error('its answer is lost');
      },
    });
    expect(migration.record().status).toBe('ready-to-commit');
    const { previews: _, ...moving } = app.holdings('us');
    expect(app.holdings('de')).toEqual(moving);
  });
});

describe('a commit', () => {
  test('purges nothing before the time has passed in which it can be undone cheaply', async () => {
    const purges: number[] = [];
    const { app } = await moved('committing', {
      commitGraceSeconds: 120,
      hooks: {
        step: async ({ port, name }) => {
          if (port === 'partKind' && name === 'purge') purges.push(app.clock.now());
        },
      },
    });
    const began = app.clock.now();
    await app.runAll();
    expect(Math.min(...purges)).toBeGreaterThanOrEqual(began + 120 * SECOND);
  });

  test('stops, keeps both sides and raises an alarm where the source is not what was verified', async () => {
    const { app, record, said } = await moved('committing');
    app.datasets.put(
      'us',
      'templates',
      itemOf(TENANT, 'templates-0-1', 'written behind the fence'),
    );
    const before = situation(app);
    await app.runAll();
    expect(record()).toMatchObject({
      status: 'committing',
      halted: expect.stringContaining('templates'),
    });
    expect(record().pointOfNoReturn).toBeUndefined();
    expect(situation(app)).toEqual(before);
    expect(app.log.alarms().join()).toContain('is halted');
    expect(await said.commit()).toBe('200 committing');
    await app.runAll();
    expect(situation(app)).toEqual(before);
    expect(await said.rollback()).toBe('200 rolling-back');
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
  });

  test('minds nothing that the target has changed since it serves', async () => {
    const { app, record } = await moved('committing');
    app.datasets.put('de', 'templates', itemOf(TENANT, 'templates-0-1', 'changed in de'));
    app.datasets.remove('de', 'templates', itemOf(TENANT, 'templates-0-2'));
    await app.runAll();
    expect(record().status).toBe('committed');
    expect(app.holdings('de')['templates']).toContain('templates-0-1: changed in de');
    expect(app.holdings('us')).toEqual({});
  });

  test('is not over where the source is not empty, which is purged again', async () => {
    const { app, record } = await moved('committing');
    const { attempt } = record();
    await app.runAll(
      beforeTask('finishCommit', () =>
        app.datasets.put('us', 'templates', itemOf(TENANT, 'stray')),
      ),
    );
    expect(app.log.alarms().join()).toContain('not empty');
    expect(record()).toMatchObject({ status: 'committed', attempt: attempt + 1 });
    expect(app.holdings('us')).toEqual({});
  });

  test('leaves a receipt in both realms, with the proof and without any content', async () => {
    const { app } = await moved('committed');
    const receipt = app.receipts.peek('us', TENANT, '57500');
    expect(receipt).toEqual(app.receipts.peek('de', TENANT, '57500'));
    expect(receipt).toMatchObject({
      state: 'committed',
      checksums: { templates: { items: 4, lastingItems: 4 }, exports: { items: 8 } },
      provenEmpty: {
        realm: 'us',
        ranges: ['templates/00', 'exports/00', 'exports/01', 'previews/00'],
      },
      backupsExpire: '2027-01-02',
    });
    expect(JSON.stringify(receipt)).not.toContain('templates-0');
  });
});

describe('a rollback', () => {
  test('restores a range again that its verification finds to differ', async () => {
    const { app, said } = await moved('committing');
    app.datasets.put('de', 'templates', itemOf(TENANT, 'templates-new', 'written in de'));
    await said.rollback();
    const before = app.holdings('de');
    await app.runAll(
      beforeTask('verifyRange', () =>
        app.datasets.put('us', 'templates', itemOf(TENANT, 'templates-new', 'spoilt')),
      ),
    );
    expect(await said.status()).toBe('200 rolled-back');
    const { previews: _, ...moving } = app.holdings('us');
    expect(moving).toEqual(before);
  });

  test('is not over where the target is not empty, which is discarded again', async () => {
    const { app, said, record } = await moved('ready-to-commit');
    await said.rollback();
    await app.runAll(
      beforeTask('finishRollback', () =>
        app.datasets.put('de', 'templates', itemOf(TENANT, 'stray')),
      ),
    );
    expect(app.log.alarms().join()).toContain('not empty');
    expect(record().status).toBe('rolled-back');
    expect(app.holdings('de')).toEqual({});
  });

  test('leaves a receipt in both realms, with the proof', async () => {
    const { app, said } = await moved('ready-to-commit');
    await said.rollback();
    await app.runAll();
    const receipt = app.receipts.peek('us', TENANT, '57500');
    expect(receipt).toEqual(app.receipts.peek('de', TENANT, '57500'));
    expect(receipt).toMatchObject({ state: 'rolled-back', provenEmpty: { realm: 'de' } });
  });
});

describe('a whole move', () => {
  test('touches no other tenant, in neither realm', async () => {
    const app = tenantInUs();
    const neighbours = ['tenant-10', 'tenant-1#00', 'tenant-'];
    for (const neighbour of neighbours) {
      app.fill('us', neighbour);
      app.fill('de', neighbour);
    }
    const holdings = () =>
      neighbours.map((tenant) => [app.holdings('us', tenant), app.holdings('de', tenant)]);
    const before = holdings();
    const migration = move(app);
    await migration.driveTo('committed');
    await migration.said.rollback();
    await app.runAll();
    expect(holdings()).toEqual(before);
  });

  test('says nothing secret in its log, its workflow’s input or its receipts', async () => {
    const { app, said } = await moved('committed');
    await said.rollback();
    await app.runAll();
    const seen = JSON.stringify([
      app.log.lines,
      app.workflows.runs(),
      app.receipts.peek('us', TENANT, '57500'),
      app.migrations.peekAll('us'),
    ]);
    expect(seen).not.toContain('secret-1');
  });

  test('goes the same way whether ranges are worked on one by one or at once', async () => {
    const ends = [false, true].map(async (parallel) => {
      const migration = move(tenantInUs());
      await migration.driveTo('copying');
      await migration.app.runAll({ parallel });
      migration.app.clock.advance(MINUTE);
      await migration.said.commit();
      await migration.app.runAll({ parallel });
      return { status: migration.record().status, situation: situation(migration.app) };
    });
    const [one, other] = await Promise.all(ends);
    expect(other).toEqual(one);
    expect(one?.status).toBe('committed');
  });
});

describe('a target that holds items of the tenant before anything was copied', () => {
  test('is not claimed: it may be the source by another way', async () => {
    const { app, said, record } = await moved('copying');
    const [item] = app.datasets.read('us', 'templates', TENANT);
    if (item === undefined) throw new Error('there is no item');
    app.datasets.put('de', 'templates', item);
    await app.runAll();
    expect(await said.status()).toBe('200 failed E9999');
    expect(record().error?.reason).toBe(
      'realm de holds items of the tenant in templates before anything was copied there: are its tables replicated from another realm?',
    );
    expect(situation(app)).toMatchObject({ us: { state: 'active' } });
    expect(app.tenants.peek('de', TENANT)).toBeUndefined();
    expect(await said.rollback()).toBe('200 rolling-back');
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    // Nothing says that this migration may delete it.
    expect(app.holdings('de')).toEqual({ templates: [expect.stringContaining('templates-0-0')] });
  });

  test('is prepared again by the move that put them there', async () => {
    const { app, said, key } = await moved('copying');
    const { ledger, tenant, id: migration } = key;
    const input = { ledger, tenant, migration, phase: 'copy', attempt: 1 };
    let again: unknown;
    await app.runAll({
      invoke: async (task, call) => {
        await call();
        if (task !== 'copyRange' || again !== undefined) return;
        expect(app.holdings('de')).not.toEqual({});
        const invocation = { id: 'again', deadline: app.clock.now() + MINUTE };
        again = await app.realm('de').tasks.prepareCopy(input, invocation);
      },
    });
    expect(again).toMatchObject({ unclean: false });
    expect(await said.status()).toBe('200 ready-to-commit');
  });
});
