/**
 * Aliases of tenants in DynamoDB: what a crash between any two writes leaves, and what it never
 * leaves.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import type { Decide } from '../../../lambdas/ports.ts';
import { tenantRecord } from '../../support/builders.ts';
import { DAY, manualClock } from '../../support/clock.ts';
import { type DynamoDbPortsHost, dynamoDbPortsHost } from '../../support/dynamodb-ports-host.ts';

const clock = manualClock();
let host: DynamoDbPortsHost;
let tenant = '';
let count = 0;
beforeAll(async () => {
  host = await dynamoDbPortsHost(clock);
});
afterAll(() => host.close());
beforeEach(() => {
  count += 1;
  tenant = `aliased-${count}`;
});

const installation = (id = 'a') => ({ id: `installation-${id}-of-${tenant}`, iat: 1 });
const named = (rest: Partial<TenantRecord> = {}): TenantRecord =>
  tenantRecord({ tenant, installations: [installation()], cloudId: `cloud-${tenant}`, ...rest });
const change = (decide: Decide<TenantRecord>) => host.tenants.change('us', tenant, decide);
const found = async (id = 'a') =>
  (await host.tenants.find('us', { kind: 'installation', value: installation(id).id })).length;
/** The tenant's aliases, with their expiry. */
const aliases = async (): Promise<readonly (readonly [string, unknown])[]> =>
  (await host.tenantItems('us'))
    .filter((item) => item['holders'] && JSON.stringify(item).includes(`${tenant}"`))
    .map((item) => [String(item['tenant']), item['expiresAt']]);

/**
 * Ends the caller at its write number `at`: that write and all later ones are not made. Returns
 * `false` when it made fewer.
 */
async function dyingAt(at: number, act: () => Promise<unknown>): Promise<boolean> {
  let writes = 0;
  host.inject(({ operation }) => {
    if (operation !== 'PutItem' && operation !== 'DeleteItem') return undefined;
    writes += 1;
    return writes >= at ? { error: 'AccessDeniedException' } : undefined;
  });
  const hasDied = await act().then(
    () => false,
    () => true,
  );
  host.inject(() => undefined);
  return hasDied;
}

/** Repeats it, each time ended one write later, until it makes all its writes. */
async function withEveryDeath(
  prepare: () => Promise<unknown>,
  act: () => Promise<unknown>,
  check: () => Promise<void>,
): Promise<number> {
  for (let at = 1; ; at += 1) {
    count += 1;
    tenant = `aliased-${count}`;
    await prepare();
    if (!(await dyingAt(at, act))) return at - 1;
    await check();
  }
}

describe('a new record', () => {
  test('has its names from the first moment, and for as long as it stands', async () => {
    await change(() => named());
    expect(await found()).toBe(1);
    expect(await aliases()).toEqual([
      [`#installation#${installation().id}`, undefined],
      [`#site#cloud-${tenant}`, undefined],
    ]);
  });

  test('that wrote no record leaves at most aliases that find no tenant, and expire within a day', async () => {
    const deaths = await withEveryDeath(
      async () => {},
      () => change(() => named()),
      async () => {
        const record = await host.tenants.read('us', tenant);
        expect(await found()).toBe(record === undefined ? 0 : 1);
        const day = Math.floor((clock.now() + DAY) / 1000);
        if (record === undefined) {
          for (const [, expiresAt] of await aliases()) expect(expiresAt).toBe(day);
        }
        // A repetition, or another write of the record, finishes the work.
        await change((current) => ({ ...(current ?? named()), released: ['again'] }));
        await change((current) => ({ ...(current ?? named()), released: ['and again'] }));
        expect(await found()).toBe(1);
        expect((await aliases()).map(([, expiresAt]) => expiresAt)).toEqual([undefined, undefined]);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(5);
  });
});

describe('a record that becomes a stub', () => {
  const expiresAt = Math.floor((clock.now() + 30 * DAY) / 1000);
  const stub: Decide<TenantRecord> = (current) => current && { ...current, expiresAt };

  test('takes its aliases along when it expires', async () => {
    await change(() => named());
    await change(stub);
    expect((await aliases()).map(([, at]) => at)).toEqual([expiresAt, expiresAt]);
    expect(await found()).toBe(1);
  });

  test('is found after every death in between, and keeps its names when it is kept after all', async () => {
    await withEveryDeath(
      () => change(() => named()),
      () => change(stub),
      async () => {
        expect(await found()).toBe(1);
        await change((current) => current && { ...current, released: ['kept'] });
        expect((await aliases()).map(([, at]) => at)).toEqual([undefined, undefined]);
      },
    );
  });

  test('that is kept gets its names back for good', async () => {
    await change(() => named({ expiresAt }));
    await change((current) => {
      if (current === undefined) return undefined;
      const { expiresAt: _, ...rest } = current;
      return rest;
    });
    expect((await aliases()).map(([, at]) => at)).toEqual([undefined, undefined]);
  });
});

describe('a record that is removed', () => {
  test('leaves no alias behind', async () => {
    await change(() => named());
    await change(() => 'remove');
    expect(await aliases()).toEqual([]);
  });

  test('leaves none either after a death in between, once it is removed again', async () => {
    const deaths = await withEveryDeath(
      () => change(() => named()),
      () => change(() => 'remove'),
      async () => {
        expect(await host.tenants.read('us', tenant)).toEqual(named());
        await change((current) => (current ? 'remove' : undefined));
        expect(await aliases()).toEqual([]);
        expect(await host.tenants.read('us', tenant)).toBeUndefined();
      },
    );
    expect(deaths).toBe(3);
  });

  test('and is written again instead, after a death in between, can be found again', async () => {
    await withEveryDeath(
      () => change(() => named()),
      () => change(() => 'remove'),
      async () => {
        await change((current) => current && { ...current, released: ['kept'] });
        expect(await found()).toBe(1);
      },
    );
  });
});

describe('an alias', () => {
  test('that is left over finds no tenant', async () => {
    await change(() => named());
    await host.putTenantItem('us', {
      tenant: `#installation#${installation('x').id}`,
      holders: [{ tenant }, { tenant: 'nobody' }],
      revision: 1,
    });
    expect(await found('x')).toBe(0);
  });

  test('of a record from before there were any is made by its next write', async () => {
    await change(() => named());
    for (const [key] of await aliases()) await host.removeTenantItem('us', key);
    expect(await found()).toBe(0);
    await change((current) => current && { ...current, released: ['1'] });
    expect(await found()).toBe(1);
  });

  test('that has expired finds no tenant, although it is still there', async () => {
    await change(() => named());
    const key = `#installation#${installation().id}`;
    const past = Math.floor(clock.now() / 1000) - 1;
    await host.putTenantItem('us', {
      tenant: key,
      holders: [{ tenant, expiresAt: past }],
      revision: 1,
      expiresAt: past,
    });
    expect(await found()).toBe(0);
  });

  test('holds no secret, and nothing of the installation', async () => {
    await change(() => named());
    const stored = (await host.tenantItems('us')).filter((item) => item['holders']);
    expect(JSON.stringify(stored)).not.toContain('secret');
    for (const item of stored) {
      const known = ['tenant', 'holders', 'revision', 'expiresAt'];
      expect(known).toEqual(expect.arrayContaining(Object.keys(item)));
    }
  });

  test('of a site that two tenants share lasts as long as the longer of them', async () => {
    const cloudId = `shared-${tenant}`;
    await change(() => named({ cloudId, expiresAt: 2_000_000_000 }));
    const other = `${tenant}-other`;
    await host.tenants.change('us', other, () => tenantRecord({ tenant: other, cloudId }));
    const site = async () =>
      (await host.tenantItems('us')).find((item) => item['tenant'] === `#site#${cloudId}`);
    expect((await site())?.['expiresAt']).toBeUndefined();
    await host.tenants.change('us', other, () => 'remove');
    expect((await site())?.['expiresAt']).toBe(2_000_000_000);
  });
});
