/**
 * Every port of the local host: which requests it refuses, and that no malformed request ends the
 * process.
 */
import { request as ask } from 'node:http';
import { connect } from 'node:net';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const AWS = 'application/x-amz-json-1.0';
const SIGNED = 'AWS4-HMAC-SHA256 Credential=a/20261124/us-east-1/x/aws4_request';
const JANITOR = '/2015-03-31/functions/residency-local-us-janitor/invocations';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const dynamoDb = (operation: string, body: unknown): Call => ({
  method: 'POST',
  path: '/',
  headers: {
    'content-type': AWS,
    'x-amz-target': `DynamoDB_20120810.${operation}`,
    authorization: SIGNED,
  },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** A request that each port answers with status `fine`. */
const PORTS: Readonly<Record<string, { url: () => string; call: Call; fine: number }>> = {
  DynamoDB: { url: () => world.host.dynamoDbUrl, call: dynamoDb('ListTables', {}), fine: 200 },
  'Step Functions': {
    url: () => world.host.stepFunctionsUrl,
    call: {
      method: 'POST',
      path: '/',
      headers: { 'content-type': AWS, 'x-amz-target': 'AWSStepFunctions.Nothing' },
      body: '{}',
    },
    fine: 400,
  },
  Lambda: {
    url: () => world.host.functionsUrl,
    call: {
      method: 'POST',
      path: JANITOR,
      headers: { 'content-type': 'application/json' },
      body: '{}',
    },
    fine: 200,
  },
  'the key server': {
    url: () => world.atlassian.installKeysUrl,
    call: {
      method: 'PUT',
      path: '/a/key',
      headers: { 'content-type': 'application/x-pem-file' },
      body: 'nothing',
    },
    fine: 400,
  },
};

/** Unlike `fetch`, it sends any header. */
function answerTo(url: string, { method, path, headers, body }: Call): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const asked = ask(url, { method, path, headers: { ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve([response.statusCode ?? 0, text]));
    });
    asked.on('error', reject).end(body);
  });
}

describe.each(Object.entries(PORTS))('%s', (_, { url, call, fine }) => {
  const claiming = (headers: Record<string, string>) =>
    answerTo(url(), { ...call, headers: { ...call.headers, ...headers } });

  test('answers tools on this machine, by both of its names', async () => {
    expect((await claiming({}))[0]).toBe(fine);
    expect((await claiming({ host: 'localhost:1' }))[0]).toBe(fine);
  });

  test.each([
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil.example:80',
    '[evil.example]',
  ])('does not answer to the name "%s"', async (host) => {
    const [status, body] = await claiming({ host });
    expect(status).toBe(403);
    expect(body).toContain('127.0.0.1 or localhost only');
  });

  test.each(['https://evil.example', 'http://127.0.0.1:3000', 'null'])(
    'does not answer a page of %s',
    async (origin) => {
      expect((await claiming({ origin }))[0]).toBe(403);
    },
  );

  test('does not answer a page whose origin is left out', async () => {
    expect((await claiming({ 'sec-fetch-site': 'cross-site' }))[0]).toBe(403);
  });

  test.each(['text/plain', 'text/plain; charset=utf-8', 'application/x-www-form-urlencoded'])(
    'does not take what any page may send without asking: %s',
    async (type) => {
      expect((await claiming({ 'content-type': type }))[0]).toBe(415);
    },
  );

  test('does not take a body without a content type, unless it is signed', async () => {
    const { 'content-type': _type, authorization: _signature, ...headers } = call.headers;
    expect((await answerTo(url(), { ...call, headers }))[0]).toBe(415);
    const signed = { ...headers, authorization: SIGNED };
    expect((await answerTo(url(), { ...call, headers: signed }))[0]).toBe(fine);
  });

  test('refuses a body that never ends, and goes on', async () => {
    const body = 'x'.repeat(17 * 1024 * 1024);
    const refused = await answerTo(url(), { ...call, body }).catch(() => [413]);
    expect(refused[0]).toBe(413);
    expect((await claiming({}))[0]).toBe(fine);
  });

  test('outlives a body that is broken off', async () => {
    const { hostname, port } = new URL(url());
    const lines = [
      `${call.method} ${call.path} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      ...Object.entries(call.headers).map(([name, value]) => `${name}: ${value}`),
      'content-length: 1000',
      '',
      '{"half":',
    ];
    await new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(lines.join('\r\n'), () => socket.resetAndDestroy());
      });
      socket.once('close', () => resolve()).once('error', reject);
    });
    expect((await claiming({}))[0]).toBe(fine);
  });

  test.each(['/%', '/%E0%A4%A', '//', '/2015-03-31/functions/%/invocations', '/\\..\\'])(
    'outlives the path %s',
    async (path) => {
      expect((await answerTo(url(), { ...call, path }))[0]).toBeLessThan(500);
      expect((await claiming({}))[0]).toBe(fine);
    },
  );

  test.each(['null', '[null]', '"text"', '[]', '', '{', '['.repeat(100_000)])(
    'answers the body %.20s with a refusal, if any',
    async (body) => {
      const [status, text] = await answerTo(url(), { ...call, body });
      expect(status).toBeLessThan(500);
      expect(text).not.toMatch(/ at .*\.(js|ts):/);
    },
  );
});

describe('a realm', () => {
  const HEALTH = { method: 'GET', path: '/health', body: '' };
  const asked = (headers: Record<string, string>) =>
    answerTo(world.host.urls['us'] ?? '', { ...HEALTH, headers });

  test('is no API of another name, as API Gateway has it', async () => {
    expect(await asked({ host: 'evil.example' })).toEqual([403, '{"message":"Forbidden"}']);
    expect((await asked({ host: 'LOCALHOST:1' }))[0]).toBe(200);
  });

  test('leaves origin and content type to the app, as API Gateway does', async () => {
    expect((await asked({ origin: 'https://acme.atlassian.net' }))[0]).toBe(200);
    const hook = { method: 'POST', path: '/dare-migration/start', body: '{}' };
    const headers = { 'content-type': 'text/plain' };
    expect((await answerTo(world.host.urls['us'] ?? '', { ...hook, headers }))[0]).toBe(401);
  });
});

describe('the embedded DynamoDB', () => {
  const TableName = 'residency-local-us-templates';
  const put = (Item: unknown) => dynamoDb('PutItem', { TableName, Item });
  const told = (call: Call) => answerTo(world.host.dynamoDbUrl, call);

  test.each(['null', '[null]', '"text"', '1', '{'])('refuses the body %s', async (body) => {
    const [status, text] = await told(dynamoDb('PutItem', body));
    expect(status).toBe(400);
    expect(text).toContain('a request is a JSON object');
  });

  test('refuses an item of more levels than DynamoDB takes, and takes what it does', async () => {
    const nested = (levels: number): object =>
      levels === 0 ? { S: 'x' } : { M: { a: nested(levels - 1) } };
    const key = { tenant: { S: 'deep' }, id: { S: 'a' } };
    expect((await told(put({ ...key, tree: nested(31) })))[0]).toBe(200);
    const [status, text] = await told(put({ ...key, tree: nested(1_000) }));
    expect(status).toBe(400);
    expect(text).toContain('Nesting Levels have exceeded supported limits');
  });

  const filtered = (FilterExpression: string) =>
    dynamoDb('Query', {
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'tenant = :a',
      FilterExpression,
      ExpressionAttributeValues: { ':a': { S: 'x' } },
    });

  test.each([
    ['3,000 parentheses', `${'('.repeat(1500)}a = :a${')'.repeat(1500)}`],
    ['20 levels of them', `${'('.repeat(20)}a = :a${')'.repeat(20)}`],
    ['20 levels of NOT', `${'NOT ('.repeat(20)}a = :a${')'.repeat(20)}`],
    ['parentheses that are not closed', `${'('.repeat(3)}a = :a`],
    ['200 pairs of them', Array(200).fill('(a = :a)').join(' AND ')],
    ['5,000 bytes', `a = :a${' '.repeat(5_000)}`],
  ])('refuses an expression with %s, and soon', async (_, expression) => {
    const begun = performance.now();
    const [status, text] = await told(filtered(expression));
    expect(status).toBe(400);
    expect(text).toMatch(/Invalid FilterExpression: .*(levels|pairs|closed|maximum allowed size)/);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test.each([
    'attribute_exists(a) AND (begins_with(a, :a) OR (a = :a AND (NOT (size(a) = :a))))',
    'a IN (:a, :a) AND contains(a, :a)',
  ])('takes the expression %s', async (expression) => {
    expect((await told(filtered(expression)))[0]).toBe(200);
  });

  test('outlives requests of every operation that are wrong in every place', async () => {
    const client = new DynamoDBClient({
      region: 'us-east-1',
      endpoint: world.host.dynamoDbUrl,
      credentials: { accessKeyId: 'a', secretAccessKey: 'a' },
    });
    const Item = { tenant: { S: 'kept' }, id: { S: 'one' } };
    await client.send(new PutItemCommand({ TableName, Item }));
    for (const [place, operation] of OPERATIONS.entries()) {
      for (const [at, value] of WRONG.entries()) {
        const inAll = Object.fromEntries(FIELDS.map((field) => [field, value]));
        const inOne = FIELDS.filter((_, field) => (place + at + field) % 3 === 0).map((field) => ({
          ...RIGHT,
          [field]: value,
        }));
        await Promise.all([inAll, ...inOne].map((input) => refusedOrDone(operation, input)));
      }
    }
    const query = new QueryCommand({
      TableName,
      ConsistentRead: true,
      KeyConditionExpression: 'tenant = :tenant',
      ExpressionAttributeValues: { ':tenant': { S: 'kept' } },
    });
    expect((await client.send(query)).Items).toEqual([Item]);
    client.destroy();
  });

  async function refusedOrDone(operation: string, input: object): Promise<void> {
    const [status, text] = await told(dynamoDb(operation, { ...input, TableName }));
    expect([200, 400, 500], `${operation} ${JSON.stringify(input)}`).toContain(status);
    expect(text).not.toMatch(/ at .*\.(js|ts):/);
  }
});

const OPERATIONS = [
  ...['BatchGetItem', 'BatchWriteItem', 'DeleteItem', 'DescribeTable', 'GetItem'],
  ...['ListTables', 'PutItem', 'Query', 'Scan', 'UpdateItem', 'CreateTable', 'UpdateTable'],
];
const RIGHT = {
  Item: { tenant: { S: 'other' }, id: { S: 'a' } },
  Key: { tenant: { S: 'other' }, id: { S: 'a' } },
  ConsistentRead: true,
};
const FIELDS = [
  ...['Item', 'Key', 'RequestItems', 'Expected', 'KeyConditions', 'QueryFilter', 'ScanFilter'],
  ...['ExclusiveStartKey', 'AttributeUpdates', 'ExpressionAttributeNames', 'UpdateExpression'],
  ...['ExpressionAttributeValues', 'ConditionExpression', 'KeyConditionExpression', 'IndexName'],
  ...['AttributesToGet', 'ProjectionExpression', 'Select', 'Limit', 'Segment', 'TotalSegments'],
  ...['KeySchema', 'AttributeDefinitions', 'GlobalSecondaryIndexUpdates'],
];
const WRONG: readonly unknown[] = [
  ...[null, 0, -1, '', 'x', true, [], {}, [null], { tenant: null }, { tenant: { S: null } }],
  ...[{ tenant: { M: null } }, { '#a': 'tenant' }, { ':a': { L: [null] } }, [[]], [{}]],
  ...[{ 'residency-local-us-templates': null }, { 'residency-local-us-templates': [null] }],
  ...[{ 'residency-local-us-templates': [{ PutRequest: null }] }],
  ...[{ 'residency-local-us-templates': { Keys: [null] } }, { tenant: { S: 'a' }, id: null }],
];
