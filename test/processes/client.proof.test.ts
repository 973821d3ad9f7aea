/**
 * `examples/client.mjs` against a host in a process of its own, as `docs/local-host.md` shows it,
 * to each of its ends.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hookToken } from '../../lib/atlassian-tokens.ts';
import { runScript } from '../support/run-script.ts';
import { freeTcpPorts, type HostProcess, hostProcess } from './host-process.ts';

const CLIENT = fileURLToPath(new URL('../../examples/client.mjs', import.meta.url));

const RESIDENCY = fileURLToPath(new URL('../../bin/residency.ts', import.meta.url));

let host: HostProcess;
let env: { PORT: string; KEYS_PORT: string };
beforeAll(async () => {
  const [port, keysPort] = [await freeTcpPorts(), await freeTcpPorts()];
  env = { PORT: String(port), KEYS_PORT: String(keysPort) };
  host = hostProcess(port, {
    INSTALL_KEYS_URL: `http://127.0.0.1:${keysPort}`,
    DRAIN_SECONDS: '8',
    COMMIT_GRACE_SECONDS: '0',
  });
  await host.start();
});
afterAll(() => host.kill());

const statuses = (output: string) =>
  [...output.matchAll(/^(?:POST|GET) \S+ (\d+ \S*)$/gm)].map(([, answer]) => answer);

describe('the example of a client', () => {
  test('moves its item, and ends', async () => {
    const { code, output } = await runScript(CLIENT, [], { env });
    expect(output).toContain(
      'in de: [{"tenant":{"S":"tenant-1"},"id":{"S":"one"},"text":{"S":"Größe"}}]',
    );
    expect([...new Set(statuses(output))]).toEqual(
      ['204 ', '200 {"status":"scheduled"}', '200 {"status":"copying"}']
        .concat(['200 {"status":"ready-to-commit"}', '200 {"status":"committing"}'])
        .concat(['200 {"status":"committed"}']),
    );
    expect(code).toBe(0);
  });

  test('ends where the app refuses what it asks', async () => {
    const { code, output } = await runScript(CLIENT, [], { env });
    expect(output).toMatch(/the app answers 4\d\d\n$/);
    expect(code).toBe(1);
  });

  test('ends where another client rolls its move back', async () => {
    const running = runScript(CLIENT, [], { env: { ...env, TENANT: 'tenant-2' } });
    const baseUrl = host.urlOf('us');
    const url = `${baseUrl}/dare-migration/rollback`;
    // Refused, until the client has installed the app and started its move.
    for (let answer = 0; answer !== 200; ) {
      const token = hookToken('tenant-2', 'only the two of us know', {
        method: 'POST',
        url,
        baseUrl,
      });
      const status = await statusOf('tenant-2');
      if (status !== 'copying') {
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      const headers = { authorization: `JWT ${token}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ migrationId: 57500 });
      answer = (await fetch(url, { method: 'POST', headers, body })).status;
    }
    const { code, output } = await running;
    expect(output).toMatch(/the migration ended rolled-back\n$/);
    expect(code).toBe(1);
  });

  test('rolls back a move that fails, and ends', async () => {
    const running = runScript(CLIENT, [], { env: { ...env, TENANT: 'tenant-3' } });
    while ((await statusOf('tenant-3')) !== 'copying')
      await new Promise((resolve) => setTimeout(resolve, 50));
    const cancel = ['cancel', 'tenant-3', '57500', '--local', env.PORT, '--yes'];
    expect((await runScript(RESIDENCY, cancel)).code).toBe(0);
    const { code, output } = await running;
    expect(output).toContain('POST /dare-migration/rollback 200');
    expect(output).toMatch(/the migration failed, and is rolled back\n$/);
    expect(code).toBe(1);
  });

  async function statusOf(tenant: string): Promise<unknown> {
    const baseUrl = host.urlOf('us');
    const url = `${baseUrl}/dare-migration/status?migrationId=57500`;
    const token = hookToken(tenant, 'only the two of us know', { method: 'GET', url, baseUrl });
    const response = await fetch(url, { headers: { authorization: `JWT ${token}` } });
    return Object(await response.json().catch(() => ({}))).status;
  }
});
