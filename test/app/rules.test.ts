/**
 * The fifteen rules on the order and ownership of writes: each test shows what would go wrong
 * without one.
 */
import { describe, expect, test } from 'vitest';
import { attemptOfPhase } from '../../lambdas/domain/moving/migration.ts';
import { PermanentError } from '../../lambdas/domain/refusal.ts';
import {
  arrivalAt,
  factsFrom,
  itemOf,
  migrationRecord,
  rangeRecord,
  TENANT,
  tenantRecord,
} from '../support/builders.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../support/clock.ts';
import type { Operation } from '../support/in-memory-cells.ts';
import { type MemoryApp, type MemoryAppOptions, memoryApp } from '../support/memory-app.ts';
import { inputOf, type WorkflowOptions } from '../support/memory-workflow.ts';
import {
  answerOf,
  gateAt,
  type Move,
  move,
  type Row,
  situation,
  tenantInUs,
  traceOfWrites,
} from '../support/moves.ts';

async function moved(row: Row, options: MemoryAppOptions = {}): Promise<Move> {
  const migration = move(tenantInUs(options));
  await migration.driveTo(row);
  return migration;
}

const stateIn = (app: MemoryApp, realm: string) => app.tenants.peek(realm, TENANT)?.state;
const isFenceWrite =
  (realm: string) =>
  ({ port, realm: at, access }: Operation): boolean =>
    port === 'tenants' && at === realm && access === 'write';

/** An invocation of this task dies before it does anything, and its caller gets no answer. */
const diesIn = (name: string): WorkflowOptions => ({
  tries: 1,
  invoke: async (task, call) => {
    if (task === name) throw new Error('the invocation has died');
    await call();
  },
});

describe('rule 1: fence writes have an owner', () => {
  test('a commit that comes to life late does not close the fence of the next migration', async () => {
    const gate = gateAt(isFenceWrite('us'));
    const first = await moved('ready-to-commit', { hooks: gate.hooks });
    const { app } = first;
    gate.arm();
    const late = first.said.commit();
    await gate.reached;
    expect(await first.said.rollback()).toBe('200 rolling-back');
    await app.runAll();
    await move(app, { id: '2', location: 'EU' }).driveTo('copying');
    gate.open();
    expect(await late).toBe('409 E9999');
    expect(app.tenants.peek('us', TENANT)).toMatchObject({ state: 'frozen', migration: '2' });
    expect(stateIn(app, 'de')).toBeUndefined();
  });

  test('a commit that comes to life late does not open a target that was withdrawn', async () => {
    const gate = gateAt(isFenceWrite('de'));
    const migration = await moved('ready-to-commit', { hooks: gate.hooks });
    gate.arm();
    const late = migration.said.commit();
    await gate.reached;
    await migration.said.rollback();
    await migration.app.runAll(diesIn('releaseSource'));
    gate.open();
    expect(await late).toBe('409 E9999');
    expect(stateIn(migration.app, 'de')).toBe('withdrawn');
  });
});

describe('rule 2: ledger first, then the fence, then the workflow', () => {
  test('is the order of a start', async () => {
    const trace = traceOfWrites();
    const migration = await moved('scheduled', { hooks: trace.hooks });
    trace.arm();
    await migration.said.start();
    expect(trace.writes().slice(0, 3)).toEqual(['us migrations', 'us tenants', 'de workflows']);
  });

  test.each(['rolled back', 'failed'])(
    'a start that comes to life after its migration was %s fences nobody',
    async (end) => {
      const gate = gateAt(isFenceWrite('us'));
      const migration = await moved('scheduled', { hooks: gate.hooks });
      const { app } = migration;
      gate.arm();
      const late = migration.said.start();
      await gate.reached;
      if (end === 'rolled back') {
        await migration.said.rollback();
      } else {
        app.clock.advanceTo(Date.parse(migration.facts.endTime));
        await app.realm('us').janitor();
      }
      await app.runAll();
      gate.open();
      expect(await late).toMatch(/^409/);
      expect(stateIn(app, 'us')).toBe('active');
    },
  );

  test('the copy makes sure of a fence that a start did not get to', async () => {
    const { app, said, record } = await moved('scheduled');
    await app.realm('us').steps.take(record(), 'start', 'start');
    expect(stateIn(app, 'us')).toBe('active');
    await app.realm('us').janitor();
    await app.runAll();
    expect(await said.status()).toBe('200 ready-to-commit');
    expect(stateIn(app, 'us')).toBe('frozen');
  });

  test('a release is remembered also where nothing was fenced', async () => {
    const { app, said } = await moved('scheduled');
    await said.rollback();
    expect(app.tenants.peek('us', TENANT)).toMatchObject({ state: 'active', released: ['57500'] });
  });

  test('copying begins only when every write that passed the guard before the fence has landed', async () => {
    const copies: number[] = [];
    const migration = await moved('copying', {
      drainSeconds: 45,
      hooks: {
        step: async ({ port, name }) => {
          if (port === 'partKind' && name === 'copy') copies.push(migration.app.clock.now());
        },
      },
    });
    const fencedAt = migration.app.tenants.peek('us', TENANT)?.fencedAt ?? 0;
    await migration.app.runAll();
    expect(Math.min(...copies)).toBeGreaterThanOrEqual(fencedAt + 45 * SECOND);
  });
});

describe('rule 3: the copy claims the target first', () => {
  test('nothing is ever written or deleted in a realm that serves, in a move there, its rollback, and another one', async () => {
    const found: string[] = [];
    const app = tenantInUs({
      hooks: {
        step: async ({ port, access, realm, name }) => {
          if (port === 'partKind' && access === 'write')
            found.push(`${name} while ${stateIn(app, realm)}`);
        },
      },
    });
    await move(app, { id: '1' }).driveTo('rolled-back');
    const second = move(app, { id: '2' });
    await second.driveTo('committed');
    await second.said.rollback();
    await app.runAll();
    await move(app, { id: '3' }).driveTo('committed');
    expect([...new Set(found)].sort()).toEqual([
      'copy while standby',
      'purge while moved',
      'purge while withdrawn',
      'restore while moved',
    ]);
  });

  test('over a stub, whose expiry goes', async () => {
    const { app } = await moved('committed');
    expect(app.tenants.peek('us', TENANT)?.expiresAt).toBeDefined();
    const back = move(app, { id: '2', source: 'de', location: 'US' });
    await back.driveTo('ready-to-commit');
    expect(app.tenants.peek('us', TENANT)).toMatchObject({ state: 'standby', migration: '2' });
    expect(app.tenants.peek('us', TENANT)?.expiresAt).toBeUndefined();
    await back.said.commit();
    app.tenants.sweep(app.clock.now() + 365 * DAY);
    expect(stateIn(app, 'us')).toBe('active');
  });

  test('over a retired tenant, whose data is cleared first and whose purge date goes', async () => {
    const app = memoryApp();
    app.tenants.set('de', tenantRecord());
    app.fill('de', TENANT, 7, 'old');
    const iat = Math.floor(app.clock.now() / 1000);
    await app.realm('de').lifecycle.uninstalled(TENANT, iat);
    app.clock.advance(MINUTE);
    await app.realm('us').lifecycle.installed(arrivalAt(app.clock, 'secret-2'));
    app.fill('us');
    const items = app.holdings('us');
    const { previews: _, ...moving } = items;
    const migration = move(app);
    await migration.driveTo('ready-to-commit');
    expect(app.holdings('de')).toEqual(moving);
    await migration.said.commit();
    await app.runAll();
    expect(app.tenants.peek('de', TENANT)).toMatchObject({ state: 'active' });
    expect(app.tenants.peek('de', TENANT)?.purgeDueAt).toBeUndefined();
    expect(app.holdings('us')).toEqual({});
  });

  test.each([
    ['what a take-over has kept', { state: 'retired', keep: true } as const],
    ['a tenant that serves', { state: 'active' } as const],
    [
      'a claim of another migration',
      { state: 'standby', migration: 'other', ledger: 'eu' } as const,
    ],
    [
      'a source of another migration',
      { state: 'frozen', migration: 'other', ledger: 'de' } as const,
    ],
  ])(
    'but not over %s: the migration fails, and neither it nor its rollback touches what is there',
    async (_, found) => {
      const migration = await moved('copying');
      const { app, said } = migration;
      app.tenants.set('de', tenantRecord(found));
      app.fill('de', TENANT, 3, 'theirs');
      const theirs = situation(app)['de'];
      await app.runAll();
      expect(await said.status()).toBe('200 failed E9999');
      expect(stateIn(app, 'us')).toBe('active');
      expect(situation(app)['de']).toEqual(theirs);
      expect(await said.rollback()).toBe('200 rolling-back');
      await app.runAll();
      expect(await said.status()).toBe('200 rolled-back');
      expect(situation(app)['de']).toEqual(theirs);
    },
  );
});

describe('rule 4: a rollback', () => {
  /**
   * The app's work while it serves the tenant in `de`: it changes one item, adds one and deletes
   * one.
   */
  function serveInTarget({ datasets }: MemoryApp): void {
    datasets.put('de', 'templates', itemOf(TENANT, 'templates-0-0', 'changed in de'));
    datasets.put('de', 'templates', itemOf(TENANT, 'templates-0-9', 'new in de'));
    datasets.remove('de', 'templates', itemOf(TENANT, 'templates-0-1'));
  }

  test.each<Row>(['committing', 'committed'])(
    'of a migration that is %s brings back what changed, came and went while the target served',
    async (row) => {
      const { app, said } = await moved(row);
      serveInTarget(app);
      await said.rollback();
      await app.runAll();
      expect(await said.status()).toBe('200 rolled-back');
      expect(app.holdings('us')['templates']).toEqual([
        'templates-0-0: changed in de',
        'templates-0-2: us 2',
        'templates-0-3: us 3',
        'templates-0-9: new in de',
      ]);
      expect(situation(app)['de']).toBeUndefined();
      expect(stateIn(app, 'us')).toBe('active');
    },
  );

  test('copies back only what the target has after its last write has landed', async () => {
    const restores: number[] = [];
    const { app, said } = await moved('committed', {
      drainSeconds: 45,
      hooks: {
        step: async ({ port, name }) => {
          if (port === 'partKind' && name === 'restore') restores.push(app.clock.now());
        },
      },
    });
    await said.rollback();
    const began = app.clock.now();
    await app.runAll();
    expect(Math.min(...restores)).toBeGreaterThanOrEqual(began + 45 * SECOND);
  });

  test('that has let the source go never copies back again over what was written there since', async () => {
    const { app, said } = await moved('committed');
    await said.rollback();
    await app.runAll({
      tries: 1,
      invoke: async (task, call) => {
        await call();
        if (task === 'discardTargetRange') throw new Error('the invocation has died');
      },
    });
    expect([stateIn(app, 'us'), stateIn(app, 'de')]).toEqual(['active', 'withdrawn']);
    app.datasets.put('us', 'templates', itemOf(TENANT, 'templates-0-0', 'written since'));
    app.clock.advance(HOUR);
    await app.realm('us').janitor();
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(app.holdings('us')['templates']).toContain('templates-0-0: written since');
    expect(app.holdings('us')['templates']).toHaveLength(4);
    expect(app.holdings('de')).toEqual({});
  });

  test('touches nothing in the target where it has claimed nothing', async () => {
    const { app, said } = await moved('copying');
    app.fill('de', TENANT, 2, 'stray');
    const stray = app.holdings('de');
    await said.rollback();
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(app.holdings('de')).toEqual(stray);
  });

  test('of a committed migration whose tenant was uninstalled meanwhile brings it back as it is: retired', async () => {
    const { app, said } = await moved('committed');
    await app.realm('de').lifecycle.uninstalled(TENANT, app.caller().iat);
    expect(await said.rollback()).toBe('200 rolling-back');
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect([stateIn(app, 'us'), stateIn(app, 'de')]).toEqual(['retired', undefined]);
    expect(app.holdings('us')).not.toEqual({});
  });

  test('of a committed migration whose target is moving on is answered, changes nothing, and raises an alarm', async () => {
    const { app, said } = await moved('committed');
    await move(app, { id: '2', source: 'de', location: 'EU' }).driveTo('copying');
    const before = situation(app);
    expect(await said.rollback()).toBe('200 committed');
    await app.realm('us').janitor();
    expect(situation(app)).toEqual(before);
    expect(app.log.alarms()).toHaveLength(1);
  });

  test('of a committed migration stays committed when the target moves on before it is withdrawn', async () => {
    const { app, said, record } = await moved('committed');
    expect(await said.rollback()).toBe('200 rolling-back');
    await move(app, { id: '2', source: 'de', location: 'EU' }).driveTo('copying');
    const before = situation(app);
    await app.runAll();
    expect(record().status).toBe('committed');
    expect(situation(app)['us']).toEqual(before['us']);
    expect(app.holdings('us')).toEqual({});
    expect(app.log.alarms().join()).toContain('stays committed');
  });

  test('never makes the source serve beside a target that has begun the next move before the commit was recorded', async () => {
    let isDying = true;
    const migration = await moved('committing', {
      hooks: {
        step: async ({ port, detail, access }) => {
          const isStatus =
            port === 'migrations' && access === 'write' && /finish-commit$/.test(detail ?? '');
          if (isStatus && isDying) throw new Error('the invocation has died');
        },
      },
    });
    const { app, said } = migration;
    // After the receipts and before the status, several times.
    await app.runAll({ tries: 1 });
    expect(migration.record().status).toBe('committing');
    isDying = false;
    const next = move(app, { id: '2', source: 'de', location: 'EU' });
    if ((await next.said.schedule()) === '200 scheduled') await next.said.start();
    await said.rollback();
    await app.runAll();
    const serving = app.realms.filter((realm) =>
      ['active', 'frozen'].includes(stateIn(app, realm) ?? ''),
    );
    expect(serving).toHaveLength(1);
    expect(app.holdings(serving[0] ?? '')).not.toEqual({});
  });

  test('gives the source its installation back, also when a commit was just writing the stub', async () => {
    const gate = gateAt(
      ({ port, name, realm, access }) =>
        port === 'tenants' && name === 'change' && realm === 'us' && access === 'write',
    );
    const migration = await moved('committing', { hooks: gate.hooks });
    const { app, said } = migration;
    const [commit] = app.workflows.running();
    const ended = app.runWorkflow(commit ?? fail('no commit runs'), {
      invoke: async (task, call) => {
        if (task === 'finishCommit') gate.arm();
        await call();
      },
    });
    await gate.reached;
    await said.rollback();
    const [restore] = app.workflows.running().filter(({ phase }) => phase === 'restore');
    await app.runWorkflow(restore ?? fail('no restore runs'), {
      invoke: async (task, call) => {
        if (task === 'finishRestore') {
          gate.open();
          await ended;
        }
        await call();
      },
    });
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(app.tenants.peek('us', TENANT)?.installation).toEqual(tenantRecord().installation);
  });
});

function fail(message: string): never {
  throw new Error(message);
}

describe('rule 5: leases', () => {
  test('nothing is withdrawn, released or discarded while an invocation that copies may still live', async () => {
    const gate = gateAt(({ port, name }) => port === 'partKind' && name === 'copy');
    const migration = await moved('copying', { hooks: gate.hooks });
    const { app, said } = migration;
    const [copy] = app.workflows.running();
    gate.arm();
    // This run never ends.
    void app.runWorkflow(copy ?? fail('no copy runs'));
    await gate.reached;
    const until = Math.max(
      ...app.rangeRecords.peek('de', migration.key).map(({ lease }) => lease?.until ?? 0),
    );
    expect(until).toBeGreaterThan(app.clock.now() + 5 * MINUTE - SECOND);
    await said.rollback();
    const seen: number[] = [];
    await app.runAll({
      wait: (milliseconds) => {
        if (stateIn(app, 'us') !== 'frozen' || stateIn(app, 'de') === 'withdrawn')
          seen.push(app.clock.now());
        app.clock.advance(milliseconds);
      },
    });
    expect(await said.status()).toBe('200 rolled-back');
    expect(seen.length).toBeGreaterThan(0);
    expect(Math.min(...seen)).toBeGreaterThan(until);
  });

  test('a second worker of a range waits for the first, and goes on from its checkpoint', async () => {
    const migration = await moved('copying');
    const { app, key } = migration;
    const until = app.clock.now() + 5 * MINUTE;
    app.fill('us', TENANT, 9);
    let copied = 0;
    await app.runAll({
      tries: 2,
      invoke: async (task, call) => {
        if (task === 'copyRange' && copied === 0) {
          copied += 1;
          const held = rangeRecord({ work: 'copy', lease: { owner: 'somebody', until } });
          expect(await app.rangeRecords.put('de', key, held)).toBeDefined();
        }
        await call();
      },
    });
    expect(migration.record().status).toBe('ready-to-commit');
    expect(app.clock.now()).toBeGreaterThan(until);
  });

  test('a lease is given back also when the reply of a write was lost, and when some more writes are refused', async () => {
    let writes = 0;
    const trouble = (operation: Operation) =>
      operation.port === 'rangeRecords' &&
      operation.name === 'put' &&
      operation.detail?.endsWith('templates/00');
    const migration = await moved('copying', {
      hooks: {
        step: async (operation) => {
          if (!trouble(operation) || operation.access !== 'write') return;
          writes += 1;
          if (writes > 2 && writes < 6) throw new Error('the ledger cannot be reached');
        },
        after: async (operation) => {
          if (trouble(operation) && writes === 2) throw new Error('the reply is lost');
        },
      },
    });
    const { app, key } = migration;
    const [run] = app.workflows.running();
    await app.runWorkflow(run ?? fail('no copy runs'), { tries: 1 });
    expect(writes).toBeGreaterThanOrEqual(6);
    const range = app.rangeRecords.peek('de', key).find((one) => one.range === 'templates/00');
    expect(range?.lease).toBeUndefined();
    expect(range?.lastError).toBeDefined();
  });

  test('a worker that is not wanted any more stops before its next page, and gives its lease back', async () => {
    const gate = gateAt(({ port, name }) => port === 'partKind' && name === 'copy');
    const migration = await moved('copying', { hooks: gate.hooks });
    const { app, said, key } = migration;
    app.fill('us', TENANT, 30);
    const [copy] = app.workflows.running();
    gate.arm();
    const ended = app.runWorkflow(copy ?? fail('no copy runs'));
    await gate.reached;
    await said.rollback();
    gate.open();
    expect(await ended).toBe('failed');
    expect(app.holdings('de')['templates']).toHaveLength(3);
    expect(app.rangeRecords.peek('de', key).every(({ lease }) => lease === undefined)).toBe(true);
    await app.runAll();
    expect(app.holdings('de')).toEqual({});
  });
});

describe('rule 6: failed is written before the fence is lifted', () => {
  test('by a task and by the janitor', async () => {
    for (const who of ['task', 'janitor'] as const) {
      const trace = traceOfWrites();
      const { app, facts, record } = await moved('copying', { hooks: trace.hooks });
      app.clock.advanceTo(Date.parse(facts.endTime));
      trace.arm();
      if (who === 'janitor') await app.realm('us').janitor();
      else await app.runAll();
      expect(record().status).toBe('failed');
      expect(trace.writes(), who).toEqual(['us migrations', 'us tenants']);
    }
  });

  test('so that a copy that ends in between does not become ready with its fence lifted', async () => {
    const gate = gateAt(isFenceWrite('us'));
    const { app, record, said } = await moved('copying', { hooks: gate.hooks });
    gate.arm();
    const failing = app.realm('us').steps.fail(record(), 'E9999', 'a test says so', 'settle');
    await gate.reached;
    await app.runAll();
    expect(record().status).toBe('failed');
    gate.open();
    await failing;
    expect(stateIn(app, 'us')).toBe('active');
    expect(await said.commit()).toBe('409 E9999');
  });
});

describe('rule 7: a repeated hook finishes what is missing', () => {
  test('but never copies the record of a target again that was opened', async () => {
    const { app, said } = await moved('committing');
    const record = app.tenants.peek('de', TENANT) ?? fail('there is no record');
    app.tenants.set('de', { ...record, installation: { clientKey: TENANT, displayUrl: 'of de' } });
    app.tenants.set('us', {
      ...(app.tenants.peek('us', TENANT) ?? record),
      credentials: { sharedSecret: 'late', iat: 2_000 },
    });
    expect(await said.commit()).toBe('200 committing');
    expect(app.tenants.peek('de', TENANT)).toMatchObject({
      installation: { displayUrl: 'of de' },
      credentials: { sharedSecret: 'secret-1' },
    });
  });

  test('and only executions that ended badly one after the other are counted, however often the janitor started one', async () => {
    const { app, record } = await moved('copying');
    const end = async () => {
      const [run] = app.workflows.running();
      if (run === undefined) throw new Error('nothing runs');
      app.workflows.close(run, 'failed');
      return run;
    };
    for (let restart = 0; restart < 4; restart += 1) {
      await end(); // its caller gets no answer
      await app.realm('us').janitor();
    }
    expect(record()).toMatchObject({ status: 'copying', attempt: 5 });
    for (const [failedExecutions, status] of [
      [1, 'copying'],
      [2, 'copying'],
      [undefined, 'failed'],
    ] as const) {
      await app.realm('de').settle(inputOf(await end()), 'FAILED');
      expect(record().status).toBe(status);
      expect(record().failedExecutions).toBe(failedExecutions);
    }
  });

  test('and what a rollback that died has left of its fence is let go with its slot', async () => {
    const { app, record } = await moved('scheduled');
    await app.realm('us').steps.take(record(), 'rollback', 'rollback');
    expect(app.tenants.peek('us', TENANT)?.released).toBeUndefined();
    await app.realm('us').janitor();
    expect(app.tenants.peek('us', TENANT)?.released).toEqual(['57500']);
    expect(app.slots.peek('us')).toEqual([]);
  });

  test('and a workflow that has ended badly is followed by the next attempt', async () => {
    for (const [row, hook] of [
      ['copying', 'start'],
      ['committing', 'commit'],
      ['rolling-back', 'rollback'],
    ] as const) {
      const { app, said, record } = await moved(row);
      const before = record().attempt;
      for (const each of app.workflows.running()) app.workflows.close(each, 'failed');
      await said[hook]();
      expect(record().attempt, row).toBe(before + 1);
      expect(app.workflows.running(), row).toHaveLength(1);
    }
  });
});

describe('rule 8: the janitor', () => {
  const tend = (app: MemoryApp) => app.realm('us').janitor();
  const endOf = ({ facts }: Move) => Date.parse(facts.endTime);

  test('rolls back a schedule that never started, half an hour after its window', async () => {
    const migration = await moved('scheduled');
    const { app, record } = migration;
    app.clock.advanceTo(endOf(migration) + 29 * MINUTE);
    await tend(app);
    expect(record().status).toBe('scheduled');
    app.clock.advance(2 * MINUTE);
    await tend(app);
    expect(record().status).toBe('rolled-back');
    expect(await app.slots.list('us')).toEqual([]);
    expect(app.tenants.peek('us', TENANT)?.released).toEqual(['57500']);
  });

  test('lets a copy fail in time for the site to come back inside its window', async () => {
    const migration = await moved('copying');
    const { app, said } = migration;
    app.clock.advanceTo(endOf(migration) - 6 * MINUTE);
    await tend(app);
    expect(await said.status()).toBe('200 copying');
    app.clock.advanceTo(endOf(migration) - 4 * MINUTE);
    await tend(app);
    expect(await said.status()).toBe('200 failed E9999');
    expect(stateIn(app, 'us')).toBe('active');
  });

  test('rolls back what has failed, an hour after the window without a hook', async () => {
    const migration = await moved('failed');
    const { app, record } = migration;
    app.clock.advanceTo(endOf(migration) + 30 * MINUTE);
    await tend(app);
    expect(record().status).toBe('failed');
    app.clock.advance(HOUR);
    await tend(app);
    await app.runAll();
    expect(record().status).toBe('rolled-back');
  });

  test('lifts the fence that a failure has left', async () => {
    const { app, record } = await moved('copying');
    await app.realm('us').steps.take(record(), 'fail', 'settle', {
      error: { code: 'E9999', reason: 'a test says so' },
    });
    expect(stateIn(app, 'us')).toBe('frozen');
    await tend(app);
    expect(stateIn(app, 'us')).toBe('active');
  });

  test('rolls back what is ready to commit hours after the window, and never at its end', async () => {
    const migration = await moved('ready-to-commit');
    const { app, record } = migration;
    app.clock.advanceTo(endOf(migration) + 11 * HOUR);
    await tend(app);
    expect(record().status).toBe('ready-to-commit');
    app.clock.advance(2 * HOUR);
    await tend(app);
    await app.runAll();
    expect(record().status).toBe('rolled-back');
    expect(stateIn(app, 'us')).toBe('active');
  });

  test('rolls back a commit that was never answered: its workflow was never started', async () => {
    const { app, record } = await moved('ready-to-commit');
    await app.realm('us').steps.take(record(), 'commit', 'commit');
    app.clock.advance(9 * MINUTE);
    await tend(app);
    expect(record().status).toBe('committing');
    app.clock.advance(2 * MINUTE);
    await tend(app);
    await app.runAll();
    expect(record().status).toBe('rolled-back');
  });

  test('never rolls back a commit that was answered, although its next attempt was not started', async () => {
    const gate = gateAt(({ port, detail }) => port === 'workflows' && /commit/.test(detail ?? ''));
    const migration = await moved('committing', { hooks: gate.hooks });
    const { app, record } = migration;
    gate.arm();
    // The execution fails, and `settle` dies between the ledger and the workflow.
    void app.runAll(diesIn('beginCommit'));
    await gate.reached;
    expect(app.workflows.running()).toEqual([]);
    app.clock.advance(HOUR);
    await tend(app);
    expect(record().status).toBe('committing');
    await app.runAll();
    expect(record().status).toBe('committed');
  });

  test.each<Row>(['copying', 'committing', 'rolling-back'])(
    'starts anew what is %s and dead',
    async (row) => {
      const { app, record } = await moved(row);
      for (const run of app.workflows.running()) app.workflows.close(run, 'failed');
      const { attempt } = record();
      await tend(app);
      expect(record().attempt).toBe(attempt + 1);
      await app.runAll();
      const ends = {
        copying: 'ready-to-commit',
        committing: 'committed',
        'rolling-back': 'rolled-back',
      };
      expect(record().status).toBe(Object.entries(ends).find(([from]) => from === row)?.[1]);
    },
  );

  test('ends a rollback of a move within one realm that died half-way', async () => {
    const app = tenantInUs();
    const migration = move(app, { location: 'US' });
    await migration.said.schedule();
    await migration.said.start();
    await app.realm('us').steps.take(migration.record(), 'rollback', 'rollback');
    expect(migration.record().status).toBe('rolling-back');
    app.clock.advance(DAY);
    await tend(app);
    expect(migration.record().status).toBe('rolled-back');
  });

  test('frees windows that a crash has left', async () => {
    const { app, key } = await moved('scheduled');
    const leaked = { ...key, id: 'never recorded' };
    await app.slots.take(
      leaked,
      { start: '2027-01-01T00:00:00.000Z', end: '2027-01-01T01:00:00.000Z' },
      5,
    );
    await tend(app);
    expect(await app.slots.list('us')).toHaveLength(2);
    app.clock.advance(61 * MINUTE);
    await tend(app);
    expect((await app.slots.list('us')).map(({ id }) => id)).toEqual(['57500']);
  });

  test('leaves a commit alone that is halted, and raises an alarm each time', async () => {
    const { app, record } = await moved('committing');
    app.migrations.set({ ...record(), halted: 'a test says so' });
    app.clock.advance(DAY);
    await tend(app);
    await tend(app);
    expect(record()).toMatchObject({ status: 'committing', halted: 'a test says so' });
    expect(app.log.alarms()).toHaveLength(2);
  });
});

describe('rule 9: the next move', () => {
  test('waits until the receipt of the one that brought the tenant says committed', async () => {
    const { app } = await moved('committing');
    const back = move(app, { id: '2', source: 'de', location: 'US' });
    expect(app.receipts.peek('de', TENANT, '57500')?.state).toBe('ready-to-commit');
    expect(await back.said.schedule()).toBe('409 E0004');
    await app.runAll();
    expect(app.receipts.peek('de', TENANT, '57500')).toMatchObject({
      state: 'committed',
      provenEmpty: { realm: 'us' },
    });
    await back.driveTo('committed');
    expect(situation(app)).toMatchObject({ us: { state: 'active' }, de: { state: 'moved' } });
  });
});

describe('rule 10: installed writes credentials only', () => {
  test('and what a target knows better than its source survives the commit', async () => {
    const { app, said } = await moved('ready-to-commit');
    const newer = { sharedSecret: 'secret-2', iat: app.caller().iat };
    // The hook reached the target, and died before it reached the source.
    await app.tenants.change(
      'de',
      TENANT,
      (current) => current && { ...current, credentials: newer },
    );
    await said.commit();
    expect(app.tenants.peek('de', TENANT)?.credentials).toEqual(newer);
  });

  test('and what the source knows better reaches the target at the commit, after the source is closed', async () => {
    const gate = gateAt(isFenceWrite('us'));
    const { app, said } = await moved('ready-to-commit', { hooks: gate.hooks });
    const newer = { sharedSecret: 'secret-2', iat: app.caller().iat };
    gate.arm();
    const committing = said.commit();
    await gate.reached;
    await app.tenants.change(
      'us',
      TENANT,
      (current) => current && { ...current, credentials: newer },
    );
    gate.open();
    expect(await committing).toBe('200 committing');
    expect(app.tenants.peek('de', TENANT)?.credentials).toEqual(newer);
  });

  test('and makes no fence active', async () => {
    for (const row of ['copying', 'committing', 'committed'] as const) {
      const { app } = await moved(row);
      const before = app.realms.map((realm) => stateIn(app, realm));
      await app.realm('us').lifecycle.installed(arrivalAt(app.clock, 'secret-2'));
      expect(
        app.realms.map((realm) => stateIn(app, realm)),
        row,
      ).toEqual(before);
    }
  });

  test('the addressed realm first', async () => {
    const trace = traceOfWrites();
    const { app } = await moved('ready-to-commit', { hooks: trace.hooks });
    for (const [at, other] of [
      ['us', 'de'],
      ['de', 'us'],
    ] as const) {
      trace.arm();
      await app.realm(at).lifecycle.installed(arrivalAt(app.clock, `secret-${at}`));
      expect(trace.writes()).toEqual([`${at} tenants`, `${other} tenants`]);
    }
  });
});

describe('rule 11: uninstalled is a flag', () => {
  const uninstalled = (app: MemoryApp) =>
    app.realm('us').lifecycle.uninstalled(TENANT, app.caller().iat);

  test('every step to active gives retired: opening a target', async () => {
    const gate = gateAt(isFenceWrite('us'));
    const { app, said } = await moved('ready-to-commit', { hooks: gate.hooks });
    gate.arm();
    const committing = said.commit();
    await gate.reached;
    await uninstalled(app);
    gate.open();
    await committing;
    await app.runAll();
    expect(stateIn(app, 'de')).toBe('retired');
  });

  test('every step to active gives retired: releasing a source', async () => {
    const { app, said } = await moved('rolling-back');
    await uninstalled(app);
    await app.runAll();
    expect(await said.status()).toBe('200 rolled-back');
    expect(stateIn(app, 'us')).toBe('retired');
  });

  test('a retired tenant still has the secret that verifies its migration hooks', async () => {
    const { app, said } = await moved('ready-to-commit');
    await uninstalled(app);
    await app.runAll();
    expect(app.tenants.peek('us', TENANT)).toMatchObject({
      state: 'retired',
      credentials: { sharedSecret: 'secret-1' },
    });
    expect(await said.rollback()).toBe('200 rolled-back');
  });
});

describe('rule 12: a rollback of an unknown id', () => {
  test('wins over a schedule of that id that has already looked it up', async () => {
    const gate = gateAt(({ port, access }) => port === 'slots' && access === 'write');
    const migration = await moved('no record', { hooks: gate.hooks });
    const { app, said, record } = migration;
    gate.arm();
    const late = said.schedule();
    await gate.reached;
    expect(await said.rollback()).toBe('200 rolled-back');
    gate.open();
    expect(await late).toBe('409 E9999');
    expect(record().status).toBe('rolled-back');
    await app.realm('us').janitor();
    expect(await app.slots.list('us')).toEqual([]);
  });
});

describe('rule 13: a move within one realm', () => {
  test.each([
    'purgeSourceRange',
    'discardTargetRange',
    'restoreSourceRange',
    'clearTargetRange',
    'copyRange',
  ] as const)('is refused by %s, whatever its record says', async (task) => {
    const app = tenantInUs();
    const items = app.holdings('us');
    for (const [status, phase] of [
      ['copying', 'copy'],
      ['committing', 'commit'],
      ['rolling-back', 'restore'],
      ['rolling-back', 'rollback'],
    ] as const) {
      const forged = migrationRecord({
        status,
        phase,
        target: 'us',
        attempt: 1,
        pointOfNoReturn: '2026-12-26T01:00:00.000Z',
      });
      app.migrations.set(forged);
      for (const state of ['moved', 'withdrawn', 'standby', 'frozen'] as const) {
        app.tenants.set(
          'us',
          tenantRecord({ state, migration: forged.id, ledger: 'us', unclean: true }),
        );
        const input = {
          ...inputOf({ ...forged, realm: 'us', phase }),
          worker: { number: 0, of: 3 },
          turns: 5,
          turn: { number: 0 },
        };
        const invocation = { id: 'invocation', deadline: app.clock.now() + 5 * MINUTE };
        await expect(app.realm('us').tasks[task](input, invocation)).rejects.toThrow(
          PermanentError,
        );
      }
    }
    expect(app.holdings('us')).toEqual(items);
  });
});

describe('rule 14: hooks without an id', () => {
  test('act only on what was scheduled before their token was issued', async () => {
    const app = tenantInUs();
    const early = { ...app.caller(), iat: app.caller().iat - 1 };
    const { migrations } = app.realm('us');
    const migration = move(app);
    await migration.driveTo('ready-to-commit');
    expect(await answerOf(migrations.rollback(early, {}))).toBe('200 rolled-back');
    expect(await answerOf(migrations.commit(early, {}))).toBe('409 E9999');
    expect(await answerOf(migrations.start(early, { facts: migration.facts }))).toBe('404 E0001');
    expect(migration.record().status).toBe('ready-to-commit');
    expect(await answerOf(migrations.commit(app.caller(), {}))).toBe('200 committing');
  });

  test('mean the last migration, and not one that ended before it', async () => {
    const app = tenantInUs();
    await move(app, { id: '1' }).driveTo('rolled-back');
    const second = move(app, { id: '2' });
    await second.driveTo('copying');
    const rollback = app.realm('us').migrations.rollback(app.caller(), {});
    expect(await answerOf(rollback)).toBe('200 rolling-back');
    expect(second.record().status).toBe('rolling-back');
  });

  test('issued in the second of the next schedule, and delayed, undo nothing that began later', async () => {
    const app = tenantInUs();
    const { migrations } = app.realm('us');
    const first = move(app, { id: '1' });
    await first.driveTo('scheduled');
    app.clock.advance(MINUTE);
    const delayed = app.caller();
    const rollback = () => answerOf(migrations.rollback(delayed, {}));
    expect(await rollback()).toBe('200 rolled-back');
    const second = move(app, { id: '2' });
    await second.driveTo('ready-to-commit');
    expect(await rollback()).toBe('200 rolled-back');
    expect(second.record().status).toBe('ready-to-commit');
    expect(await second.said.commit()).toBe('200 committing');
    await app.runAll();
    expect(await rollback()).toBe('200 rolled-back');
    expect(second.record().status).toBe('committed');
  });

  test.each<[Row, string]>([
    ['scheduled', '200 rolled-back'],
    ['copying', '200 rolling-back'],
  ])(
    'issued in the second in which it was scheduled still undo what is %s',
    async (row, answer) => {
      const app = tenantInUs();
      const { migrations } = app.realm('us');
      const facts = factsFrom(app.clock, { startsIn: 0 });
      const caller = app.caller();
      await migrations.schedule(caller, { id: '1', ...facts });
      if (row === 'copying') await migrations.start(caller, { id: '1', facts });
      expect(await answerOf(migrations.rollback(caller, {}))).toBe(answer);
      expect(app.migrations.peekAll('us')).toMatchObject([{ status: answer.slice(4) }]);
    },
  );

  test('that follow a refused schedule do not undo the move by which the tenant came', async () => {
    const { app, record } = await moved('committed');
    app.settings.set('de', { noNewMoves: true });
    const { migrations } = app.realm('de');
    const facts = factsFrom(app.clock, { location: 'EU' });
    expect(await answerOf(migrations.schedule(app.caller(), facts))).toBe('409 E0003');
    expect(await answerOf(migrations.rollback(app.caller(), {}))).toBe('200 rolled-back');
    expect(record().status).toBe('committed');
    expect(stateIn(app, 'de')).toBe('active');
  });
});

describe('rule 15: the stub of a tenant that has moved', () => {
  test('keeps what verifies a hook and names the new realm, and loses everything else', async () => {
    const { app } = await moved('committed');
    expect(app.tenants.peek('us', TENANT)).toEqual({
      tenant: TENANT,
      state: 'moved',
      credentials: { sharedSecret: 'secret-1', iat: 1_000 },
      installation: {},
      product: 'confluence',
      migration: '57500',
      ledger: 'us',
      fencedAt: expect.any(Number),
      movedTo: 'de',
      released: ['57500'],
      expiresAt: expect.any(Number),
    });
  });

  test('lives for 30 days, in which late hooks are answered', async () => {
    const { app, said } = await moved('committed');
    app.clock.advance(29 * DAY);
    app.tenants.sweep(app.clock.now());
    expect(await said.commit()).toBe('200 committed');
    expect(await said.status()).toBe('200 committed');
    expect(await app.realm('us').guard(TENANT, 'read')).toEqual({
      kind: 'elsewhere',
      realm: 'de',
      baseUrl: 'https://de.app.example',
    });
    app.clock.advance(2 * DAY);
    app.tenants.sweep(app.clock.now());
    expect(stateIn(app, 'us')).toBeUndefined();
  });
});

describe('attempts', () => {
  test('count anew in each phase, and no execution has the name of another', async () => {
    const migration = await moved('committing');
    const { app, said, record } = migration;
    expect([record().phase, attemptOfPhase(record())]).toEqual(['commit', 1]);
    const dies = () => {
      for (const run of app.workflows.running()) app.workflows.close(run, 'failed');
    };
    dies();
    await app.realm('us').janitor();
    expect([record().phase, attemptOfPhase(record())]).toEqual(['commit', 2]);
    expect(await said.rollback()).toBe('200 rolling-back');
    expect([record().phase, attemptOfPhase(record())]).toEqual(['restore', 1]);
    dies();
    await app.realm('us').janitor();
    expect([record().phase, attemptOfPhase(record())]).toEqual(['restore', 2]);
    await app.runAll();
    expect(record().status).toBe('rolled-back');
    expect([record().phase, attemptOfPhase(record())]).toEqual(['rollback', 1]);
    const attempts = app.workflows.runs().map(({ run }) => run.attempt);
    expect(new Set(attempts).size).toBe(attempts.length);
  });

  test('of a record from before phases were counted are what they were', () => {
    expect(attemptOfPhase({ attempt: 3 })).toBe(3);
    expect(attemptOfPhase({ attempt: 0 })).toBe(0);
  });
});
