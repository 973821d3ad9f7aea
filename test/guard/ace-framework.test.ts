/**
 * The store inside atlassian-connect-express itself. The framework is no dependency of this project
 * (it has 250 packages). ACE_MODULES names a `node_modules` that has it and Express 4; without it
 * this file is skipped.
 */
import { existsSync } from 'node:fs';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createQueryStringHash, encodeSymmetric, SymmetricAlgorithm } from 'atlassian-jwt';
import { expect, test } from 'vitest';
import { withCredentials } from '../../lambdas/domain/tenants/fence.ts';
import type { TenantRecord } from '../../lambdas/domain/tenants/tenant.ts';
import { tenantRecord } from '../support/builders.ts';
import { manualClock } from '../support/clock.ts';
import { dynamoDbPortsHost } from '../support/dynamodb-ports-host.ts';
import { awsEnv, installPacked, startApp } from './packed-guard.ts';

const modules = process.env['ACE_MODULES'] ?? '';

function tokenFor(method: 'GET' | 'POST', secret: string): string {
  const now = Math.floor(Date.now() / 1000);
  const qsh = createQueryStringHash({ method, pathname: '/notes', query: {} }, false);
  return encodeSymmetric(
    { iss: 'one', iat: now, exp: now + 180, qsh },
    secret,
    SymmetricAlgorithm.HS256,
  );
}

test('an app on the framework verifies by the record, rotated or moved, and is guarded', async (context) => {
  if (!existsSync(join(modules, 'atlassian-connect-express')))
    return context.skip(
      'ACE_MODULES names no node_modules with atlassian-connect-express and express@4',
    );
  await using host = await dynamoDbPortsHost(manualClock());
  const { folder } = await installPacked();
  for (const name of ['express', 'atlassian-connect-express']) {
    await rm(join(folder, 'node_modules', name), { recursive: true, force: true });
    await symlink(join(modules, name), join(folder, 'node_modules', name));
  }
  await using app = await startApp(folder, 'ace-app.cjs', awsEnv(host.url));
  const asked = async (method: 'GET' | 'POST', secret: string) => {
    const response = await fetch(`http://127.0.0.1:${app.ports['us']}/notes`, {
      method,
      headers: { authorization: `JWT ${tokenFor(method, secret)}` },
      signal: AbortSignal.timeout(60_000),
    });
    return { status: response.status, body: await response.text() };
  };
  const become = (decide: (record: TenantRecord) => TenantRecord | undefined) =>
    host.tenants.change('us', 'one', (record) => record && decide(record));

  expect(await asked('GET', 'first')).toMatchObject({
    status: 401,
    body: expect.stringContaining('Could not find stored client data for one'),
  });
  await host.tenants.change('us', 'one', () =>
    tenantRecord({
      tenant: 'one',
      credentials: { sharedSecret: 'first', iat: 1_000 },
      installation: { clientKey: 'one', baseUrl: 'https://one.atlassian.net/wiki' },
    }),
  );
  // The framework creates the table of its own keys when it starts.
  await expect
    .poll(async () => (await asked('GET', 'first')).body)
    .toBe(JSON.stringify({ baseUrl: 'https://one.atlassian.net/wiki', note: { seen: true } }));
  expect((await asked('POST', 'first')).status).toBe(201);
  expect((await asked('POST', 'another')).status).not.toBe(201);

  await become((record) => ({ ...record, state: 'frozen', migration: '1', ledger: 'us' }));
  await become((record) => withCredentials(record, { sharedSecret: 'second', iat: 2_000 }));
  expect((await asked('GET', 'second')).status).toBe(200);
  expect(await asked('POST', 'second')).toMatchObject({ status: 503 });
  expect((await asked('GET', 'first')).status).not.toBe(200);

  await become((record) => ({ ...record, state: 'moved', movedTo: 'de', installation: {} }));
  expect(await asked('GET', 'second')).toMatchObject({
    status: 421,
    body: expect.stringContaining('https://de.app.example'),
  });
});
