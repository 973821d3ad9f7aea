/**
 * What `doctor` finds on the form of tables, the vendor's own included, over HTTP as AWS answers
 * it.
 */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { listenOn, stop } from '../../lib/local/http.ts';
import { tableDefinitions } from '../../lib/local/tables.ts';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { declaredTables, expiry, formFound, tables } from '../../lib/operator/doctor/table-form.ts';
import { operatorOf } from '../../lib/operator/operator.ts';
import { residency as configured } from '../../residency.config.ts';
import { mayRole } from '../support/operator-roles.ts';
import { ACCOUNT } from '../support/policies.ts';
import { templatesOf } from '../support/templates.ts';

/** One of the vendor's own tables, with a number as its sort key and an expiry. */
const OWN = 'app-templates';
const residency: Residency = {
  ...configured,
  realms: configured.realms.slice(0, 1),
  otherWritersSeconds: 0,
  parts: configured.parts.map((part) =>
    part.name === 'templates'
      ? {
          ...part,
          tableName: () => OWN,
          sortKey: { name: 'at', type: 'N' },
          ttlAttribute: 'until',
        }
      : part,
  ),
};

type Answer = Record<string, unknown>;
let described: Record<string, Answer> = {};
let expiring: Record<string, Answer> = {};
const server = createServer(async (request, response) => {
  const { TableName: name } = JSON.parse(await text(request));
  const isExpiry = String(request.headers['x-amz-target']).endsWith('DescribeTimeToLive');
  const table = described[name];
  response.writeHead(table === undefined ? 400 : 200, {
    'content-type': 'application/x-amz-json-1.0',
  });
  if (table === undefined)
    response.end(JSON.stringify({ __type: 'ResourceNotFoundException', message: 'not found' }));
  else
    response.end(
      JSON.stringify(isExpiry ? { TimeToLiveDescription: expiring[name] } : { Table: table }),
    );
});
const calls: OperatorCall[] = [];
let operator: ReturnType<typeof operatorOf>;

beforeAll(async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${await listenOn(server, 0)}`);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  operator = operatorOf({ residency, stage: 'prod', onCall: (call) => calls.push(call) });
});
beforeEach(() => {
  const made = tableDefinitions(residency, 'prod', 'us');
  described = Object.fromEntries(
    made.map(({ TableName: name = '', ...table }) => [name, { ...table, TableStatus: 'ACTIVE' }]),
  );
  const declared = declaredTables(residency, 'prod', 'us');
  expiring = Object.fromEntries(
    declared.map(({ name, ttlAttribute }) => [
      name,
      ttlAttribute === undefined
        ? { TimeToLiveStatus: 'DISABLED' }
        : { TimeToLiveStatus: 'ENABLED', AttributeName: ttlAttribute },
    ]),
  );
});
afterAll(async () => {
  operator.close();
  vi.unstubAllEnvs();
  await stop(server);
});

const own = (change: Answer) => {
  described[OWN] = { ...described[OWN], ...change };
};
const schema = (hash: string, range: string) => [
  { AttributeName: range, KeyType: 'RANGE' },
  { AttributeName: hash, KeyType: 'HASH' },
];
const types = (...pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));

describe('the check of tables', () => {
  test('is fine where all are as declared, in whatever order AWS says so', async () => {
    own({ KeySchema: schema('tenant', 'at') });
    expect(await tables(operator, 'us')).toEqual({
      ok: true,
      says: '5 tables are active, with their keys',
    });
  });

  test.each<[string, Answer, string]>([
    [
      'a sort key of another type',
      { AttributeDefinitions: types(['tenant', 'S'], ['at', 'S']) },
      'the table app-templates has the keys tenant (S), at (S)',
    ],
    [
      'a partition key of another type',
      { AttributeDefinitions: types(['tenant', 'B'], ['at', 'N']) },
      'the table app-templates has the keys tenant (B), at (N)',
    ],
    [
      'another key',
      {
        KeySchema: schema('tenant', 'id'),
        AttributeDefinitions: types(['tenant', 'S'], ['id', 'N']),
      },
      'the table app-templates has the keys tenant (S), id (N)',
    ],
    [
      'no sort key',
      { KeySchema: [{ AttributeName: 'tenant', KeyType: 'HASH' }] },
      'the table app-templates has the keys tenant (S)',
    ],
    [
      'a key of encryption that is disabled',
      { TableStatus: 'INACCESSIBLE_ENCRYPTION_CREDENTIALS' },
      'the encryption key of the table app-templates cannot be used',
    ],
    [
      'replicas in another region',
      { Replicas: [{ RegionName: 'eu-west-1' }] },
      'the table app-templates is replicated to eu-west-1',
    ],
  ])('finds %s', async (_, change, says) => {
    own(change);
    const found = await tables(operator, 'us');
    expect(found.ok).toBe(false);
    expect(found.says).toContain(says);
  });

  test('finds a table that is not there, and one without the index that we read', async () => {
    described['residency-prod-us-migrations'] = {
      ...described['residency-prod-us-migrations'],
      GlobalSecondaryIndexes: [],
    };
    expect(await tables(operator, 'us')).toMatchObject({
      ok: false,
      says: 'the table residency-prod-us-migrations has no index open',
    });
    delete described['residency-prod-us-tenants'];
    expect(await tables(operator, 'us')).toMatchObject({
      ok: false,
      says: 'there is no table residency-prod-us-tenants',
    });
  });
});

test('the form of an index by which a copy finds its keys is that of the declaration', () => {
  const discover = {
    by: 'index',
    index: 'byOwner',
    attribute: 'owner',
    largestTableGB: 1,
  } as const;
  const part = { kind: 'dynamodb', name: 'pages', policy: 'move', partitionKey: 'id' } as const;
  const parts = [{ ...part, discover }];
  const table = declaredTables({ ...residency, parts }, 'prod', 'us').find(({ name }) =>
    name.endsWith('-pages'),
  );
  if (table === undefined) throw new Error('the part has a table');
  const found = (KeySchema: KeySchemaElement[], IndexName = 'byOwner') =>
    formFound(table, {
      TableStatus: 'ACTIVE',
      AttributeDefinitions: ['id', 'owner'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [{ IndexName, KeySchema }],
    });
  const by = (AttributeName: string) => ({ AttributeName, KeyType: 'HASH' as const });
  expect(found([by('owner')])).toMatchObject({ ok: true });
  expect(found([by('owner')], 'another')).toMatchObject({
    ok: false,
    says: expect.stringContaining('has no index byOwner'),
  });
  expect(found([by('id')])).toMatchObject({
    ok: false,
    says: expect.stringContaining('is by id (S), and not by owner (S)'),
  });
});

describe('the check of expiry', () => {
  test('is fine where items expire by the attribute that is declared, and nowhere else', async () => {
    expect(await expiry(operator, 'us')).toEqual({
      ok: true,
      says: '5 tables let items expire as declared',
    });
    expiring[OWN] = { TimeToLiveStatus: 'ENABLING', AttributeName: 'until' };
    expect((await expiry(operator, 'us')).ok).toBe(true);
  });

  test.each<[string, string, Answer, string]>([
    ['that is off', OWN, { TimeToLiveStatus: 'DISABLED' }, 'lets no item expire, and not by until'],
    [
      'that is being switched off',
      OWN,
      { TimeToLiveStatus: 'DISABLING', AttributeName: 'until' },
      'lets no item expire, and not by until',
    ],
    [
      'by another attribute',
      OWN,
      { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' },
      'lets items expire by ttl, and not by until',
    ],
    [
      'that is not declared',
      'residency-prod-us-exports',
      { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' },
      'lets items expire by ttl, which is not declared',
    ],
  ])('finds one %s', async (_, name, answer, says) => {
    expiring[name] = answer;
    const found = await expiry(operator, 'us');
    expect(found).toMatchObject({ ok: false, says: `the table ${name} ${says}` });
  });
});

test('both stay within operator-read', () => {
  const [template] = templatesOf(residency, { stage: 'prod' });
  if (template === undefined) throw new Error('there is no template');
  const asked = new Set(
    calls.map(({ command, input }) => {
      const { TableName: name }: Record<string, unknown> = { ...input };
      return `${command} ${name}`;
    }),
  );
  expect(asked.size).toBe(10);
  for (const one of asked) {
    const [command = '', name = ''] = one.split(' ');
    const resource = `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/${name}`;
    const action = `dynamodb:${command}`;
    expect(mayRole(template, 'operator-read', { action, resource }), one).toBe(true);
  }
});
