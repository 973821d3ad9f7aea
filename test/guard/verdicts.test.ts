/**
 * The guard outside these stacks gives the same verdicts as the handlers inside, for every state,
 * by every name, on one database.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type App, compose } from '../../lambdas/compose.ts';
import type { TenantRecord, TenantState } from '../../lambdas/domain/tenants/tenant.ts';
import { type GuardOptions, judged, residencyGuard } from '../../packages/guard/src/index.ts';
import { residency } from '../../residency.config.ts';
import { tenantRecord } from '../support/builders.ts';
import { manualClock } from '../support/clock.ts';
import { type DynamoDbPortsHost, dynamoDbPortsHost } from '../support/dynamodb-ports-host.ts';

const BASE_URLS = { us: 'https://us.app.example', de: 'https://de.app.example' };
const REALMS = Object.keys(BASE_URLS);
const installationId = (digit: string) =>
  `ari:cloud:ecosystem::installation/${digit.repeat(8)}-1111-2222-3333-444444444444`;

/** The type keeps the list complete. */
const STATES: Readonly<Record<TenantState, Partial<TenantRecord>>> = {
  active: {},
  frozen: { migration: '1', ledger: 'us' },
  standby: { migration: '1', ledger: 'us' },
  moved: { migration: '1', ledger: 'us', movedTo: 'de', expiresAt: 1, installation: {} },
  withdrawn: { migration: '1', ledger: 'us', wasOpen: true },
  retired: { uninstalledIat: 2_000 },
  purging: { uninstalledIat: 2_000 },
  opening: { openingIat: 2_000 },
};

let host: DynamoDbPortsHost;
let outside: ReturnType<typeof residencyGuard>;
/** The app of the handlers. */
let inside: App;
const options = (): GuardOptions => ({
  app: 'test',
  stage: 'test',
  realm: 'us',
  client: host.clientFor('us'),
  otherWritersSeconds: 60,
  baseUrls: BASE_URLS,
});
beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';
  host = await dynamoDbPortsHost(manualClock());
  outside = residencyGuard(options());
  inside = compose(
    {
      REALM: 'us',
      STAGE: 'test',
      ACCOUNT_ID: '000000000000',
      BASE_URLS: JSON.stringify(BASE_URLS),
      AWS_ENDPOINT_URL_DYNAMODB: host.url,
    },
    {
      residency: {
        ...residency,
        name: 'test',
        realms: REALMS.map((realm) => ({ realm, region: `${realm}-test-1` })),
      },
    },
  );
});
afterEach(() => host.inject(() => undefined));
afterAll(() => host.close());

const put = (record: TenantRecord) => host.tenants.change('us', record.tenant, () => record);

function counted(): unknown[] {
  const reads: unknown[] = [];
  host.inject(({ operation, input }) => {
    reads.push([operation, Object(input['Key']).tenant?.S, input['ConsistentRead']]);
    return undefined;
  });
  return reads;
}

describe('a verdict', () => {
  const rows = (['read', 'write'] as const).flatMap((access) =>
    Object.entries(STATES).map(([state, rest]) => [state as TenantState, access, rest] as const),
  );

  test.each(rows)(
    'of a tenant that is %s, for a %s, is that of the handlers',
    async (state, access, rest) => {
      const tenant = `${state}-${access}`;
      await put(tenantRecord({ tenant, state, ...rest }));
      const handlers = await inside.guard(tenant, access);
      expect(await outside(tenant, access)).toMatchObject({ ...handlers, tenant, state });
    },
  );

  test('of a tenant that has no record is that of the handlers', async () => {
    expect(await outside('nobody', 'read')).toEqual({
      ...(await inside.guard('nobody', 'read')),
      tenant: undefined,
      state: undefined,
    });
  });

  test('of a tenant that has moved to a realm without a known URL names the realm alone', async () => {
    await put(tenantRecord({ tenant: 'far', state: 'moved', movedTo: 'sg' }));
    expect(await outside('far', 'read')).toMatchObject({ realm: 'sg', baseUrl: undefined });
  });

  test('is asked for once, and lasts for reads and writes of the same request', async () => {
    await put(tenantRecord({ tenant: 'looked', state: 'frozen', migration: '1', ledger: 'us' }));
    const reads = counted();
    const verdict = await outside.look('looked');
    expect([verdict('read').kind, verdict('write').kind]).toEqual(['allowed', 'later']);
    expect(reads).toEqual([['GetItem', 'looked', true]]);
  });
});

describe('a tenant is found as the handlers find it', () => {
  const CLOUD = 'c1000000-0000-4000-8000-000000000001';
  const SHARED = 'c2000000-0000-4000-8000-000000000002';
  const forge = (digit: string, cloudId?: string, product = 'confluence') => ({
    app: {
      installationId: installationId(digit),
      installation: {
        contexts: [
          {
            cloudId,
            name: product,
          },
        ],
      },
    },
    context: {},
  });
  beforeAll(async () => {
    await put(
      tenantRecord({
        tenant: 'known',
        cloudId: CLOUD,
        product: 'confluence',
        installations: [{ id: installationId('a'), iat: 1 }],
      }),
    );
    await put(
      tenantRecord({
        tenant: '#forge-bbbbbbbb-1111-2222-3333-444444444444',
        clientKey: 'came-later',
        installations: [{ id: installationId('b'), iat: 1 }],
      }),
    );
    for (const product of ['jira', 'confluence'])
      await put(tenantRecord({ tenant: `two-${product}`, cloudId: SHARED, product }));
  });

  test.each([
    ['by its client key', 'known'],
    ['by the client key of one that first came by Forge', 'came-later'],
    ['by a client key that nobody has', 'nobody'],
  ])('%s', async (_, clientKey) => {
    const expected = await inside.identification.byClientKey(clientKey);
    expect((await outside(clientKey, 'read')).tenant).toBe(expected?.tenant);
    expect((await outside({ clientKey }, 'read')).tenant).toBe(expected?.tenant);
  });

  test.each([
    ['by its installation', 'a', undefined, 'confluence', 'known'],
    [
      'by its cloud id, where the installation was never announced',
      'c',
      CLOUD,
      'confluence',
      'known',
    ],
    ['by a cloud id in capitals', 'c', CLOUD.toUpperCase(), 'confluence', 'known'],
    ['by cloud id and product, of two at a site', 'c', SHARED, 'jira', 'two-jira'],
    ['not by the cloud id of another product', 'c', CLOUD, 'jira', undefined],
    [
      'not by a site that nobody is at',
      'c',
      'c9000000-0000-4000-8000-000000000009',
      'jira',
      undefined,
    ],
  ])('%s', async (_, digit, cloudId, product, tenant) => {
    const claims = {
      installationId: installationId(digit),
      iat: 1,
      ...(cloudId === undefined ? {} : { cloudId: cloudId.toLowerCase() }),
      product,
    };
    const caller = await inside.identification.forgeCaller(claims, 'look').catch(() => undefined);
    expect(caller?.tenant).toBe(tenant);
    const named = { ...claims, ...(cloudId === undefined ? {} : { cloudId }) };
    expect((await outside(named, 'read')).tenant).toBe(tenant);
    expect((await outside({ forge: forge(digit, cloudId, product) }, 'read')).tenant).toBe(tenant);
  });

  test('by a cloud id alone, where it means one tenant', async () => {
    expect((await outside({ cloudId: CLOUD }, 'read')).tenant).toBe('known');
    expect((await outside({ cloudId: SHARED }, 'read')).kind).toBe('unknown');
    expect((await outside({ cloudId: SHARED, product: 'jira' }, 'read')).tenant).toBe('two-jira');
  });

  test('not by an alias whose tenant has the name no more', async () => {
    await put(tenantRecord({ tenant: 'renamed', cloudId: 'c3000000-0000-4000-8000-000000000003' }));
    await host.putTenantItem('us', {
      tenant: `#installation#${installationId('d')}`,
      holders: [{ tenant: 'renamed' }],
      revision: 1,
    });
    expect((await outside({ installationId: installationId('d') }, 'read')).kind).toBe('unknown');
  });

  test('not by what has no form of an id: nothing is read', async () => {
    const reads = counted();
    for (const whose of [
      '',
      `#installation#${installationId('a')}`,
      { clientKey: 'with a space' },
      { installationId: 'a' },
      { forge: {} },
      { forge: { app: null } },
      { cloudId: '#' },
    ])
      expect((await outside(whose, 'write')).kind).toBe('unknown');
    expect(reads).toEqual([]);
  });
});

describe('the time for writes', () => {
  test('ends for every verdict of one look at once, and not before it is over', async () => {
    await put(tenantRecord({ tenant: 'timely' }));
    const look = await residencyGuard({ ...options(), otherWritersSeconds: 1 }).look('timely');
    const [one, other] = [look('write'), look('write')];
    if (one.kind !== 'allowed' || other.kind !== 'allowed') throw new Error('not allowed');
    expect(one.signal).toBe(other.signal);
    await expect.poll(() => one.signal.aborted).toBe(true);
    const day = await residencyGuard({ ...options(), otherWritersSeconds: 86_400 })(
      'timely',
      'read',
    );
    expect(day).toMatchObject({ kind: 'allowed', signal: { aborted: false } });
  });

  test('runs from before the read', async () => {
    host.inject(() => ({ delayMs: 1_100 }));
    const verdict = await residencyGuard({ ...options(), otherWritersSeconds: 1 })(
      'timely',
      'write',
    );
    if (verdict.kind !== 'allowed') throw new Error('not allowed');
    expect(verdict.signal.aborted).toBe(true);
  });

  test.each([0, -1, 1.5, 86_401, Number.NaN, undefined])('is not %s', (seconds) => {
    const wrong = { ...options(), otherWritersSeconds: seconds as number };
    expect(() => residencyGuard(wrong)).toThrow(
      'otherWritersSeconds is a whole number of seconds from 1 to 86400',
    );
  });
});

describe('options that name no table are refused', () => {
  test.each(['app', 'stage', 'realm'])('without a %s', (option) => {
    expect(() => residencyGuard({ ...options(), [option]: '' })).toThrow(
      `${option} is the ${option} of residency.config.ts, not `,
    );
  });
});

describe('a record that cannot be read', () => {
  test('is a fault where its state is one of a later version', async () => {
    await host.putTenantItem('us', {
      tenant: 'later-version',
      state: 'archived',
      installation: '{}',
      credentialsIat: 1,
    });
    await expect(outside('later-version', 'read')).rejects.toThrow(
      /is "archived", which this version of app-data-residency-guard does not know$/,
    );
  });

  test('is a fault, also where the item is none of these stacks', async () => {
    await host.putTenantItem('us', { tenant: 'foreign', state: 'active' });
    await expect(outside('foreign', 'read')).rejects.toMatchObject({ name: 'ResidencyFault' });
  });

  test('is a fault that names the table and the error, and no tenant', async () => {
    host.inject(() => ({ error: 'ValidationException', says: 'of known' }));
    await expect(outside('known', 'read')).rejects.toThrow(
      /^test-test-us-tenants cannot be read: ValidationException$/,
    );
  });
});

describe('of many messages', () => {
  test('each is judged, and each tenant read once', async () => {
    await put(tenantRecord({ tenant: 'in-move', state: 'standby', migration: '1', ledger: 'us' }));
    await put(tenantRecord({ tenant: 'here' }));
    const reads = counted();
    const messages = ['here', 'in-move', 'here', 'here', 'in-move'];
    const said = await judged(outside, messages, (tenant) => tenant);
    expect(said.map(({ message, verdict }) => [message, verdict.kind, verdict.state])).toEqual([
      ['here', 'allowed', 'active'],
      ['in-move', 'later', 'standby'],
      ['here', 'allowed', 'active'],
      ['here', 'allowed', 'active'],
      ['in-move', 'later', 'standby'],
    ]);
    expect(reads).toHaveLength(2);
  });

  test('none is judged where one cannot be', async () => {
    host.inject(({ input }) =>
      Object(input['Key']).tenant.S === 'in-move' ? { error: 'ValidationException' } : undefined,
    );
    await expect(judged(outside, ['here', 'in-move'], (tenant) => tenant)).rejects.toThrow(
      'cannot be read',
    );
  });
});
