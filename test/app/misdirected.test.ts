/**
 * Hooks that reach a realm which the tenant has left: they act on the migration in its own realm,
 * or are refused; none is answered without one.
 */
import { describe, expect, test } from 'vitest';
import { Fault } from '../../lambdas/domain/refusal.ts';
import { TENANT } from '../support/builders.ts';
import { DAY, MINUTE } from '../support/clock.ts';
import type { Hooks } from '../support/in-memory-cells.ts';
import { type Move, move, type Row, situation, tenantInUs } from '../support/moves.ts';

/**
 * The tenant has moved from us to de, so that us has a stub. The next move, from de to eu, is in
 * this state.
 */
async function afterOneMove(row: Row, hooks: Hooks = {}): Promise<Move> {
  const app = tenantInUs({ hooks });
  await move(app, { id: '1' }).driveTo('committed');
  app.clock.advance(DAY);
  const next = move(app, { id: '2', source: 'de', location: 'EU' });
  await next.driveTo(row);
  return next;
}

describe('at the stub of a tenant whose next migration runs elsewhere', () => {
  test.each<[Row, string]>([
    ['scheduled', '200 rolled-back'],
    ['copying', '200 rolling-back'],
    ['ready-to-commit', '200 rolling-back'],
    ['committing', '200 rolling-back'],
    ['failed', '200 rolling-back'],
    ['rolling-back', '200 rolling-back'],
    ['rolled-back', '200 rolled-back'],
  ])('a rollback of what is %s is done where it runs', async (row, answer) => {
    const { app, said, record } = await afterOneMove(row);
    expect(await said.rollback('us')).toBe(answer);
    await app.runAll();
    expect(record().status).toBe('rolled-back');
    expect(await said.rollback('us')).toBe('200 rolled-back');
    expect(situation(app)).toMatchObject({ de: { state: 'active' } });
    expect(app.migrations.peek({ ledger: 'us', tenant: TENANT, id: '2' })).toBeUndefined();
    expect(app.tenants.peek('de', TENANT)?.released).toContain('2');
    expect(app.slots.peek('de')).toEqual([]);
    expect(app.tenants.peek('us', TENANT)).toMatchObject({ state: 'moved', movedTo: 'de' });
  });

  test.each<[Row, string]>([
    ['scheduled', '200 scheduled'],
    ['copying', '200 copying'],
    ['ready-to-commit', '200 ready-to-commit'],
    ['failed', '200 failed E9999'],
    ['committed', '200 committed'],
  ])('a status of what is %s is the one of where it runs', async (row, answer) => {
    const { said } = await afterOneMove(row);
    expect(await said.status('us')).toBe(answer);
  });

  test('a commit switches the tenant over, as it does at the source', async () => {
    const { app, said, record } = await afterOneMove('ready-to-commit');
    expect(await said.commit('us')).toBe('200 committing');
    await app.runAll();
    expect(record().status).toBe('committed');
    expect(situation(app)).toMatchObject({ eu: { state: 'active' } });
    expect(await said.rollback('us')).toBe('200 rolling-back');
    await app.runAll();
    expect(record().status).toBe('rolled-back');
  });

  test('a schedule that is said again is still scheduled, and one that is new is refused', async () => {
    const { app, said, record } = await afterOneMove('scheduled');
    expect(await said.schedule('us')).toBe('200 scheduled');
    expect(record()).toMatchObject({ status: 'scheduled', ledger: 'de' });
    expect(await move(app, { id: '3' }).said.schedule('us')).toBe('409 E9999');
  });

  test('a start is refused, and one that is said again is answered by what runs', async () => {
    const { app, said, record, facts } = await afterOneMove('scheduled');
    app.clock.advanceTo(Date.parse(facts.startTime));
    expect(await said.start('us')).toBe('409 E9999');
    expect(record().status).toBe('scheduled');
    expect(situation(app)).toMatchObject({ de: { state: 'active' } });
    expect(await said.start('de')).toBe('200 copying');
    expect(await said.start('us')).toBe('200 copying');
  });

  test('a rollback of an unknown id leaves a tombstone where the tenant lives: a delayed schedule is refused', async () => {
    const { app } = await afterOneMove('no record');
    const unknown = move(app, { id: '7', source: 'de', location: 'EU' });
    expect(await unknown.said.rollback('us')).toBe('200 rolled-back');
    expect(await unknown.said.rollback('us')).toBe('200 rolled-back');
    expect(app.migrations.peek({ ledger: 'us', tenant: TENANT, id: '7' })?.status).toBe(
      'rolled-back',
    );
    expect(await unknown.said.schedule('de')).toBe('409 E9999');
  });

  test('a rollback is a fault, and is repeated, while the realm where it could run does not answer', async () => {
    let isDown = false;
    const { said, app, record } = await afterOneMove('copying', {
      step: async ({ port, name, realm }) => {
        if (isDown && port === 'migrations' && name === 'read' && realm === 'de')
          throw new Fault('realm de does not answer');
      },
    });
    isDown = true;
    expect(await said.rollback('us')).toBe('503');
    expect(app.migrations.peek({ ledger: 'us', tenant: TENANT, id: '2' })).toBeUndefined();
    isDown = false;
    expect(await said.rollback('us')).toBe('200 rolling-back');
    await app.runAll();
    expect(record().status).toBe('rolled-back');
  });

  test('a tombstone that an earlier answer has left at the stub hides nothing', async () => {
    const { app, said, record } = await afterOneMove('copying');
    const now = new Date(app.clock.now()).toISOString();
    const tombstone = {
      ledger: 'us',
      tenant: TENANT,
      id: '2',
      status: 'rolled-back',
      source: 'us',
      target: 'us',
      scheduledAt: now,
      scheduledIat: 1,
      updatedAt: now,
      attempt: 0,
    } as const;
    await app.migrations.change(tombstone, 'rollback', () => tombstone);
    expect(await said.rollback('us')).toBe('200 rolling-back');
    await app.runAll();
    expect(record().status).toBe('rolled-back');
  });
});

test('over two moves, a rollback at the first stub reaches the third realm', async () => {
  const app = tenantInUs();
  await move(app, { id: '1' }).driveTo('committed');
  app.clock.advance(DAY);
  await move(app, { id: '2', source: 'de', location: 'EU' }).driveTo('committed');
  app.clock.advance(DAY);
  const third = move(app, { id: '3', source: 'eu', location: 'DE' });
  await third.driveTo('ready-to-commit');
  app.clock.advance(MINUTE);
  expect(await third.said.rollback('us')).toBe('200 rolling-back');
  await app.runAll();
  expect(third.record().status).toBe('rolled-back');
  expect(situation(app)).toMatchObject({ eu: { state: 'active' } });
  const unknown = move(app, { id: '9', source: 'eu', location: 'DE' });
  expect(await unknown.said.rollback('us')).toBe('200 rolled-back');
  expect(await unknown.said.schedule('eu')).toBe('409 E9999');
});

test('in the target of a move, a rollback of an unknown id leaves a tombstone in the source', async () => {
  const its = move(tenantInUs(), { id: '1' });
  await its.driveTo('ready-to-commit');
  const { app } = its;
  const unknown = move(app, { id: '7' });
  expect(await unknown.said.rollback('de')).toBe('200 rolled-back');
  expect(app.migrations.peek({ ledger: 'us', tenant: TENANT, id: '7' })?.status).toBe(
    'rolled-back',
  );
  expect(its.record().status).toBe('ready-to-commit');
});
