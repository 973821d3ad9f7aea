/**
 * The watch page's server: which requests it answers. Every page that is open in a browser on this
 * machine could reach it.
 */
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWatchedWorld, type WatchedWorld } from './watched-world.ts';

let watched: WatchedWorld;
let port: number;
beforeAll(async () => {
  watched = await startWatchedWorld();
  port = Number(new URL(watched.page.url).port);
});
afterAll(() => watched[Symbol.asyncDispose]());

interface Reply {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Unlike `fetch`, it sends any header. */
function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (path === '/events' && /data: .*\n\n/.test(text)) asked.destroy();
      });
      response.on('close', () =>
        resolve({ status: response.statusCode, headers: response.headers, body: text }),
      );
    });
    asked.on('error', (error) => {
      if (path !== '/events') reject(error);
    });
    asked.end(body);
  });
}

const own = () => ({ origin: `http://127.0.0.1:${port}`, 'content-type': 'application/json' });
const tenant = (name: string, items = 100) => JSON.stringify({ tenant: name, realm: 'us', items });
describe('the page', () => {
  test('may run its own scripts only, and nothing that was text', async () => {
    const { status, headers, body } = await ask('GET', '/');
    expect(status).toBe(200);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    expect(body).not.toMatch(/<script(?![^>]* src=)|<style| style=| on[a-z]+=/);
    expect(body).toContain('<g id="state&#45;copy" class="cluster state map">');
  });

  test('and its files are all that there is to read', async () => {
    for (const path of ['/page.js', '/page.css']) expect((await ask('GET', path)).status).toBe(200);
    for (const path of ['/../host.ts', '/%2e%2e/host.ts', '/page', '/.git/config'])
      expect((await ask('GET', path)).status).toBe(404);
    expect((await ask('DELETE', '/')).status).toBe(405);
  });

  test('answers under its own name only, so that no other name can be bound to it', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
    ]) {
      expect((await ask('GET', '/events', { host })).status).toBe(403);
      expect((await ask('GET', '/', { host })).status).toBe(403);
    }
    expect((await ask('GET', '/', { host: `localhost:${port}` })).status).toBe(200);
  });

  test('is not there for other machines', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((several) => several ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of outside)
      await expect(fetch(`http://${address}:${port}/`)).rejects.toThrow('fetch failed');
    expect((await ask('GET', '/')).status).toBe(200);
  });
});

describe('a button', () => {
  test.each([
    ['another page', 403, { origin: 'https://evil.example' }],
    ['another port', 403, { origin: 'http://127.0.0.1:1' }],
    ['a page that hides where it is from', 403, { origin: 'null' }],
    ['nobody', 403, { origin: '' }],
    ['a form', 415, { 'content-type': 'text/plain' }],
  ])('is not pressed by %s', async (_, status, headers) => {
    const reply = await ask(
      'POST',
      '/atlassian/install',
      { ...own(), ...headers },
      tenant('victim'),
    );
    expect(reply.status).toBe(status);
    expect(await watched.world.record('victim', 'us')).toBeUndefined();
  });

  test('that does not exist, or is pressed with nonsense, does nothing', async () => {
    expect((await ask('POST', '/atlassian/explode', own(), '{}')).status).toBe(404);
    expect((await ask('POST', '/atlassian/install', own(), 'nonsense')).status).toBe(400);
    expect((await ask('POST', '/atlassian/install', own(), 'x'.repeat(5_000))).status).toBe(413);
    expect((await ask('POST', '/atlassian/install', own(), tenant('', 100))).status).toBe(409);
    expect((await ask('POST', '/atlassian/install', own(), tenant('much', 1e9))).status).toBe(409);
    expect((await ask('POST', '/atlassian/start', own(), tenant('nobody'))).status).toBe(409);
  });

  test('says why it has no effect', async () => {
    expect((await ask('POST', '/atlassian/install', own(), tenant('acme', 0))).status).toBe(200);
    const early = await ask('POST', '/atlassian/commit', own(), tenant('acme'));
    expect(early).toMatchObject({ status: 409 });
    expect(JSON.parse(early.body)).toEqual({ isDone: false, message: 'no migration is scheduled' });
    const elsewhere = JSON.stringify({ tenant: 'acme', realm: 'de', items: 0 });
    const again = await ask('POST', '/atlassian/install', own(), elsewhere);
    expect(JSON.parse(again.body).message).toBe('acme lives in us');
  });

  test('shows no secret', async () => {
    await ask('POST', '/atlassian/install', own(), tenant('secretive', 0));
    const record = await watched.world.record('secretive', 'us');
    const sharedSecret = record?.['sharedSecret'];
    expect(sharedSecret).toMatch(/^.{40,}$/);
    await expect.poll(async () => (await ask('GET', '/events')).body).toContain('secretive');
    const { body } = await ask('GET', '/events');
    expect(body).not.toContain(sharedSecret);
    expect(body).not.toMatch(/secret"|credential|token|eyJ/i);
  });
});
