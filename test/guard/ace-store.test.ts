/**
 * The store for atlassian-connect-express: client infos are the records of these stacks, all other
 * keys are the app's.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withCredentials } from '../../lambdas/domain/tenants/fence.ts';
import { type ResidencyStore, residencyStore } from '../../packages/guard/src/ace-store.ts';
import { tenantRecord } from '../support/builders.ts';
import { manualClock } from '../support/clock.ts';
import { type DynamoDbPortsHost, dynamoDbPortsHost } from '../support/dynamodb-ports-host.ts';

const INSTALLATION = 'ari:cloud:ecosystem::installation/aaaaaaaa-1111-2222-3333-444444444444';
const INSTALLED = {
  key: 'com.example.document-exporter',
  clientKey: 'one',
  baseUrl: 'https://one.atlassian.net/wiki',
  productType: 'confluence',
  future: { kept: true },
};

let host: DynamoDbPortsHost;
let store: ResidencyStore;
let own: Map<string, unknown>;
beforeAll(async () => {
  host = await dynamoDbPortsHost(manualClock());
});
beforeEach(async () => {
  own = new Map();
  const named = (key: string, clientKey: string) => `${clientKey}/${key}`;
  store = residencyStore({
    app: 'test',
    stage: 'test',
    realm: 'us',
    client: host.clientFor('us'),
    others: {
      get: async (key, clientKey) => own.get(named(key, clientKey)) ?? null,
      set: async (key, value, clientKey) => own.set(named(key, clientKey), value),
      del: async (key, clientKey) => own.delete(named(key, clientKey)),
      forForgeInstallation: (id) => `settings of ${id}`,
    },
  });
  await put({ sharedSecret: 'first', iat: 1_000 });
});
afterEach(() => host.inject(() => undefined));
afterAll(() => host.close());

const put = (credentials: { sharedSecret?: string; iat: number }) =>
  host.tenants.change('us', 'one', () =>
    tenantRecord({
      tenant: 'one',
      credentials,
      installation: INSTALLED,
      installations: [{ id: INSTALLATION, iat: 1_000 }],
    }),
  );

describe('the client info of a tenant', () => {
  test('is what installed delivered, unknown fields included, with the secret that stands', async () => {
    expect(await store.get('clientInfo', 'one')).toEqual({ ...INSTALLED, sharedSecret: 'first' });
  });

  test('has a rotated secret at once, also in a move', async () => {
    await host.tenants.change(
      'us',
      'one',
      (record) => record && { ...record, state: 'frozen', migration: '1', ledger: 'us' },
    );
    await host.tenants.change('us', 'one', (record) =>
      withCredentials(record, { sharedSecret: 'second', iat: 2_000 }),
    );
    expect(await store.get('clientInfo', 'one')).toMatchObject({ sharedSecret: 'second' });
  });

  test('still verifies tokens where the tenant has moved, so that the guard can say where to', async () => {
    await host.tenants.change(
      'us',
      'one',
      (record) => record && { ...record, state: 'moved', movedTo: 'de', installation: {} },
    );
    expect(await store.get('clientInfo', 'one')).toEqual({
      clientKey: 'one',
      sharedSecret: 'first',
      baseUrl: 'https://moved.invalid',
    });
  });

  test('is null for a tenant that was never installed, and for what is no client key', async () => {
    expect(await store.get('clientInfo', 'nobody')).toBeNull();
    expect(await store.get('clientInfo', `#installation#${INSTALLATION}`)).toBeNull();
  });

  test('is found by an installation of Forge', async () => {
    expect(await store.getClientSettingsForForgeInstallation(INSTALLATION)).toMatchObject({
      clientKey: 'one',
      sharedSecret: 'first',
    });
    const other = INSTALLATION.replaceAll('a', 'b');
    expect(await store.getClientSettingsForForgeInstallation(other)).toBeNull();
  });

  test('is null of a tenant that Connect has never installed', async () => {
    const id = INSTALLATION.replace('aaaaaaaa', 'cccccccc');
    const tenant = '#forge-cccccccc-1111-2222-3333-444444444444';
    await host.tenants.change('us', tenant, () =>
      tenantRecord({
        tenant,
        credentials: { iat: 1 },
        installations: [{ id, iat: 1 }],
        installation: {},
      }),
    );
    expect(await store.getClientSettingsForForgeInstallation(id)).toBeNull();
  });

  test('rejects with a fault where the table cannot be read', async () => {
    host.inject(() => ({ error: 'AccessDeniedException' }));
    await expect(store.get('clientInfo', 'one')).rejects.toMatchObject({ name: 'ResidencyFault' });
  });
});

describe('an installation that the app is told of', () => {
  test('is confirmed where the record has its secret, and writes nothing', async () => {
    const before = await host.tenantItems('us');
    const saved = await store.saveInstallation({ ...INSTALLED, sharedSecret: 'first' }, 'one');
    expect(saved).toEqual({ ...INSTALLED, sharedSecret: 'first' });
    await store.set('clientInfo', { ...INSTALLED, sharedSecret: 'first' }, 'one');
    expect(await host.tenantItems('us')).toEqual(before);
    expect(own).toEqual(new Map());
  });

  test.each([
    ['a secret that does not stand', { sharedSecret: 'older' }, 'one', 'has another secret'],
    ['no secret', { baseUrl: 'https://elsewhere.example' }, 'one', 'has another secret'],
    ['a tenant without a record', { sharedSecret: 'first' }, 'nobody', 'has none'],
    ['nothing', undefined, 'one', 'has another secret'],
  ])('with %s is refused by a sentence without secrets', async (_, value, clientKey, says) => {
    const refused = await store.saveInstallation(value, clientKey).catch((error) => error);
    expect(refused.message).toBe(
      `the clientInfo of ${clientKey} is not saved by the app: /installed of realm us keeps it in test-test-us-tenants, and ${says}`,
    );
    await expect(store.set('clientInfo', value, clientKey)).rejects.toThrow(says);
  });

  test('is not forgotten by a deletion: the stack retires it', async () => {
    await store.del('clientInfo', 'one');
    await store.deleteAssociation(INSTALLATION);
    await store.associateInstallations(INSTALLATION, 'another');
    expect(await store.getClientSettingsForForgeInstallation(INSTALLATION)).toMatchObject({
      clientKey: 'one',
    });
  });
});

test('all client infos are of those who are served here, without aliases', async () => {
  for (const state of ['frozen', 'moved', 'retired', 'standby'] as const)
    await host.tenants.change('us', state, () =>
      tenantRecord({
        tenant: state,
        state,
        cloudId: `cloud-of-${state}`,
        ...(state === 'retired' ? {} : { migration: '1', ledger: 'us' }),
      }),
    );
  const infos = await store.getAllClientInfos();
  expect(infos.map(({ clientKey }) => clientKey).sort()).toEqual(['frozen', 'one']);
});

test('every other key is the app’s, and what is of an installation of Forge', async () => {
  await store.set('oauth', { token: 'x' }, 'one');
  expect(await store.get('oauth', 'one')).toEqual({ token: 'x' });
  await store.del('oauth', 'one');
  expect(await store.get('oauth', 'one')).toBeNull();
  expect(store.forForgeInstallation(INSTALLATION)).toBe(`settings of ${INSTALLATION}`);
  expect(store.isMemoryStore()).toBe(false);
});
