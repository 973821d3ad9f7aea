/**
 * What `preflight` finds in the vendor's own tables: their form, what differs between realms, and
 * who may use their keys.
 */
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';
import { ACCOUNT } from '../support/aws/account.ts';
import { type Preflight, startPreflight } from '../support/preflight.ts';

/** `us` and `de` have a table each of the vendor's; which one, a test chooses. */
let tableOf: Readonly<Record<string, string>> = {};
let keyOf: Readonly<Record<string, string>> = {};
const residency: Residency = {
  ...configured,
  otherWritersSeconds: 0,
  realms: configured.realms.slice(0, 2),
  parts: configured.parts.map((part) =>
    part.name === 'templates'
      ? {
          ...part,
          sortKey: { name: 'at', type: 'N' },
          tableName: (realm) => tableOf[realm] ?? 'none',
          encryptionKeyArn: (realm) => keyOf[realm],
        }
      : part,
  ),
};
const key = (region: string) => `arn:aws:kms:${region}:${ACCOUNT}:key/own`;
const REGION = { us: 'us-east-1', de: 'eu-central-1' } as const;

const type = (name: string, AttributeType: 'S' | 'N' | 'B') => ({
  AttributeName: name,
  AttributeType,
});
const keys = (hash: string, range: string) => [
  { AttributeName: hash, KeyType: 'HASH' as const },
  { AttributeName: range, KeyType: 'RANGE' as const },
];
const byUser = (range: string) => ({
  IndexName: 'byUser',
  KeySchema: keys('user', range),
  Projection: { ProjectionType: 'ALL' as const },
});
const plain = {
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [type('tenant', 'S'), type('at', 'N')],
  KeySchema: keys('tenant', 'at'),
} as const satisfies Omit<CreateTableCommandInput, 'TableName'>;
const indexed = {
  ...plain,
  AttributeDefinitions: [...plain.AttributeDefinitions, type('user', 'S')],
  GlobalSecondaryIndexes: [byUser('at')],
};
const TABLES: Readonly<Record<string, Omit<CreateTableCommandInput, 'TableName'>>> = {
  plain,
  indexed,
  'indexed-by-text': {
    ...plain,
    AttributeDefinitions: [...indexed.AttributeDefinitions, type('id', 'S')],
    GlobalSecondaryIndexes: [byUser('id')],
  },
  local: {
    ...plain,
    AttributeDefinitions: [...plain.AttributeDefinitions, type('title', 'S')],
    LocalSecondaryIndexes: [
      {
        IndexName: 'byTitle',
        KeySchema: keys('tenant', 'title'),
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
  },
  'text-key': { ...plain, AttributeDefinitions: [type('tenant', 'S'), type('at', 'S')] },
};

let preflight: Preflight;
beforeAll(async () => {
  preflight = await startPreflight();
  for (const region of Object.values(REGION))
    for (const [TableName, table] of Object.entries(TABLES))
      await preflight.table(region, { TableName, ...table });
});
beforeEach(() => {
  preflight.reset();
  tableOf = { us: 'plain', de: 'plain' };
  keyOf = {};
});
afterAll(() => preflight[Symbol.asyncDispose]());

const found = async () => (await preflight.run(residency)).wrong;

describe('own tables', () => {
  test('that are as declared, and alike, are fine', async () => {
    const { code, checks } = await preflight.run(residency);
    expect(code).toBe(0);
    const says = checks.filter(({ check }) => check === 'own tables').map((one) => one.says);
    expect(says).toEqual([
      '1 own tables are there, with the keys and the expiry as declared',
      '1 own tables are there, with the keys and the expiry as declared',
      'the tables of part templates have the same indexes, streams and readers of them',
    ]);
  });

  test.each([
    ['missing', 'there is no table missing', 'a table of your own must exist before'],
    ['text-key', 'has the keys tenant (S), at (S)', 'declare them in residency.config.ts'],
  ])('that are not as declared are found in their realm: %s', async (table, says, fix) => {
    tableOf = { us: table, de: table };
    const wrong = (await found()).filter(({ check }) => check === 'own tables');
    expect(wrong.map(({ realm }) => realm)).toEqual(['us', 'de']);
    for (const one of wrong) {
      expect(one.says).toContain(says);
      expect(one.fix).toContain(fix);
    }
  });

  test('that let items expire by what is not declared are found', async () => {
    preflight.region(REGION.de).tables = { plain: { expiresBy: 'until' } };
    expect(await found()).toMatchObject([
      { realm: 'de', says: 'the table plain lets items expire by until, which is not declared' },
    ]);
  });

  test.each([
    ['indexed', 'plain', 'index byUser: user (S), at (N), ALL in us; not there in de'],
    [
      'indexed',
      'indexed-by-text',
      'index byUser: user (S), at (N), ALL in us; user (S), id (S), ALL in de',
    ],
    [
      'plain',
      'local',
      'local index byTitle: not there in us; tenant (S), title (S), KEYS_ONLY in de',
    ],
  ])('whose indexes differ are found: %s and %s', async (us, de, says) => {
    tableOf = { us, de };
    expect(await found()).toMatchObject([
      { realm: 'all', says: `the tables of part templates differ, ${says}` },
    ]);
  });

  const streaming = (name: string, region: string) => ({
    StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    LatestStreamArn: `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${name}/stream/2026`,
  });

  test('whose streams are read by a function here and by none there are found', async () => {
    for (const [at, region] of Object.values(REGION).entries())
      preflight.region(region).tables = {
        plain: { described: streaming('plain', region), functions: 1 - at },
      };
    expect(await found()).toMatchObject([
      { says: 'the tables of part templates differ, functions on the stream: 1 in us; 0 in de' },
    ]);
  });

  test('of which one goes to Kinesis, or has no stream, are found', async () => {
    preflight.region(REGION.us).tables = {
      plain: { described: streaming('plain', REGION.us), kinesisStreams: 1 },
    };
    expect((await found()).map(({ says }) => says)).toEqual([
      'the tables of part templates differ, stream: NEW_AND_OLD_IMAGES in us; off in de',
      'the tables of part templates differ, Kinesis streams: 1 in us; 0 in de',
    ]);
  });
});

describe('the key of an own table', () => {
  const onKey = (region: string) => ({
    plain: { described: { SSEDescription: { SSEType: 'KMS', KMSMasterKeyArn: key(region) } } },
  });
  const account = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
  const open = { Statement: [{ Effect: 'Allow', Principal: account, Action: 'kms:*' }] };

  /** Both tables are encrypted, and `us` has this key. */
  function encrypted(policy: unknown, state = 'Enabled', manager: 'AWS' | 'CUSTOMER' = 'CUSTOMER') {
    keyOf = { us: key(REGION.us), de: key(REGION.de) };
    for (const region of Object.values(REGION)) {
      preflight.region(region).tables = onKey(region);
      preflight.region(region).keys = {
        [key(region)]: { state: 'Enabled', manager: 'CUSTOMER', policy: open },
      };
    }
    preflight.region(REGION.us).keys = { [key(REGION.us)]: { state, manager, policy } };
  }

  test('is fine where the account’s own policies decide', async () => {
    encrypted(open);
    expect(await found()).toEqual([]);
  });

  test('is fine where it is the account’s own for DynamoDB, and nothing is declared', async () => {
    encrypted({}, 'Enabled', 'AWS');
    keyOf = { de: key(REGION.de) };
    expect(await found()).toEqual([]);
  });

  test('is found where it is not declared', async () => {
    encrypted(open);
    keyOf = { de: key(REGION.de) };
    const [wrong] = await found();
    expect(wrong).toMatchObject({ realm: 'us', check: 'own keys' });
    expect(wrong?.says).toBe(
      `the table plain is encrypted with ${key(REGION.us)}, and its part declares no key`,
    );
  });

  test('is found where it is declared, and the table is on another one', async () => {
    keyOf = { us: key(REGION.us) };
    expect((await found())[0]?.says).toContain(
      'is on a key that AWS keeps, and not on arn:aws:kms',
    );
  });

  test('is found where it is switched off', async () => {
    encrypted(open, 'PendingDeletion');
    expect((await found())[0]?.says).toContain('of the table plain is PendingDeletion');
  });

  test('is found where its policy names other roles', async () => {
    const others = { AWS: `arn:aws:iam::${ACCOUNT}:role/their-app` };
    encrypted({ Statement: [{ Effect: 'Allow', Principal: others, Action: 'kms:*' }] });
    const [wrong] = await found();
    expect(wrong?.says).toMatch(/does not let residency-prod-us-.+ use it for the table plain/);
    expect(wrong?.fix).toContain('kms:ViaService dynamodb.us-east-1.amazonaws.com');
  });
});
