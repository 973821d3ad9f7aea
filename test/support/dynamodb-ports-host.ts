/** Tenants and ledgers over the embedded DynamoDB, through HTTP and with the real client. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import { dynamoDbLedger } from '../../lambdas/adapters/records/dynamodb-ledger.ts';
import { dynamoDbTenants } from '../../lambdas/adapters/records/dynamodb-tenants.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import type { Clock } from '../../lambdas/ports.ts';
import {
  type DynamoDbCall,
  type InjectedFault,
  startEmbeddedDynamoDb,
} from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { createTables, tableDefinitions } from '../../lib/local/tables.ts';
import { collectedLog } from './log.ts';

const REALMS: readonly Realm[] = ['us', 'de'];
const WRITES = ['PutItem', 'DeleteItem'];

export type DynamoDbPortsHost = Awaited<ReturnType<typeof dynamoDbPortsHost>>;

export async function dynamoDbPortsHost(clock: Clock) {
  const log = collectedLog();
  let inject: (call: DynamoDbCall) => InjectedFault | undefined = () => undefined;
  let beforeWrite: (() => Promise<void>) | undefined;
  const database = await startEmbeddedDynamoDb({
    port: 0,
    regions: REALMS.map((realm) => `${realm}-test-1`),
    inject: (call) => inject(call),
    async onRequest({ operation }) {
      if (!WRITES.includes(operation)) return;
      const [once, rest] = [beforeWrite, undefined];
      beforeWrite = rest;
      await once?.();
    },
  });
  const clients = new Map(
    REALMS.map((realm) => [
      realm,
      new DynamoDBClient({
        endpoint: database.url,
        region: `${realm}-test-1`,
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
        maxAttempts: 3,
      }),
    ]),
  );
  const residency = { name: 'test', parts: [] };
  const client = (realm: Realm) => {
    const found = clients.get(realm);
    if (found === undefined) throw new Error(`the test has no realm ${realm}`);
    return found;
  };
  for (const realm of REALMS) {
    await createTables(client(realm), tableDefinitions(residency, 'test', realm));
  }
  const clientFor = (realm: Realm) =>
    DynamoDBDocumentClient.from(client(realm), {
      marshallOptions: { removeUndefinedValues: true },
    });
  const names = (realm: Realm) => physicalNames(residency, 'test', realm);

  async function close(): Promise<void> {
    for (const each of clients.values()) each.destroy();
    await database.close();
  }

  return {
    tenants: dynamoDbTenants({ clientFor, tableOf: (realm) => names(realm).tenants, clock }),
    ledger: dynamoDbLedger({ clientFor, tableOf: (realm) => names(realm).migrations, clock, log }),
    log,
    /**
     * For clients in other processes: the URL of the embedded DynamoDB. Realm us is in region
     * us-test-1.
     */
    url: database.url,
    clientFor: client,

    /** Injects the fault into every later call. */
    inject(fault: (call: DynamoDbCall) => InjectedFault | undefined): void {
      inject = fault;
    },
    /**
     * Loses the replies of the next `count` writes: each is made, its connection breaks, and the
     * SDK sends it again.
     */
    loseReplies(count: number): void {
      let left = count;
      const repeated = new Set<string>();
      inject = ({ operation, input }) => {
        const write = JSON.stringify(input);
        if (left === 0 || !WRITES.includes(operation) || repeated.has(write)) return undefined;
        left -= 1;
        repeated.add(write);
        return { lost: true };
      };
    },
    /** Called once, before the next write is checked. */
    beforeNextWrite(act: () => Promise<void>): void {
      beforeWrite = act;
    },
    putLedgerItem: (realm: Realm, item: Readonly<Record<string, unknown>>) =>
      clientFor(realm).send(new PutCommand({ TableName: names(realm).migrations, Item: item })),
    putTenantItem: (realm: Realm, item: Readonly<Record<string, unknown>>) =>
      clientFor(realm).send(new PutCommand({ TableName: names(realm).tenants, Item: item })),
    removeTenantItem: (realm: Realm, tenant: string) =>
      clientFor(realm).send(
        new DeleteCommand({ TableName: names(realm).tenants, Key: { tenant } }),
      ),
    /** Records and aliases, in the order of their keys. */
    async tenantItems(realm: Realm): Promise<readonly Readonly<Record<string, unknown>>[]> {
      const { Items: items = [] } = await clientFor(realm).send(
        new ScanCommand({ TableName: names(realm).tenants, ConsistentRead: true }),
      );
      return items.sort((a, b) => (String(a['tenant']) < String(b['tenant']) ? -1 : 1));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
