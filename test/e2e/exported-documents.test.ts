/**
 * The sample app's exports through the gateway of a realm: a document is an object, its record
 * points to it, and a URL that lives shortly leads to it.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { URL_SECONDS } from '../../lambdas/sample-app/exports.ts';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { fieldOf, type Reply, type Site } from '../../lib/local/simulated-atlassian.ts';
import { type Buckets, bucketsIn, everythingIn } from '../support/objects.ts';
import { facts, startWorld, WITH_DOCUMENTS, type World } from '../support/world.ts';

let world: World;
let documents: Buckets;
let fault: (call: DynamoDbCall) => InjectedFault | undefined = () => undefined;
/** How far S3's clock is ahead. */
let ahead = 0;

beforeAll(async () => {
  world = await startWorld({
    residency: WITH_DOCUMENTS,
    dynamoDb: { inject: (call) => fault(call) },
    s3: { now: () => Date.now() + ahead },
  });
  documents = bucketsIn(world.host, 'documents');
});
beforeEach(() => {
  fault = () => undefined;
  ahead = 0;
});
afterAll(async () => {
  for (const realm of ['us', 'de']) documents.client(realm).destroy();
  await world[Symbol.asyncDispose]();
});

const post = (site: Site, body: object) => world.atlassian.request(site, 'POST', '/exports', body);
const get = (site: Site, id: string) => world.atlassian.request(site, 'GET', `/exports/${id}`);
const save = (site: Site, content: string) =>
  world.atlassian.request(site, 'PUT', '/templates/minutes', { content });
const objectsOf = (site: Site, realm = 'us') =>
  everythingIn(documents, realm, `${site.clientKey}/`);

async function read(reply: Reply): Promise<string> {
  const answer = await fetch(fieldOf(reply, 'url') ?? '');
  if (!answer.ok) throw new Error(`the URL answers ${answer.status}`);
  return answer.text();
}

describe('an export', () => {
  test('is rendered from its template into an object, and read by a URL', async () => {
    const site = await world.installed('exports');
    await save(site, 'Who was there: {{names}}');
    const asked = { template: 'minutes', title: 'Minutes', values: { names: 'Ada' } };
    const reply = await post(site, asked);
    expect(reply.status).toBe(201);
    const id = fieldOf(reply, 'id') ?? '';
    expect(await objectsOf(site)).toMatchObject([
      {
        key: `exports/${id}`,
        ContentType: 'text/markdown; charset=utf-8',
        ContentDisposition: `attachment; filename="${id}.md"`,
      },
    ]);
    const answer = await get(site, id);
    expect(answer.body).toMatchObject({ expiresInSeconds: URL_SECONDS });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const document = await fetch(fieldOf(answer, 'url') ?? '');
    expect(document.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
    expect(await document.text()).toBe('# Minutes\n\nWho was there: Ada\n');
    expect(world.lines.join('\n')).not.toContain('X-Amz-Signature');
  });

  test('has a URL that S3 refuses when its life is over', async () => {
    const site = await world.installed('late');
    await post(site, { id: 'one', title: 'x' });
    const url = fieldOf(await get(site, 'one'), 'url') ?? '';
    expect((await fetch(url)).status).toBe(200);
    ahead = URL_SECONDS * 1000;
    const refused = await fetch(url);
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringContaining('Request has expired'),
    ]);
  });

  test('that is asked for again, or twice at once, is the first document', async () => {
    const site = await world.installed('again');
    const asked = { id: 'one', template: 'minutes' };
    await save(site, 'the first');
    const [one, other] = await Promise.all([post(site, asked), post(site, asked)]);
    expect([one, other].filter(({ status }) => status === 201)).not.toEqual([]);
    await save(site, 'the second');
    expect((await post(site, asked)).status).toBe(201);
    expect(await read(await get(site, 'one'))).toBe('the first\n');
    expect(await objectsOf(site)).toHaveLength(1);
  });

  test('whose record could not be written is not there, until it is asked for again', async () => {
    const site = await world.installed('half');
    fault = ({ operation, input }) =>
      operation === 'PutItem' && String(input['TableName']).endsWith('-exports')
        ? { error: 'InternalServerError' }
        : undefined;
    expect((await post(site, { id: 'one', title: 'x' })).status).toBe(503);
    expect(await objectsOf(site)).toHaveLength(1);
    fault = () => undefined;
    expect((await get(site, 'one')).status).toBe(404);
    expect((await post(site, { id: 'one', title: 'x' })).status).toBe(201);
    expect(await read(await get(site, 'one'))).toContain('# x');
    expect(await objectsOf(site)).toHaveLength(1);
  });

  test('is of its tenant alone', async () => {
    const [site, other] = [await world.installed('own'), await world.installed('own-10')];
    await post(site, { id: 'one', title: 'x' });
    expect((await get(other, 'one')).status).toBe(404);
  });

  test.each([
    [404, { template: 'none' }],
    [400, { template: 7 }],
    [400, { id: 'a/b' }],
    [400, { id: '..' }],
    [400, []],
  ])('is refused with %d where it makes no sense: %j', async (status, body) => {
    const site = await world.installed('odd');
    expect((await post(site, body)).status).toBe(status);
    expect(await objectsOf(site)).toEqual([]);
  });

  test('that would fill the store by a value that is named often is refused', async () => {
    const site = await world.installed('long');
    await save(site, '{{a}}'.repeat(1_000));
    const reply = await post(site, { template: 'minutes', values: { a: 'x'.repeat(2_000) } });
    expect([reply.status, fieldOf(reply, 'message')]).toEqual([
      400,
      'the document would be longer than 1048576 characters',
    ]);
  });
});

test('a move takes documents along: none is made behind the fence, all are read, and then in the target', async () => {
  const site = await world.installed('moves');
  await post(site, { id: 'one', title: 'Before' });
  const before = await objectsOf(site);
  await world.ready(site, 1);
  expect((await post(site, { id: 'two', title: 'x' })).status).toBe(503);
  expect(await read(await get(site, 'one'))).toContain('# Before');

  expect((await world.hook(site, 'commit', 1, facts('DE'))).status).toBe(200);
  for (const reply of [await post(site, { id: 'two' }), await get(site, 'one')])
    expect([reply.status, fieldOf(reply, 'baseUrl')]).toEqual([421, world.host.urls['de']]);
  await world.until(site, 1, ['committed']);
  site.home = world.host.urls['de'] ?? '';
  expect(await read(await get(site, 'one'))).toContain('# Before');
  expect([await objectsOf(site, 'de'), await objectsOf(site)]).toEqual([before, []]);
});
