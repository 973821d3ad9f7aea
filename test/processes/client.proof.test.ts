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

/** The shared secret of the example. */
const SECRET = 'only the two of us know';
/** Each has a key server of its own. */
const TENANTS = ['tenant-1', 'tenant-2', 'tenant-3'] as const;

let host: HostProcess;
let port: number;
let keysPort: number;
beforeAll(async () => {
  [port, keysPort] = [await freeTcpPorts(), await freeTcpPorts()];
  host = hostProcess(port, {
    INSTALL_KEYS_URL: TENANTS.map((_, at) => `http://127.0.0.1:${keysPort + at}`).join(),
    DRAIN_SECONDS: '8',
    COMMIT_GRACE_SECONDS: '0',
  });
  await host.start();
});
afterAll(() => host.kill());

const statuses = (output: string) =>
  [...output.matchAll(/^(?:POST|GET) \S+ (\d+ \S*)$/gm)].map(([, answer]) => answer);

type Tenant = (typeof TENANTS)[number];

const client = (tenant: Tenant, heard: (text: string) => void = () => {}) =>
  runScript(CLIENT, [], {
    env: {
      PORT: String(port),
      KEYS_PORT: String(keysPort + TENANTS.indexOf(tenant)),
      TENANT: tenant,
    },
    heard,
  });

/** A client that has started its move and polls its status, or has ended before. */
function startedMove(tenant: Tenant) {
  const polling = Promise.withResolvers<void>();
  const running = client(tenant, (text) => {
    if (text.includes('/dare-migration/status')) polling.resolve();
  });
  return { running, started: Promise.race([polling.promise, running]) };
}

// At once: each waits for drains.
describe.concurrent('the example of a client', () => {
  test('moves its item, and ends; after that it ends where the app refuses what it asks', async () => {
    const { code, output } = await client('tenant-1');
    expect(output).toContain(
      'in de: [{"tenant":{"S":"tenant-1"},"id":{"S":"one"},"text":{"S":"Größe"}}]',
    );
    expect([...new Set(statuses(output))]).toEqual(
      ['204 ', '200 {"status":"scheduled"}', '200 {"status":"copying"}']
        .concat(['200 {"status":"ready-to-commit"}', '200 {"status":"committing"}'])
        .concat(['200 {"status":"committed"}']),
    );
    expect(code).toBe(0);

    const again = await client('tenant-1');
    expect(again.output).toMatch(/the app answers 4\d\d\n$/);
    expect(again.code).toBe(1);
  });

  test('ends where another client rolls its move back', async () => {
    const { running, started } = startedMove('tenant-2');
    await started;
    const baseUrl = host.urlOf('us');
    const url = `${baseUrl}/dare-migration/rollback`;
    const token = hookToken('tenant-2', SECRET, { method: 'POST', url, baseUrl });
    const headers = { authorization: `JWT ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ migrationId: 57500 });
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
    const { code, output } = await running;
    expect(output).toMatch(/the migration ended rolled-back\n$/);
    expect(code).toBe(1);
  });

  test('rolls back a move that fails, and ends', async () => {
    const { running, started } = startedMove('tenant-3');
    await started;
    const cancel = ['cancel', 'tenant-3', '57500', '--local', String(port), '--yes'];
    expect((await runScript(RESIDENCY, cancel)).code).toBe(0);
    const { code, output } = await running;
    expect(output).toContain('POST /dare-migration/rollback 200');
    expect(output).toMatch(/the migration failed, and is rolled back\n$/);
    expect(code).toBe(1);
  });
});
