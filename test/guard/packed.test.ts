/**
 * The packed guard in an app of Express, in front of records that go through a whole move as the
 * hooks write them.
 */
import { execFile } from 'node:child_process';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { deliveryToken } from '../../lambdas/adapters/tokens/delivery-token.ts';
import {
  claim,
  close,
  freeze,
  open,
  release,
  retire,
  withdraw,
} from '../../lambdas/domain/tenants/fence.ts';
import type { TenantRecord } from '../../lambdas/domain/tenants/tenant.ts';
import { TENANT, tenantRecord } from '../support/builders.ts';
import { manualClock } from '../support/clock.ts';
import { type DynamoDbPortsHost, dynamoDbPortsHost } from '../support/dynamodb-ports-host.ts';
import { awsEnv, installPacked, startApp } from './packed-guard.ts';

const ROOT = join(import.meta.dirname, '../..');
const M = '57500';
const NOW = 1_790_000_000_000;

let host: DynamoDbPortsHost;
let vendor: Awaited<ReturnType<typeof installPacked>>;
let app: Awaited<ReturnType<typeof startApp>>;
beforeAll(async () => {
  host = await dynamoDbPortsHost(manualClock());
  vendor = await installPacked();
  app = await startApp(vendor.folder, 'express-app.mjs', awsEnv(host.url));
});
afterEach(() => host.inject(() => undefined));
afterAll(async () => {
  await app?.[Symbol.asyncDispose]();
  await host?.close();
});

const change = async (realm: string, decide: (record?: TenantRecord) => TenantRecord | undefined) =>
  expect(await host.tenants.change(realm, TENANT, decide)).toMatchObject({ changed: true });

interface Answered {
  readonly status: number;
  readonly retryAfter?: string;
  readonly body?: unknown;
}

async function asked(realm: string, method: 'GET' | 'POST', clientKey = TENANT): Promise<Answered> {
  const response = await fetch(`http://127.0.0.1:${app.ports[realm]}/notes`, {
    method,
    headers: clientKey === '' ? {} : { 'x-client-key': clientKey },
  });
  const text = await response.text();
  const retryAfter = response.headers.get('retry-after');
  return {
    status: response.status,
    ...(retryAfter === null ? {} : { retryAfter }),
    ...(text === '' ? {} : { body: JSON.parse(text) }),
  };
}

const READS = { status: 200, body: { tenant: TENANT } };
const WRITES = { status: 201 };
const LATER = { status: 503, retryAfter: '60', body: { message: 'Your data is being moved' } };
const IN_DE = {
  status: 421,
  body: { message: 'Your data has been moved', realm: 'de', baseUrl: 'https://de.app.example' },
};
const NOBODY = { status: 401, body: { message: 'Unauthorized' } };

async function expectAnswers(realm: string, read: Answered, write: Answered): Promise<void> {
  expect(await asked(realm, 'GET')).toEqual(read);
  expect(await asked(realm, 'POST')).toEqual(write);
}

describe('an app of Express with the packed guard', () => {
  test('answers through a move, its rollback and an uninstallation as the state says', async () => {
    await expectAnswers('us', NOBODY, NOBODY);
    await change('us', () => tenantRecord());
    await expectAnswers('us', READS, WRITES);

    await change('us', (record) => freeze(record, M, 'us', NOW));
    await expectAnswers('us', READS, LATER);
    const source = await host.tenants.read('us', TENANT);
    await change('de', (record) => claim(record, source ?? tenantRecord(), M, 'us'));
    await expectAnswers('de', LATER, LATER);

    await change('us', (record) => close(record, M, 'de'));
    await expectAnswers('us', IN_DE, IN_DE);
    await change('de', (record) => open(record, M, NOW));
    await expectAnswers('de', READS, WRITES);

    await change('de', (record) => withdraw(record, M, NOW));
    await expectAnswers('de', LATER, LATER);
    await change('us', (record) => release(record, M, NOW));
    await expectAnswers('us', READS, WRITES);

    await change('us', (record) => retire(record, 2_000, NOW));
    await expectAnswers('us', NOBODY, NOBODY);
  });

  test('answers 401 to a request that names no tenant, or has no form of a client key, and reads nothing', async () => {
    const calls: string[] = [];
    host.inject(({ operation }) => {
      calls.push(operation);
      return undefined;
    });
    expect(await asked('us', 'GET', '')).toEqual(NOBODY);
    expect(await asked('us', 'GET', '#client#tenant-1')).toEqual(NOBODY);
    expect(calls).toEqual([]);
  });

  test('reads once for a request that passes two guards, and strongly consistently', async () => {
    await host.tenants.change('us', 'once', () => tenantRecord({ tenant: 'once' }));
    const reads: unknown[] = [];
    host.inject(({ operation, input }) => {
      reads.push([operation, input['ConsistentRead'], input['Key']]);
      return undefined;
    });
    expect(await asked('us', 'POST', 'once')).toEqual(WRITES);
    expect(reads).toEqual([['GetItem', true, { tenant: { S: 'once' } }]]);
  });

  test('never asks for a secret', async () => {
    const asks: string[] = [];
    host.inject(({ input }) => {
      asks.push(...Object.values(Object(input['ExpressionAttributeNames'])).map(String));
      return undefined;
    });
    await asked('us', 'GET');
    expect(asks).toContain('state');
    expect(asks).not.toContain('sharedSecret');
  });

  test('lets no request in while the table cannot be read, and says why in its log', async () => {
    host.inject(() => ({ error: 'AccessDeniedException', says: 'not allowed' }));
    expect(await asked('us', 'GET')).toEqual({
      status: 503,
      retryAfter: '5',
      body: { message: 'Temporarily unavailable' },
    });
    expect(app.complaints.join('')).toContain(
      'fault: test-test-us-tenants cannot be read: AccessDeniedException (the role must be called test-test-us-…',
    );
  });
});

describe('an event that was kept during a move', () => {
  test('is known for genuine by the packed middleware', async () => {
    const sharedSecret = 'a secret of the tenant';
    await host.tenants.change('us', 'kept', () =>
      tenantRecord({ tenant: 'kept', credentials: { sharedSecret, iat: 1_000 } }),
    );
    const body = '{"clientKey":"kept"}';
    const sent = { app: 'com.example.app', audience: 'kept', path: '/installed', body };
    const post = async (secret: string) => {
      const response = await fetch(`http://127.0.0.1:${app.ports['us']}/installed`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-residency-delivery': deliveryToken(sent, secret, Date.now()),
        },
        body,
      });
      return [response.status, await response.json()];
    };
    expect(await post(sharedSecret)).toEqual([
      200,
      { kind: 'delivery', named: 'kept', tenant: 'kept' },
    ]);
    expect((await post('another secret'))[0]).toBe(401);
  });
});

describe('the packed guard', () => {
  test('holds the licence, and for each module system its code and types, and no source', () => {
    const { files } = vendor;
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    for (const format of ['esm', 'cjs'])
      for (const entry of ['index', 'express', 'ace-store', 'delivery'])
        expect(files).toEqual(
          expect.arrayContaining([
            `dist/${format}/${entry}.js`,
            `dist/${format}/${entry}.d.ts`,
            `dist/${format}/package.json`,
          ]),
        );
    expect(files.filter((file) => /^src\/|(?<!\.d)\.ts$/.test(file))).toEqual([]);
  });

  test('can be required by CommonJS', async () => {
    await host.tenants.change('us', 'common', () => tenantRecord({ tenant: 'common' }));
    const script = `
      const { residencyGuard, isResidencyFault } = require('app-data-residency-guard');
      require('app-data-residency-guard/express').residencyMiddleware;
      require('app-data-residency-guard/ace-store').residencyStore;
      const at = { app: 'test', realm: 'us', region: 'us-test-1', otherWritersSeconds: 1 };
      (async () => {
        const { kind } = await residencyGuard({ ...at, stage: 'test' })('common', 'write');
        const fault = await residencyGuard({ ...at, stage: 'none' })('common', 'read').catch((e) => e);
        console.log(JSON.stringify([kind, isResidencyFault(fault), fault.message]));
      })();`;
    await writeFile(join(vendor.folder, 'required.cjs'), script);
    const { stdout } = await promisify(execFile)(process.execPath, ['required.cjs'], {
      cwd: vendor.folder,
      env: awsEnv(host.url),
    });
    expect(JSON.parse(stdout)).toEqual([
      'allowed',
      true,
      'test-none-us-tenants cannot be read: ResourceNotFoundException (app, stage, realm and region must be those of a deployed realm)',
    ]);
  });

  test.each(['mts', 'cts'])(
    'has types that hold for a vendor’s TypeScript (.%s)',
    async (ending) => {
      const { folder } = vendor;
      await cp(join(folder, 'consumer.ts'), join(folder, `consumer.${ending}`));
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const options = '--noEmit --strict --exactOptionalPropertyTypes --skipLibCheck --types node'
        .split(' ')
        .concat('--module', 'nodenext', '--target', 'es2022');
      const checked = await promisify(execFile)(
        process.execPath,
        [tsc, ...options, `consumer.${ending}`],
        { cwd: folder },
      ).catch((error) => error);
      expect(checked.stdout).toBe('');
    },
  );
});
