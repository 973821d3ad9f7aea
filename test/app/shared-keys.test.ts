/**
 * Two tenants of which one is called like a shard of the other: the second to arrive is refused,
 * and an alarm is raised.
 */
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../lambdas/domain/refusal.ts';
import { arrivalAt, tenantRecord } from '../support/builders.ts';
import { memoryApp } from '../support/memory-app.ts';

/** Part `exports` has two shards. */
const installed = (app = memoryApp()) => ({
  app,
  install: (tenant: string) =>
    app.realm('us').lifecycle.installed(arrivalAt(app.clock, 'secret', tenant)),
  stateOf: (tenant: string) => app.tenants.peek('us', tenant)?.state,
  alarms: () => app.log.lines.filter(({ message }) => message.startsWith('alarm:')),
});

describe('installed', () => {
  test('refuses a client key that is a shard of another tenant, also where there is none', async () => {
    const { install, stateOf, alarms } = installed();
    for (const before of [undefined, 'acme']) {
      if (before !== undefined) await install(before);
      await expect(install('acme#01')).rejects.toThrow(
        new Refusal(
          409,
          undefined,
          'this client key cannot be installed here: the client key is a shard of tenant acme in part exports',
        ),
      );
    }
    expect([stateOf('acme'), stateOf('acme#01')]).toEqual(['active', undefined]);
    expect(alarms()).toHaveLength(2);
    expect(alarms()[0]).toMatchObject({
      message:
        'alarm: an installation is refused: the client key is a shard of tenant acme in part exports',
      fields: { clientKey: 'acme#01' },
    });
  });

  test('refuses a tenant of whom a shard is called like a tenant that is here already', async () => {
    const { app, install, stateOf, alarms } = installed();
    app.tenants.set('us', { ...tenantRecord(), tenant: 'acme#00' });
    await expect(install('acme')).rejects.toThrow('tenant acme#00 is called like a shard of it');
    expect([stateOf('acme'), stateOf('acme#00')]).toEqual([undefined, 'active']);
    expect(alarms()).toMatchObject([{ fields: { clientKey: 'acme' } }]);
  });

  test('goes on renewing the secret of either, where both are here', async () => {
    const { app, install, alarms } = installed();
    for (const tenant of ['acme', 'acme#00']) app.tenants.set('us', { ...tenantRecord(), tenant });
    for (const tenant of ['acme', 'acme#00']) await install(tenant);
    for (const tenant of ['acme', 'acme#00'])
      expect(app.tenants.peek('us', tenant)?.credentials.sharedSecret).toBe('secret');
    expect(alarms()).toEqual([]);
  });

  test.each(['acme#02', 'acme#1', 'acme#001', 'acme#', 'acme-01', 'acme#00#', 'a#b'])(
    'takes %j, which is no tenant’s shard',
    async (tenant) => {
      const { install, stateOf } = installed();
      await install(tenant);
      expect(stateOf(tenant)).toBe('active');
    },
  );
});
