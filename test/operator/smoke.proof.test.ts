/**
 * `smoke`, through the real command line, and the key by which a stage accepts synthetic tenants
 * only.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smokeKidOf } from '../../lambdas/adapters/tokens/smoke-key.ts';
import { composeWithDoors } from '../../lambdas/doors.ts';
import { installToken } from '../../lib/atlassian-tokens.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { bucketsIn, leftIn } from '../support/objects.ts';
import { type OperatorCommand, operatorCommand, typed } from '../support/operator-command.ts';
import { appOf } from '../support/templates.ts';
import { startWorld, WITH_DOCUMENTS, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
let folder: string;
let keyFile: string;
const objectCalls: string[] = [];
let made: { readonly kid: string; readonly smokePublicKey: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smoke-'));
  keyFile = join(folder, 'smoke-key.pem');
  const { code, stdout } = await typed(['smoke-key', keyFile, '--json']);
  expect(code).toBe(0);
  made = JSON.parse(stdout);
  const port = await freeTcpPorts();
  world = await startWorld({
    port,
    residency: WITH_DOCUMENTS,
    env: { SMOKE_PUBLIC_KEY: made.smokePublicKey },
    s3: { onRequest: ({ operation, key }) => void objectCalls.push(`${operation} ${key}`) },
  });
  residency = operatorCommand(port, WITH_DOCUMENTS);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** An `installed` for a client key, signed by any key. */
async function installed(clientKey: string, key: KeyObject): Promise<number> {
  const baseUrl = world.host.urls['us'] ?? '';
  const url = `${baseUrl}/installed`;
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const token = installToken({ kid: smokeKidOf(der), privateKey: key }, clientKey, {
    method: 'POST',
    url,
    baseUrl,
  });
  const body = {
    key: configured.app.key,
    clientKey,
    sharedSecret: 'not-very-secret',
    eventType: 'installed',
  };
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `JWT ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return response.status;
}

describe('smoke', () => {
  test('moves a synthetic tenant, rolls another move back, and leaves no item behind', async () => {
    const { code, report } = await residency.json(
      ...['smoke', '--from', 'us', '--to', 'de', '--key', keyFile, '--items', '20', '--yes'],
    );
    const { tenant, steps, failure } = Object(report);
    expect([code, failure]).toEqual([0, undefined]);
    expect(steps.map(({ step, ok, says }: Record<string, unknown>) => [step, ok, says])).toEqual([
      ['installed in us', true, '204'],
      ['60 items and 2 objects in 4 parts of us', true, ''],
      ['schedule us → de', true, '200 scheduled'],
      ['start', true, '200 copying'],
      ['status', true, '200 ready-to-commit'],
      ['commit', true, '200 committing'],
      ['status', true, '200 committed'],
      ['every item is in de, as it was', true, ''],
      ['nothing is left in us, caches included', true, ''],
      ['caches were not copied', true, ''],
      ['the tenant is moved in us, and active in de', true, ''],
      ['schedule de → us', true, '200 scheduled'],
      ['start', true, '200 copying'],
      ['status', true, '200 ready-to-commit'],
      ['rollback', true, '200 rolling-back'],
      ['status', true, '200 rolled-back'],
      ['every item is still in de', true, ''],
      ['nothing has come back to us', true, ''],
      ['uninstalled in de', true, '204'],
      ['the tenant is retired in de', true, ''],
      ['its items are discarded in de', true, ''],
    ]);
    expect(tenant).toMatch(/^residency-smoke-/);
    // Both objects were copied, by one request each, and nothing of them is left anywhere.
    const copies = objectCalls.filter((call) => call.startsWith('CopyObject'));
    expect(new Set(copies).size).toBe(2);
    const documents = bucketsIn(world.host, 'documents');
    for (const realm of ['us', 'de']) {
      expect(await leftIn(documents, realm, '')).toBe(0);
      documents.client(realm).destroy();
    }
    expect([await world.countAll(tenant, 'us'), await world.countAll(tenant, 'de')]).toEqual([
      0, 0,
    ]);
    expect((await world.record(tenant, 'de'))?.['state']).toBe('retired');
  });

  test('ends in 1 at the first thing that is not as it should be', async () => {
    const stranger = join(folder, 'another.pem');
    await typed(['smoke-key', stranger]);
    const { code, stdout } = await residency(
      'smoke',
      '--from',
      'us',
      '--to',
      'de',
      '--key',
      stranger,
      '--yes',
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ installed in us: 401/);
  });

  test('needs no key of its own on a local host, as far as its key server', async () => {
    const args = ['smoke', '--from', 'eu', '--to', 'sg', '--items', '1', '--yes'];
    const { code, stdout } = await residency(...args);
    expect(stdout).toContain('✓ moved eu → sg, rolled back sg → eu, every item as it was');
    expect(code).toBe(0);
  });

  test('is refused in production, and where nothing would move', async () => {
    const prod = await typed([
      'smoke',
      '--stage',
      'prod',
      '--from',
      'us',
      '--to',
      'de',
      '--key',
      keyFile,
    ]);
    expect(prod).toEqual({
      code: 2,
      stdout: '',
      stderr: 'stage prod: a smoke test is refused in stage prod: it has real customers\n',
    });
    expect((await residency('smoke', '--from', 'us', '--to', 'us')).code).toBe(2);
  });
});

describe('a smoke key', () => {
  test('is for its owner alone to read, and is never written over', async () => {
    expect((await stat(keyFile)).mode & 0o077).toBe(0);
    const before = await readFile(keyFile, 'utf8');
    expect(await typed(['smoke-key', keyFile])).toMatchObject({
      code: 1,
      stderr: `${keyFile} is there already\n`,
    });
    expect(await readFile(keyFile, 'utf8')).toBe(before);
  });

  test('installs synthetic tenants, and no other', async () => {
    const key = createPrivateKey(await readFile(keyFile));
    expect(await installed('residency-smoke-x', key)).toBe(204);
    expect(await installed('a-customer', key)).toBe(401);
    expect(await world.record('a-customer', 'us')).toBeUndefined();
  });

  test('is none, if the stage was not told', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(await installed('residency-smoke-y', privateKey)).toBe(401);
  });

  test('is trusted by no production stage: neither is it synthesised, nor would a function start', () => {
    const smokePublicKey = made.smokePublicKey;
    expect(() => appOf(configured, { stage: 'prod', smokePublicKey })).toThrow(
      'smokePublicKey: stage prod trusts no key but Atlassian’s',
    );
    const env = {
      REALM: 'us',
      STAGE: 'prod',
      ACCOUNT_ID: '000000000000',
      SMOKE_PUBLIC_KEY: smokePublicKey,
    };
    expect(() => composeWithDoors(env)).toThrow('SMOKE_PUBLIC_KEY must not be set in stage prod');
    expect(() => composeWithDoors({ ...env, STAGE: 'dev' })).not.toThrow();
  });
});
