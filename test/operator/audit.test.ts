/**
 * `audit`: finds nothing on clean data, after any moves; and finds each planted irregularity, and
 * no other.
 */
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../lib/operator/audit/evidence.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { facts, startWorld, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({ port });
  residency = operatorCommand(port);
  for (const [at, tenant] of ['committed', 'rolled-back', 'in-progress', 'copying'].entries()) {
    const site = await world.installed(tenant);
    await world.fill(tenant, 'us', 10);
    if (tenant === 'committed') await world.moved(site, at, 'DE');
    if (tenant === 'in-progress' || tenant === 'rolled-back') await world.ready(site, at);
    if (tenant === 'rolled-back') {
      await world.hook(site, 'rollback', at);
      await world.until(site, at, ['rolled-back']);
    }
    if (tenant === 'copying') {
      await world.scheduled(site, at);
      await world.hook(site, 'start', at, facts('DE'));
    }
  }
});
afterAll(() => world[Symbol.asyncDispose]());

const put = (realm: string, table: string, item: object) =>
  world.documents(realm).send(
    new PutCommand({
      TableName: `residency-local-${realm}-${table}`,
      Item: { revision: 1, ...item },
    }),
  );
const record = (realm: string, tenant: string, item: object) =>
  put(realm, 'tenants', {
    tenant,
    sharedSecret: 's',
    credentialsIat: 1,
    installation: '{}',
    ...item,
  });
const DAY = 86_400;
const now = Math.floor(Date.now() / 1000);

/** What breaks a rule, and the finding for it: kind, realm, tenant. */
const PLANTED: readonly {
  readonly plant: () => Promise<unknown>;
  readonly found: readonly [kind: Finding['kind'], realm: string, tenant?: string];
}[] = [
  {
    plant: () =>
      world.put(
        'au',
        'exports',
        { tenant: 'unheard-of#01', id: 'x' },
        { tenant: 'unheard-of#01', id: 'y' },
      ),
    found: ['items-without-active-record', 'au', 'unheard-of'],
  },
  {
    plant: () => world.put('us', 'templates', { tenant: 'committed', id: 'left behind' }),
    found: ['items-without-active-record', 'us', 'committed'],
  },
  {
    plant: async () => {
      await record('eu', 'twice', { state: 'active' });
      await record('sg', 'twice', { state: 'active' });
    },
    found: ['active-twice', 'eu', 'twice'],
  },
  {
    plant: () =>
      record('sg', 'old-stub', { state: 'moved', movedTo: 'us', expiresAt: now - 4 * DAY }),
    found: ['stub-past-expiry', 'sg', 'old-stub'],
  },
  {
    plant: () => record('sg', 'gone', { state: 'retired', purgeDueAt: now - 4 * DAY }),
    found: ['retired-past-purge-date', 'sg', 'gone'],
  },
  {
    plant: () =>
      put('au', 'migrations', {
        tenant: 'receipt-alone',
        id: 'receipt#5',
        receipt: {
          tenant: 'receipt-alone',
          id: '5',
          source: 'us',
          target: 'au',
          state: 'committed',
          at: '2026-01-01T00:00:00.000Z',
          checksums: {},
        },
      }),
    found: ['receipt-without-counterpart', 'au', 'receipt-alone'],
  },
  {
    plant: () =>
      world.documents('de').send(
        new DeleteCommand({
          TableName: 'residency-local-de-migrations',
          Key: { tenant: 'committed', id: 'receipt#0' },
        }),
      ),
    found: ['receipt-without-counterpart', 'us', 'committed'],
  },
  {
    plant: () =>
      put('eu', 'migrations', {
        tenant: '#realm',
        id: 'slots#0',
        windows: [['nobody', '1', '2026-01-01', '2026-01-01', '2026-01-02']],
      }),
    found: ['slot-without-migration', 'eu', 'nobody'],
  },
  {
    plant: () => world.put('de', 'templates', { tenant: '#rehearsal', id: 'sample' }),
    found: ['rehearsal-leftover', 'de'],
  },
  {
    plant: () => put('sg', 'tenants', { tenant: '#site#lost', holders: [{ tenant: 'lost' }] }),
    found: ['alias-without-record', 'sg', 'lost'],
  },
  {
    plant: () => record('au', 'shut', { state: 'frozen', migration: '0', ledger: 'us' }),
    found: ['record-of-final-migration', 'au', 'shut'],
  },
];

describe('audit', () => {
  test('finds nothing after a committed move and a rolled-back one, and beside two in progress', async () => {
    const [all, records, committed, inProgress] = [
      await residency.json('audit', '--all'),
      await residency.json('audit'),
      await residency.json('audit', '--tenant', 'committed'),
      await residency.json('audit', '--tenant', 'in-progress'),
    ];
    expect(all).toMatchObject({
      code: 0,
      report: {
        scope: 'everything',
        findings: [],
        looked: { migrations: 4 },
        cost: { readUnits: expect.any(Number), dollars: expect.any(Number) },
      },
    });
    expect(Object(all.report).looked.partitions).toBeGreaterThan(12);
    expect(records).toMatchObject({ code: 0, report: { scope: 'records', findings: [] } });
    expect(committed).toMatchObject({
      code: 0,
      report: { scope: 'tenant', tenant: 'committed', findings: [], looked: { receipts: 2 } },
    });
    expect(inProgress).toMatchObject({ code: 0, report: { findings: [] } });
  });

  test('finds each irregularity that is planted, and no other', async () => {
    for (const { plant } of PLANTED) await plant();
    const { code, report } = await residency.json('audit', '--all');
    const findings: readonly Finding[] = Object(report).findings;
    const found = findings.map(({ kind, realm, tenant }) => [kind, realm, tenant].join(' ').trim());
    expect(found.toSorted()).toEqual(PLANTED.map((one) => one.found.join(' ')).toSorted());
    expect(code).toBe(1);
    expect(findings.find(({ tenant }) => tenant === 'unheard-of')).toMatchObject({
      part: 'exports',
      items: 2,
      says: 'it has items here, and no record',
    });
  });

  test('of one tenant finds what is of that tenant', async () => {
    const { code, stdout } = await residency('audit', '--tenant', 'committed');
    expect(code).toBe(1);
    expect(stdout).toMatch(/us +committed +items-without-active-record +templates +1/);
    // leftovers of a rehearsal belong to no tenant, and are always reported
    expect(stdout).toContain('✗ committed: 3 found');
  });

  test('names a tenant that a terminal would obey, without letting it', async () => {
    const tenant = 'odd\u009b31m\u202eddo';
    await world.put('eu', 'templates', { tenant, id: 'x' });
    const [text, { report }] = await Promise.all([
      residency('audit', '--all'),
      residency.json('audit', '--all'), // throws where such a character is printed as it is
    ]);
    const findings: readonly Finding[] = Object(report).findings;
    expect(findings.filter((one) => one.tenant === tenant)).toMatchObject([{ realm: 'eu' }]);
    expect(text.stdout).toContain('odd\\u{9b}31m\\u{202e}ddo');
  });
});
