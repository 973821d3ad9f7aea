/**
 * JSON that DynamoDB does not take as it is: too large, too small, too deep. It is refused, never
 * answered with a fault.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SigningHost, startSigningHost } from './signing-host.ts';

const SECRET = 'a secret of no matter';
const VALUES: readonly (readonly [name: string, json: string])[] = [
  ['a number above all safe integers', '1e20'],
  ['a number that is too large', '1e308'],
  ['a number that is too small', '1e-200'],
  ['a hundred thousand lists', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
];

let host: SigningHost;
beforeAll(async () => {
  host = await startSigningHost();
  await host.install('writes', SECRET);
});
afterAll(() => host[Symbol.asyncDispose]());

describe.each(VALUES)('%s', (name, json) => {
  test('is kept with an installation, unless it is nested too deeply', async () => {
    const tenant = `odd-${name.length}`;
    const token = host.signedInstall(host.installClaims(tenant, '/installed'));
    const body = `{"clientKey":"${tenant}","sharedSecret":"${SECRET}","unknown":${json}}`;
    const reply = await host.send({ method: 'POST', target: '/installed', token, body });
    expect(reply.status).toBe(name.includes('lists') ? 400 : 204);
  });

  test('is kept in a document, or refused for good', async () => {
    const token = host.hookToken('writes', SECRET, 'PUT', '/templates/t');
    const reply = await host.send({
      method: 'PUT',
      target: '/templates/t',
      token,
      body: `{"value":${json}}`,
    });
    expect([200, 400]).toContain(reply.status);
  });
});
