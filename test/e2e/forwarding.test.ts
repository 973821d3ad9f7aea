/** Beside an existing app: what was verified and stored is passed on as it came, and the app's failure is ours. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const received: Received[] = [];
let answer = 200;
const vendor = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  received.push({
    url: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(chunks).toString('utf8'),
  });
  response.writeHead(answer).end();
});

let world: World;
beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  const { port } = vendor.address() as AddressInfo;
  world = await startWorld({ env: { INSTALLED_FORWARD_URL: `http://127.0.0.1:${port}/vendor` } });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  vendor.close();
});

test('an installation is stored, and then forwarded with its token and its body', async () => {
  const site = await world.installed('beside');
  expect(received).toHaveLength(1);
  expect(received[0]?.url).toBe('/vendor/installed');
  expect(received[0]?.headers.authorization).toMatch(/^JWT \S+\.\S+\.\S+$/);
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
    clientKey: 'beside',
    sharedSecret: site.sharedSecret,
    eventType: 'installed',
  });
  await world.atlassian.uninstall(site);
  expect(received.at(-1)?.url).toBe('/vendor/uninstalled');
});

test('the app’s failure is a fault of ours, after our own write, so that Atlassian repeats', async () => {
  const site = world.atlassian.site('unlucky', world.host.urls['us'] ?? '');
  answer = 500;
  const reply = await world.atlassian.install(site);
  expect(reply.status).toBe(503);
  expect(reply.body).not.toHaveProperty('errorResponseCode');
  expect(await world.record('unlucky', 'us')).toMatchObject({ state: 'active' });
  answer = 200;
  expect((await world.atlassian.install(site)).status).toBe(204);
});

test('what is not verified is not forwarded', async () => {
  const before = received.length;
  const url = `${world.host.urls['us']}/installed`;
  const reply = await fetch(url, { method: 'POST', body: '{"clientKey":"forged"}' });
  expect(reply.status).toBe(401);
  expect(received).toHaveLength(before);
});
