/**
 * The Lambdas as they are deployed: each minified file in a process of its own, with Lambda's
 * environment only.
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { BatchWriteItemCommand, DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Realm, regionOf } from '../../lambdas/domain/realm.ts';
import { hookToken, installToken } from '../../lib/atlassian-tokens.ts';
import { BUCKET_GRANTS } from '../../lib/bucket-grants.ts';
import { type Bundle, bundle } from '../../lib/bundle.ts';
import { ENTRIES } from '../../lib/entries.ts';
import { createBuckets } from '../../lib/local/buckets.ts';
import {
  type EmbeddedDynamoDb,
  startEmbeddedDynamoDb,
} from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { type EmbeddedS3, startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import { createTables, tableDefinitions } from '../../lib/local/tables.ts';
import { residency } from '../../residency.config.ts';
import { itemOf, TENANT } from '../support/builders.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { startStatesStandIn } from '../support/states-stand-in.ts';

const execute = promisify(execFile);
const BASE_URLS = { us: 'https://us.app.example', de: 'https://de.app.example' };
const SECRET = 'only the two of us know';
const KB = 1024;
const S3 = '@aws-sdk/client-s3';
const ACCOUNT = '000000000000';

const installKey = {
  kid: randomUUID(),
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
let built: Bundle;
let database: EmbeddedDynamoDb;
let objects: EmbeddedS3;
let states: Awaited<ReturnType<typeof startStatesStandIn>>;
let keys: KeyServer;
const clients = new Map<Realm, DynamoDBClient>();

beforeAll(async () => {
  built = await bundle({ outdir: mkdtempSync(join(tmpdir(), 'bundled-lambdas-')) });
  const regions = residency.realms.map(({ region }) => region);
  database = await startEmbeddedDynamoDb({ port: 0, regions });
  objects = await startEmbeddedS3({ port: 0, regions });
  states = await startStatesStandIn();
  const body = installKey.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  keys = await startKeyServer((path) =>
    path === `/${installKey.kid}` ? { status: 200, body } : undefined,
  );
  for (const { realm, region } of residency.realms) {
    const client = new DynamoDBClient({ region, endpoint: database.url, credentials });
    await createTables(client, tableDefinitions(residency, 'test', realm));
    clients.set(realm, client);
    const buckets = new S3Client({
      region,
      endpoint: objects.url,
      credentials,
      forcePathStyle: true,
    });
    await createBuckets(buckets, residency, { stage: 'test', account: ACCOUNT, realm, region });
    buckets.destroy();
  }
});

afterAll(async () => {
  for (const client of clients.values()) client.destroy();
  await Promise.all([database.close(), objects.close(), states.close(), keys.close()]);
  await rm(built.outdir, { recursive: true });
});

const templatesTable = (realm: Realm) =>
  tableDefinitions(residency, 'test', realm)[2]?.TableName ?? '';

/** Loads the file and calls its handler, as Lambda does. */
const RUN = `
  const { handler } = await import(process.argv[1]);
  const context = { awsRequestId: 'one', getRemainingTimeInMillis: () => 60_000 };
  process.stdout.write('\\n' + JSON.stringify(await handler(JSON.parse(process.argv[2]), context)));
  process.exit();`;

async function invoke(entry: string, realm: Realm, event: unknown, more: object = {}) {
  const file = pathToFileURL(join(built.outdir, `${entry}.mjs`)).href;
  const env = {
    REALM: realm,
    STAGE: 'test',
    ACCOUNT_ID: ACCOUNT,
    DRAIN_SECONDS: '0',
    BASE_URLS: JSON.stringify(BASE_URLS),
    INSTALL_KEYS_URL: keys.url,
    AWS_REGION: regionOf(residency.realms, realm),
    AWS_ENDPOINT_URL_DYNAMODB: database.url,
    AWS_ENDPOINT_URL_S3: objects.url,
    AWS_ENDPOINT_URL_SFN: states.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_SESSION_TOKEN: 'test',
    ...more,
  };
  const args = ['--input-type=module', '-e', RUN, file, JSON.stringify(event)];
  const { stdout } = await execute(process.execPath, args, { env });
  return { result: JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1)), log: stdout };
}

const request = (method: string, path: string, token: string, body: object) => ({
  version: '2.0',
  routeKey: `${method} ${path}`,
  rawPath: path,
  rawQueryString: '',
  headers: { authorization: `JWT ${token}` },
  requestContext: { requestId: 'one', http: { method, path } },
  body: JSON.stringify(body),
  isBase64Encoded: false,
});

const signed = (path: string) => ({
  method: 'POST',
  url: `${BASE_URLS.us}${path}`,
  baseUrl: BASE_URLS.us,
});

const installation = {
  key: residency.app.key,
  clientKey: TENANT,
  sharedSecret: SECRET,
  baseUrl: 'https://one.example',
  eventType: 'installed',
};
const installed = () => {
  const token = installToken(installKey, TENANT, signed('/installed'));
  return request('POST', '/installed', token, installation);
};

function hook(name: string, secret = SECRET) {
  const path = `/dare-migration/${name}`;
  const now = Date.now();
  return request('POST', path, hookToken(TENANT, secret, signed(path)), {
    location: 'DE',
    migrationId: 57500,
    startTime: new Date(Math.floor(now / HOUR) * HOUR).toISOString(),
    endTime: new Date(Math.floor(now / HOUR) * HOUR + 2 * HOUR).toISOString(),
  });
}
const HOUR = 60 * 60 * 1000;

function clientIn(realm: Realm): DynamoDBClient {
  const client = clients.get(realm);
  if (client === undefined) throw new Error(`no client in ${realm}`);
  return client;
}

async function templatesIn(realm: Realm) {
  const { Items = [] } = await clientIn(realm).send(
    new QueryCommand({
      TableName: templatesTable(realm),
      ConsistentRead: true,
      KeyConditionExpression: 'tenant = :tenant',
      ExpressionAttributeValues: { ':tenant': { S: TENANT } },
    }),
  );
  return Items;
}

describe('a bundled Lambda', () => {
  test('installs, schedules, starts and copies, from its minified file alone', async () => {
    expect((await invoke('hooks/installed', 'us', installed())).result.statusCode).toBe(204);
    const items = Array.from({ length: 60 }, (_, number) => itemOf(TENANT, `template-${number}`));
    for (let at = 0; at < items.length; at += 25) {
      const writes = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
      const RequestItems = { [templatesTable('us')]: writes };
      await clientIn('us').send(new BatchWriteItemCommand({ RequestItems }));
    }

    const asked = hookToken(TENANT, SECRET, signed('/exports'));
    const body = { id: 'one', title: 'From a bundle' };
    const post = request('POST', '/exports', asked, body);
    expect((await invoke('sample-app/exports', 'us', post)).result.statusCode).toBe(201);
    const wanted = hookToken(TENANT, SECRET, { ...signed('/exports/one'), method: 'GET' });
    const get = {
      ...request('GET', '/exports/one', wanted, {}),
      pathParameters: { id: 'one' },
    };
    const answer = await invoke('sample-app/exports', 'us', get);
    const { url } = JSON.parse(answer.result.body);
    expect(await (await fetch(url)).text()).toContain('# From a bundle');
    const logged = answer.log.slice(0, answer.log.lastIndexOf('\n'));
    expect(logged).not.toContain('X-Amz-Signature');

    const scheduled = (await invoke('hooks/schedule', 'us', hook('schedule'))).result;
    expect([scheduled.statusCode, scheduled.body]).toEqual([200, '{"status":"scheduled"}']);
    const started = (await invoke('hooks/start', 'us', hook('start'))).result;
    expect([started.statusCode, started.body]).toEqual([200, '{"status":"copying"}']);

    const [execution] = states.executions.values();
    const input = JSON.parse(execution?.input ?? '');
    const plan = (await invoke('tasks/prepare-copy', 'de', input)).result;
    const [worker] = plan.moving;
    const turn = { number: 0, over: false, waitSeconds: 0 };
    const copied = await invoke('tasks/copy-range', 'de', {
      ...input,
      worker,
      turns: 10,
      turn,
    });
    expect(copied.result).toEqual({ number: 1, over: true, waitSeconds: 0 });
    const [source, target] = [await templatesIn('us'), await templatesIn('de')];
    expect(target).toHaveLength(60);
    expect(target).toEqual(source);
  });

  test('refuses a token that the tenant has not signed', async () => {
    const reply = await invoke('hooks/schedule', 'us', hook('schedule', 'another secret'));
    expect([reply.result.statusCode, reply.result.body]).toEqual([
      401,
      '{"message":"Unauthorized"}',
    ]);
    expect(reply.log).toContain('the signature is not valid');
  });

  test('takes its credentials from the environment, and has no other source for them', async () => {
    const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    const reply = await invoke('hooks/schedule', 'us', hook('schedule'), none);
    expect(reply.result.statusCode).toBe(503);
    expect(reply.log).toContain('CredentialsProviderError');
  });
});

describe('the bundles', () => {
  test('weigh 390 KB at most with one client of the SDK, 40 more with each further one, and 220 more with S3', () => {
    for (const entry of ENTRIES) {
      const { [S3]: s3, ...others } = Object.fromEntries<number>(built.clients.get(entry) ?? []);
      const most = 390 + 40 * (Object.keys(others).length - 1) + (s3 === undefined ? 0 : 220);
      expect((built.sizes.get(entry) ?? 0) / KB, entry).toBeLessThan(most);
      for (const bytes of Object.values(others)) expect(bytes / KB, entry).toBeLessThan(40);
    }
  });

  test('hold S3’s client where a function reaches buckets, and nowhere else', () => {
    const holding = ENTRIES.filter((entry) => built.clients.get(entry)?.has(S3));
    expect(new Set(holding)).toEqual(new Set(Object.keys(BUCKET_GRANTS)));
  });

  test('hold the code that verifies tokens where HTTP comes in, and nowhere else', async () => {
    const holding: string[] = [];
    // A claim that libraries for tokens check, and nobody else names.
    for (const entry of ENTRIES) if (/"nbf"/.test(await loadedText(entry))) holding.push(entry);
    expect(holding).toEqual(ENTRIES.filter((entry) => !entry.startsWith('tasks/')));
  });

  test('know the clients that they hold', () => {
    expect([...(built.clients.get('tasks/copy-range')?.keys() ?? [])].sort()).toEqual([
      '@aws-sdk/client-dynamodb',
      '@aws-sdk/client-kms',
      S3,
      '@aws-sdk/client-sfn',
    ]);
  });
});

/** The text of an entry's file and of the shared files that it imports, each once. */
async function loadedText(entry: string): Promise<string> {
  const files = new Set([join(built.outdir, `${entry}.mjs`)]);
  let text = '';
  for (const file of files) {
    const own = await readFile(file, 'utf8');
    text += own;
    for (const [, path = ''] of own.matchAll(/(?:from|import)"(\.[^"]+)"/g))
      files.add(join(dirname(file), path));
  }
  return text;
}
