/**
 * The layouts of keys that vendors have, as parts of one configuration, and items under the keys
 * that an app would write. The keys are spelt out here, and not made by the templates.
 */
import {
  BatchWriteCommand,
  type DynamoDBDocumentClient,
  paginateScan,
} from '@aws-sdk/lib-dynamodb';
import type { DynamoDbPart } from '../../lambdas/domain/datasets/dataset.ts';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';

/** What an app knows of a tenant when it writes its items. */
export interface Who {
  readonly tenant: string;
  readonly cloudId: string;
  readonly installations: readonly string[];
  /** Digits, and base64 too. */
  readonly own: string;
}

export type Key = string | number | Uint8Array;

interface Layout {
  readonly declared: Omit<DynamoDbPart, 'kind' | 'policy'> & Partial<Pick<DynamoDbPart, 'policy'>>;
  readonly keysOf: (who: Who) => readonly Key[];
  /** Attributes of the item under a key, besides its owner. */
  readonly restOf?: (key: Key) => StoredItem;
}

const sk = { name: 'sk', type: 'S' } as const;
const one = (realm: string, stage: string) => `vendors-${stage}-${realm}`;
const numbers = Array.from({ length: 9 }, (_, at) => at + 1);
const installationUuid = (id: string) => id.slice(id.lastIndexOf('/') + 1);

export const LAYOUTS: readonly Layout[] = [
  {
    declared: { name: 'single', partitionKey: 'pk', sortKey: sk, key: 'TENANT#{tenant}' },
    keysOf: ({ tenant }) => [`TENANT#${tenant}`],
  },
  {
    declared: {
      name: 'listed',
      partitionKey: 'pk',
      sortKey: sk,
      key: ['TENANT#{tenant}', 'TENANT#{tenant}#CONFIG', 'TENANT#{tenant}#MEMBERS'],
      notOfTenants: ['SETTINGS', 'VERSION#*'],
    },
    keysOf: ({ tenant }) => [
      `TENANT#${tenant}`,
      `TENANT#${tenant}#CONFIG`,
      `TENANT#${tenant}#MEMBERS`,
    ],
  },
  {
    declared: {
      name: 'pooled',
      partitionKey: 'pk',
      sortKey: { name: 'at', type: 'N' },
      key: '{tenant}-{shard}',
      shards: { from: 1, to: 9 },
    },
    keysOf: ({ tenant }) => numbers.map((number) => `${tenant}-${number}`),
  },
  {
    declared: {
      name: 'electrodb',
      partitionKey: 'pk',
      sortKey: sk,
      key: '$app#tenantid_{tenant}',
      case: 'lower',
    },
    keysOf: ({ tenant }) => [`$app#tenantid_${tenant.toLowerCase()}`],
  },
  {
    declared: {
      name: 'numbered',
      partitionKey: 'id',
      sortKey: sk,
      key: '{tenantKey}',
      keyType: 'N',
    },
    keysOf: ({ own }) => [Number(own)],
  },
  {
    declared: { name: 'bytes', partitionKey: 'id', key: '{tenantKey}', keyType: 'B' },
    keysOf: ({ own }) => [Uint8Array.from(Buffer.from(own, 'base64'))],
  },
  {
    declared: {
      name: 'forge',
      partitionKey: 'pk',
      sortKey: sk,
      key: ['{installation}', 'LAST#{installationUuid}'],
    },
    keysOf: ({ installations }) =>
      installations.flatMap((id) => [id, `LAST#${installationUuid(id)}`]),
  },
  {
    declared: { name: 'sites', partitionKey: 'pk', sortKey: sk, key: 'SITE#{cloudId}' },
    keysOf: ({ cloudId }) => [`SITE#${cloudId}`],
  },
  {
    declared: { name: 'preferences', partitionKey: 'tenant' },
    keysOf: ({ tenant }) => [tenant],
  },
  {
    declared: {
      name: 'addons',
      partitionKey: 'clientKey',
      sortKey: { name: 'key', type: 'S' },
    },
    keysOf: ({ tenant }) => [tenant],
  },
  {
    declared: {
      name: 'entities',
      partitionKey: 'id',
      discover: { by: 'scan', attribute: 'owner', largestTableGB: 0.1 },
    },
    keysOf: ({ tenant }) => [1, 2, 3].map((number) => `PAGE#${number} of ${tenant}`),
  },
  {
    declared: {
      name: 'indexed',
      partitionKey: 'id',
      sortKey: sk,
      key: 'OWNER#{tenant}',
      discover: {
        by: 'index',
        index: 'of-owner',
        attribute: 'whose',
        largestTableGB: 3,
        segments: 2,
      },
    },
    keysOf: ({ tenant }) => [1, 2].map((number) => `NOTE#${number} of ${tenant}`),
    restOf: (key) => ({ whose: `OWNER#${String(key).slice('NOTE#1 of '.length)}` }),
  },
  {
    declared: {
      name: 'begun',
      partitionKey: 'id',
      discover: { by: 'scan', prefix: '{tenant}/', largestTableGB: 0.1, segments: 2 },
    },
    keysOf: ({ tenant }) => [1, 2, 3].map((number) => `${tenant}/PAGE/${number}`),
  },
  {
    declared: {
      name: 'installed',
      partitionKey: 'id',
      key: '{installation}',
      discover: { by: 'scan', attribute: 'installation', largestTableGB: 0.1 },
    },
    keysOf: ({ installations }) => installations.map((id) => `SETTING of ${id}`),
    restOf: (key) => ({ installation: String(key).slice('SETTING of '.length) }),
  },
  // Entities' ids that are numbers, and bytes.
  {
    declared: {
      name: 'counted',
      partitionKey: 'id',
      keyType: 'N',
      key: '{tenantKey}',
      discover: { by: 'scan', attribute: 'whose', largestTableGB: 0.1 },
    },
    keysOf: ({ own }) => [1, 2, 3].map((number) => Number(`${own}00${number}`)),
    restOf: (key) => ({ whose: String(key).slice(0, -3) }),
  },
  {
    declared: {
      name: 'hashed',
      partitionKey: 'id',
      keyType: 'B',
      sortKey: sk,
      discover: {
        by: 'index',
        index: 'of-owner',
        attribute: 'owner',
        largestTableGB: 3,
        segments: 2,
      },
    },
    keysOf: ({ tenant }) =>
      [1, 2].map((number) => new TextEncoder().encode(`hash ${number} of ${tenant}`)),
  },
  // Two parts in one table of the vendor's own; the second is a cache.
  {
    declared: {
      name: 'pages',
      partitionKey: 'pk',
      sortKey: { name: 'sk', type: 'B' },
      key: 'PAGES#{tenant}',
      tableName: one,
    },
    keysOf: ({ tenant }) => [`PAGES#${tenant}`],
  },
  {
    declared: {
      name: 'thumbs',
      policy: 'drop',
      partitionKey: 'pk',
      sortKey: { name: 'sk', type: 'B' },
      key: 'THUMBS#{tenant}',
      tableName: one,
    },
    keysOf: ({ tenant }) => [`THUMBS#${tenant}`],
  },
];

const partOf = ({ declared }: Layout): DynamoDbPart => ({
  kind: 'dynamodb',
  policy: 'move',
  ...declared,
});

/** The sample app's tables are there too, because its handlers are; its exports have two shards. */
export const LAID_OUT: Residency = {
  ...configured,
  realms: configured.realms.slice(0, 2),
  otherWritersSeconds: 0,
  parts: [
    ...tablesOf(configured.parts).map((part) =>
      part.shards === undefined ? part : { ...part, shards: 2 },
    ),
    ...LAYOUTS.map(partOf),
  ],
};

export type StoredItem = Readonly<Record<string, unknown>>;

/** One item under each key, or two where the table has a sort key. Each names its owner. */
export function itemsOf(who: Who): ReadonlyMap<string, readonly StoredItem[]> {
  return new Map(
    LAYOUTS.map((layout) => {
      const part = partOf(layout);
      const items = layout
        .keysOf(who)
        .flatMap((key) => itemsUnder(part, key, { owner: who.tenant, ...layout.restOf?.(key) }));
      return [part.name, items] as const;
    }),
  );
}

export function itemsUnder(
  { partitionKey, sortKey }: DynamoDbPart,
  key: Key,
  rest: StoredItem,
): readonly StoredItem[] {
  if (sortKey === undefined) return [{ [partitionKey]: key, ...rest }];
  return [1, 2].map((number) => ({
    [partitionKey]: key,
    [sortKey.name]: { S: `item ${number}`, N: number, B: Uint8Array.of(number) }[sortKey.type],
    ...rest,
  }));
}

const tableOf = (name: string, realm: string): string => {
  const part = LAID_OUT.parts.find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`no part ${name}`);
  return physicalNames(LAID_OUT, 'local', realm).part(part);
};

export async function stored(
  client: DynamoDBDocumentClient,
  realm: string,
  items: ReadonlyMap<string, readonly StoredItem[]>,
): Promise<void> {
  for (const [name, all] of items)
    for (let at = 0; at < all.length; at += 25) {
      const puts = all.slice(at, at + 25).map((item) => ({ PutRequest: { Item: { ...item } } }));
      await client.send(new BatchWriteCommand({ RequestItems: { [tableOf(name, realm)]: puts } }));
    }
}

/** Every item of every layout's table in a realm, as text: table, key, attributes. */
export async function everythingIn(
  client: DynamoDBDocumentClient,
  realm: string,
): Promise<readonly string[]> {
  const tables = new Set(LAYOUTS.map(({ declared }) => tableOf(declared.name, realm)));
  const found: string[] = [];
  for (const TableName of tables)
    for await (const { Items = [] } of paginateScan(
      { client },
      { TableName, ConsistentRead: true },
    ))
      for (const item of Items) found.push(textOf(TableName.replace(`-${realm}`, ''), item));
  return found.sort();
}

/** The same texts for items that a test has written. */
export const textsOf = (
  realm: string,
  items: ReadonlyMap<string, readonly StoredItem[]>,
): readonly string[] =>
  [...items]
    .flatMap(([name, all]) =>
      all.map((item) => textOf(tableOf(name, realm).replace(`-${realm}`, ''), item)),
    )
    .sort();

function textOf(table: string, item: StoredItem): string {
  const attributes = Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = attributes.map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  ]);
  return `${table} ${JSON.stringify(shown)}`;
}
