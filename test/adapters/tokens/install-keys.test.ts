/**
 * Public keys of signed installs: which are fetched, which are kept, and what a key server may not
 * answer.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { installKeys } from '../../../lambdas/adapters/tokens/install-keys.ts';
import { Fault, Unauthenticated } from '../../../lambdas/domain/refusal.ts';
import { HOUR, manualClock, SECOND } from '../../support/clock.ts';
import { type KeyAnswer, type KeyServer, startKeyServer } from '../../support/key-server.ts';
import { installKeyPair } from '../../support/tokens.ts';

const { publicKey } = installKeyPair();
const KID = 'c3d2f3a0-5b1c-4d5e-9f00-000000000001';

describe('install keys', () => {
  let server: KeyServer | undefined;
  afterEach(async () => server?.close());

  async function keysFrom(answer: (path: string) => KeyAnswer | undefined) {
    const started = await startKeyServer(answer);
    server = started;
    const clock = manualClock();
    return { keys: installKeys([started.url], clock), clock, asked: started.asked };
  }

  test('are asked for once, and kept for good', async () => {
    const { keys, clock, asked } = await keysFrom(() => ({ status: 200, body: publicKey }));
    expect(await keys.find(KID)).toBe(publicKey);
    clock.advance(1_000 * HOUR);
    expect(await keys.find(KID)).toBe(publicKey);
    expect(asked).toEqual([`/${KID}`]);
  });

  test('are asked for anew where a rotation brings another', async () => {
    const { keys, asked } = await keysFrom(() => ({ status: 200, body: publicKey }));
    await keys.find(KID);
    await keys.find('another');
    expect(asked).toEqual([`/${KID}`, '/another']);
  });

  test.each<[string, unknown]>([
    ['a path', '../secrets'],
    ['an empty segment', 'a//b'],
    ['a slash at the start', '/a'],
    ['a slash at the end', 'a/'],
    ['a segment of one dot', 'a/./b'],
    ['a segment of two dots', 'a/../b'],
    ['a segment that begins with a dot', 'a/.b'],
    ['a segment that begins with a dash', 'a/-b'],
    ['too many segments', Array(70).fill('a').join('/')],
    ['a port', 'a:80/b'],
    ['an escaped slash', 'a%2fb'],
    ['a URL', 'https://evil.example/key'],
    ['a query', 'a?b=c'],
    ['a fragment', 'a#b'],
    ['another host', '@evil.example'],
    ['a backslash', 'a\\b'],
    ['a line break', 'a\r\nHost: evil'],
    ['only dots', '..'],
    ['a null byte', 'a\u0000'],
    ['another script', 'kéy'],
    ['nothing', ''],
    ['too much', 'a'.repeat(129)],
    ['a number', 5],
    ['a list', ['a']],
    ['an object', { toString: () => 'a' }],
    ['none at all', undefined],
  ])('are never asked for by an id that is %s', async (_, kid) => {
    const { keys, asked } = await keysFrom(() => ({ status: 200, body: publicKey }));
    await expect(keys.find(kid)).rejects.toThrow(Unauthenticated);
    expect(asked).toEqual([]);
  });

  test.each([400, 403, 404, 410])(
    'that are unknown (%i) prove nothing, and are not asked for again for 5 seconds',
    async (status) => {
      const { keys, clock, asked } = await keysFrom(() => ({ status }));
      await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
      await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
      expect(asked).toHaveLength(1);
      clock.advance(6 * SECOND);
      await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
      expect(asked).toHaveLength(2);
    },
  );

  test('that are unknown at first are found once they are there', async () => {
    let isThere = false;
    const { keys, clock } = await keysFrom(() =>
      isThere ? { status: 200, body: publicKey } : { status: 404 },
    );
    await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
    isThere = true;
    clock.advance(6 * SECOND);
    expect(await keys.find(KID)).toBe(publicKey);
  });

  test.each<[string, KeyAnswer | undefined]>([
    ['fails', { status: 500 }],
    ['is overloaded', { status: 503 }],
    ['throttles', { status: 429 }],
    ['breaks the connection', undefined],
    ['sends us elsewhere', { status: 302, location: 'https://evil.example/key' }],
    ['answers a page', { status: 200, body: '<html>sign in</html>' }],
    ['answers nothing', { status: 200, body: '' }],
    ['answers more than a key', { status: 200, body: publicKey + ' '.repeat(20_000) }],
    ['answers a key of another kind', { status: 200, body: ecKey() }],
  ])('are a fault where the server %s, and asked for again at once', async (_, answer) => {
    const { keys, asked } = await keysFrom(() => answer);
    await expect(keys.find(KID)).rejects.toThrow(Fault);
    await expect(keys.find(KID)).rejects.toThrow(Fault);
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(asked.every((path) => path === `/${KID}`)).toBe(true);
  });

  test.each([
    'micros/connect-install/c3d2f3a0-5b1c-4d5e-9f00-000000000001',
    'issuer/key',
    'a.b+c_d-e/f.1',
    `issuer/${'k'.repeat(121)}`,
  ])('are asked for by an id with slashes, as it is: %s', async (kid) => {
    const { keys, asked } = await keysFrom(() => ({ status: 200, body: publicKey }));
    expect(await keys.find(kid)).toBe(publicKey);
    expect(asked).toEqual([`/${kid}`]);
  });

  test('are a fault where no server answers', async () => {
    const gone = await startKeyServer(() => undefined);
    await gone.close();
    await expect(installKeys([gone.url], manualClock()).find(KID)).rejects.toThrow(Fault);
  });
});

describe('install keys of two servers', () => {
  const opened: KeyServer[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((server) => server.close()));
  });

  async function keysFrom(...answers: readonly (KeyAnswer | undefined)[]) {
    const servers = await Promise.all(answers.map((answer) => startKeyServer(() => answer)));
    opened.push(...servers);
    const clock = manualClock();
    const keys = installKeys(
      servers.map(({ url }) => url),
      clock,
    );
    return { keys, clock, asked: () => servers.map(({ asked }) => asked.length) };
  }
  const found = { status: 200, body: publicKey };

  test('come from the first, and the second is not asked', async () => {
    const { keys, asked } = await keysFrom(found, found);
    expect(await keys.find(KID)).toBe(publicKey);
    expect(asked()).toEqual([1, 0]);
  });

  test.each<[string, KeyAnswer | undefined]>([
    ['has no such key', { status: 404 }],
    ['shows it to nobody', { status: 403 }],
    ['fails', { status: 500 }],
    ['breaks the connection', undefined],
    ['answers a page', { status: 200, body: '<html>sign in</html>' }],
  ])('come from the second, where the first %s', async (_, answer) => {
    const { keys, asked } = await keysFrom(answer, found);
    expect(await keys.find(KID)).toBe(publicKey);
    expect(asked().at(1)).toBe(1);
    expect(await keys.find(KID)).toBe(publicKey);
    expect(asked().at(1)).toBe(1);
  });

  test('are unknown where both say so, and are not asked for again for 5 seconds', async () => {
    const { keys, asked } = await keysFrom({ status: 404 }, { status: 404 });
    await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
    await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
    expect(asked()).toEqual([1, 1]);
  });

  test('are asked for again after a clock was set back', async () => {
    const { keys, clock, asked } = await keysFrom({ status: 404 });
    await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
    clock.setBack(25 * 60_000);
    await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
    await expect(keys.find(KID)).rejects.toThrow(Unauthenticated);
    expect(asked()).toEqual([2]);
  });

  test.each([
    [500, 404],
    [404, 500],
  ])('are a fault where one cannot say, and the other has none (%i, %i)', async (...statuses) => {
    const { keys } = await keysFrom(...statuses.map((status) => ({ status })));
    await expect(keys.find(KID)).rejects.toThrow(Fault);
  });

  test('are asked for at neither by a hostile id', async () => {
    const { keys, asked } = await keysFrom(found, found);
    await expect(keys.find('a/../../b')).rejects.toThrow(Unauthenticated);
    expect(asked()).toEqual([0, 0]);
  });
});

function ecKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
}
