/** A host that cannot start: a sentence, exit code 1, and no waiting. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite/db/index.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import { startEmbeddedDynamoDb } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { hostRun } from '../../lib/local/functions/host-id.ts';
import { createTables, tableDefinitions } from '../../lib/local/tables.ts';
import { tcpPortsFrom } from '../../lib/local-ports.ts';
import { residency } from '../../residency.config.ts';
import {
  type Environment,
  freeTcpPorts,
  type HostProcess,
  hostProcess,
  runLocal,
} from './host-process.ts';

let folder: string;
let port: number;
let running: HostProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starting-host-'));
  port = await freeTcpPorts();
  running = hostProcess(port, { DATA_DIR: join(folder, 'data') });
  await running.start();
});
afterAll(async () => {
  await running.kill();
  await rm(folder, { recursive: true });
});

async function outcome(env: Environment): Promise<{ said: string; code: unknown }> {
  let said = '';
  const [code] = await once(
    runLocal(env, (text) => {
      said += text;
    }),
    'close',
  );
  return { said, code };
}

describe('a second host', () => {
  test('on a port that is taken says which one, and ends', async () => {
    expect(await outcome({ PORT: String(port) })).toEqual({
      said: `port ${port} is taken: PORT=… takes others\n`,
      code: 1,
    });
    // Its DynamoDB finds a free port, and then its S3 does not.
    expect(await outcome({ PORT: String(port - 3) })).toEqual({
      said: `port ${tcpPortsFrom(port - 3, residency.realms).objects} is taken: PORT=… takes others\n`,
      code: 1,
    });
  });

  test('on the same data says so, and ends', async () => {
    const other = String(await freeTcpPorts());
    const dataDir = join(folder, 'data');
    expect(await outcome({ PORT: other, DATA_DIR: dataDir })).toEqual({
      said: `the data directory ${dataDir} is in use by another host: DATA_DIR=… takes another one\n`,
      code: 1,
    });
  });
});

describe('a host in its next life', () => {
  test('knows what ended with its earlier ones, and nothing of others', () => {
    const dataDir = join(folder, 'lives');
    const [earlier, present, other] = [hostRun(dataDir), hostRun(dataDir), hostRun(undefined)];
    expect(present.isGone(earlier.newRequestId())).toBe(true);
    expect(present.isGone(present.newRequestId())).toBe(false);
    expect(present.isGone(other.newRequestId())).toBe(false);
    expect(present.isGone('1f6a5c1e-2f0b-4c9e-9a38-0c9f4a7d2b11')).toBe(false);
  });
});

describe('a store whose process was killed', () => {
  test('has its tables, and its indexes know every item', async () => {
    const dataDir = join(folder, 'store');
    const regions = ['us-east-1'];
    const definitions = tableDefinitions(residency, 'test', 'us');
    const { tenants, migrations } = physicalNames(residency, 'test', 'us');
    const open = async () => {
      const database = await startEmbeddedDynamoDb({ port: 0, dataDir, regions });
      const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
      const client = new DynamoDBClient({
        endpoint: database.url,
        region: 'us-east-1',
        credentials,
      });
      await createTables(client, definitions);
      const close = () => {
        client.destroy();
        return database.close();
      };
      return { client, close };
    };
    const record = { tenant: { S: 'a' }, id: { S: 'm' }, openIn: { S: 'us' }, dueAt: { S: '1' } };
    const first = await open();
    await first.client.send(new PutItemCommand({ TableName: migrations, Item: record }));
    await first.close();

    // The state after the first of two writes, of which the second was never made.
    const { db } = dynalite.create({ path: join(dataDir, 'us-east-1') });
    await db.open();
    const found: [string, object][] = [];
    for await (const [key, value] of db.iterator()) found.push([key, value]);
    for (const [key, value] of found) {
      if (key.startsWith('index-')) await db.del(key);
      if (key === `table~${tenants}`) await db.put(key, { ...value, TableStatus: 'CREATING' });
    }
    await db.close();

    const second = await open();
    const Item = { tenant: { S: 'b' } };
    await second.client.send(new PutItemCommand({ TableName: tenants, Item }));
    const query = new QueryCommand({
      TableName: migrations,
      IndexName: 'open',
      KeyConditionExpression: 'openIn = :realm',
      ExpressionAttributeValues: { ':realm': { S: 'us' } },
    });
    expect((await second.client.send(query)).Items).toEqual([record]);
    await second.close();
  });
});
