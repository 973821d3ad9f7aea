/**
 * Every command of the operator accepts the id of a tenant that came first by Forge: `#forge-…`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tenantOf } from '../../lib/local/story/site-values.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { eventually, facts, startWorld, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({ port, door: 'forge', env: { DRAIN_SECONDS: '2' } });
  residency = operatorCommand(port);
});
afterAll(() => world[Symbol.asyncDispose]());

async function installed(name: string) {
  const site = await world.installed(name);
  await world.fill(name, 'us');
  const tenant = tenantOf(site);
  expect(tenant).toMatch(/^#forge-/);
  return { site, tenant };
}

describe.concurrent('a tenant that Forge announced first', () => {
  test('is found, shown, audited and has a receipt once it has moved', async () => {
    const { site, tenant } = await installed('seen');
    await world.moved(site, 1, 'DE');
    const { report, code } = await residency.json('where', tenant);
    expect([code, report]).toMatchObject([0, { tenant, verdict: 'one', realm: 'de' }]);
    expect(await residency.json('show', tenant)).toMatchObject({
      code: 0,
      report: {
        timeline: expect.arrayContaining([expect.objectContaining({ status: 'committed' })]),
      },
    });
    expect(await residency.json('receipt', tenant, '1')).toMatchObject({
      code: 0,
      report: { tenant, outcome: 'committed' },
    });
    expect(await residency.json('audit', '--tenant', tenant)).toMatchObject({
      code: 0,
      report: { findings: [] },
    });
  });

  test('is rehearsed', async () => {
    const { tenant } = await installed('rehearsed');
    const input = { tenant, source: 'us', items: 40 };
    expect(await world.host.invoke('de', 'tasks/rehearse', input)).toMatchObject({
      verified: true,
    });
  });

  test('has settings of its own', async () => {
    const { site, tenant } = await installed('set');
    const args = ['set', '--realm', 'us', '--tenant', tenant, '--new-moves', 'off', '--yes'];
    expect(await residency.json(...args)).toMatchObject({ code: 0, report: { outcome: 'set' } });
    expect((await world.hook(site, 'schedule', 1, facts('DE'))).status).toBe(409);
  });

  test('has its scheduled move cancelled', async () => {
    const { site, tenant } = await installed('cancelled');
    await world.scheduled(site, 1);
    const { report } = await residency.json('cancel', tenant, '1', '--yes');
    expect(report).toMatchObject({ outcome: 'cancelled', status: 'rolled-back' });
  });

  test('has a commit that was halted tried again, and finished', async () => {
    const { site, tenant } = await installed('halted');
    await world.ready(site, 1);
    // A writer that does not ask the guard writes into the closed source: the commit halts.
    await world.put('us', 'templates', { tenant, id: 'a stray item' });
    expect((await world.hook(site, 'commit', 1)).status).toBe(200);
    await eventually(
      async () => (await world.migration('us', 'halted', 1))?.halted !== undefined,
      30_000,
    );
    await world.remove('us', 'templates', { tenant, id: 'a stray item' });
    const { report } = await residency.json('retry', tenant, '1', '--yes');
    expect(report).toMatchObject({ outcome: 'retried' });
    expect(await world.until(site, 1, ['committed'])).toBe('committed');
  });
});
