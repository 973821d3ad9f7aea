/** The DynamoDB part kind over the embedded DynamoDB, through HTTP and with the real client. */
import { randomUUID } from 'node:crypto';
import {
  BatchWriteItemCommand,
  DynamoDBClient,
  paginateScan,
  QueryCommand,
} from '@aws-sdk/client-dynamodb';
import { dynamoDbPartKind } from '../../lambdas/adapters/dataset/dynamodb-part-kind.ts';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import { defined } from '../../lambdas/domain/defined.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import {
  type EmbeddedDynamoDbOptions,
  startEmbeddedDynamoDb,
} from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { createTables, tableDefinitions } from '../../lib/local/tables.ts';
import type { PartKindHost, PartKindHostOptions } from './part-kind-suite.ts';

/** Everything in a part's table, of every tenant. */
export interface AllItems {
  all(realm: Realm, part: string): Promise<readonly Item[]>;
}

type Hooks = Pick<EmbeddedDynamoDbOptions, 'inject' | 'onRequest'> & {
  /** A realm whose tables put the items of one segment into the next one. */
  readonly turned?: Realm;
  /** The address of another DynamoDB, which stands in for the embedded one. */
  readonly elsewhere?: string;
};
/** Another DynamoDB may know AWS's regions alone. */
const REGIONS: Readonly<Record<Realm, string>> = { us: 'us-east-1', de: 'eu-central-1' };

/** Each realm's region is called `{realm}-test-1`. `pageItems: 0` stands for pages of 1 MB. */
export async function dynamoDbPartKindHost(
  options: PartKindHostOptions,
  { turned, elsewhere, ...hooks }: Hooks = {},
): Promise<PartKindHost & AllItems> {
  const { parts, realms, clock, pageItems, scansAtOnce } = options;
  const regionFor = (realm: Realm) =>
    elsewhere === undefined ? `${realm}-test-1` : (REGIONS[realm] ?? '');
  const database =
    elsewhere === undefined
      ? await startEmbeddedDynamoDb({ port: 0, regions: realms.map(regionFor), ...hooks })
      : undefined;
  const clients: DynamoDBClient[] = [];
  const clientsWith = (maxAttempts: number) => {
    const byRealm = new Map(
      realms.map((realm) => {
        const client = new DynamoDBClient({
          endpoint: database?.url ?? elsewhere ?? '',
          region: regionFor(realm),
          credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
          maxAttempts,
        });
        if (realm === turned) turn(client);
        clients.push(client);
        return [realm, client] as const;
      }),
    );
    return (realm: Realm) => {
      const client = byRealm.get(realm);
      if (client === undefined) throw new Error(`the test has no realm ${realm}`);
      return client;
    };
  };
  const [clientFor, writerFor] = [clientsWith(3), clientsWith(1)];
  const name = elsewhere === undefined ? 'test' : `test-${randomUUID()}`;
  const residency = { name, parts };
  const tableOf = (part: string, realm: Realm) => `${name}-test-${realm}-${part}`;
  for (const realm of realms)
    await createTables(clientFor(realm), tableDefinitions(residency, 'test', realm));

  return {
    kind: dynamoDbPartKind({
      clientFor,
      writerFor,
      tableOf: (part, realm) => physicalNames(residency, 'test', realm).part(part),
      parts,
      clock,
      ...(pageItems > 0 && { pageItems }),
      ...defined({ scansAtOnce }),
    }),

    async put(realm, part, items) {
      for (let start = 0; start < items.length; start += 25) {
        const writes = items
          .slice(start, start + 25)
          .map((item) => ({ PutRequest: { Item: { ...item } } }));
        await clientFor(realm).send(
          new BatchWriteItemCommand({ RequestItems: { [tableOf(part, realm)]: writes } }),
        );
      }
    },

    async read(realm, part, partition) {
      const items: Item[] = [];
      let after: Item | undefined;
      do {
        const answer = await clientFor(realm).send(
          new QueryCommand({
            TableName: tableOf(part, realm),
            ConsistentRead: true,
            KeyConditionExpression: 'tenant = :tenant',
            ExpressionAttributeValues: { ':tenant': { S: partition } },
            ExclusiveStartKey: after && { ...after },
          }),
        );
        items.push(...(answer.Items ?? []));
        after = answer.LastEvaluatedKey;
      } while (after !== undefined);
      return items;
    },

    async all(realm, part) {
      const items: Item[] = [];
      const pages = paginateScan(
        { client: clientFor(realm) },
        { TableName: tableOf(part, realm), ConsistentRead: true },
      );
      for await (const { Items: found = [] } of pages) items.push(...found);
      return items;
    },

    async close() {
      for (const client of clients) client.destroy();
      await database?.close();
    },
  };
}

/** DynamoDB does not promise that two tables have the same items in the same segment. */
function turn(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { Segment: at, TotalSegments: of }: Record<string, unknown> = { ...args.input };
      if (typeof at === 'number' && typeof of === 'number')
        Object.assign(args.input, { Segment: (at + 1) % of });
      return next(args);
    },
    { step: 'initialize', name: 'turned' },
  );
}
