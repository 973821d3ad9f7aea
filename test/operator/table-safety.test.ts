/** What `doctor` finds on keys and protection, over HTTP as AWS answers it. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { listenOn, stop } from '../../lib/local/http.ts';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import {
  encryption,
  encryptionFound,
  protection,
  protectionFound,
} from '../../lib/operator/doctor/table-safety.ts';
import { operatorOf } from '../../lib/operator/operator.ts';
import { residency as configured } from '../../residency.config.ts';
import { mayRole } from '../support/operator-roles.ts';
import { ACCOUNT } from '../support/policies.ts';
import { templatesOf } from '../support/templates.ts';

const keyArn = (id: string) => `arn:aws:kms:us-east-1:${ACCOUNT}:key/${id}`;
const STACKS = keyArn('of-the-stack');
const OLD = keyArn('of-a-stack-that-is-gone');
const onKey = (key: string) => ({
  SSEDescription: { SSEType: 'KMS', KMSMasterKeyArn: key } as const,
});

/** One of the vendor's own tables, with a declared key. */
const residency: Residency = {
  ...configured,
  realms: configured.realms.slice(0, 1),
  otherWritersSeconds: 0,
  parts: configured.parts.map((part) =>
    part.name === 'templates'
      ? { ...part, tableName: () => 'app-templates', encryptionKeyArn: () => keyArn('declared') }
      : part,
  ),
};

/** AWS's description of each table, by its name; a test changes it. */
const tables: Record<string, object> = {};
const variables: Record<string, string> = {};
const server = createServer(async (request, response) => {
  const body = await text(request);
  const answer = request.url?.endsWith('/configuration')
    ? { FunctionName: 'residency-prod-us-health', Environment: { Variables: variables } }
    : { Table: { TableStatus: 'ACTIVE', ...tables[JSON.parse(body).TableName] } };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer));
});
const calls: OperatorCall[] = [];
let operator: ReturnType<typeof operatorOf>;

beforeAll(async () => {
  const url = `http://127.0.0.1:${await listenOn(server, 0)}`;
  vi.stubEnv('AWS_ENDPOINT_URL', url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  operator = operatorOf({ residency, stage: 'prod', onCall: (call) => calls.push(call) });
  variables['TABLE_KEY_ARN'] = STACKS;
  for (const word of ['tenants', 'migrations'])
    tables[`residency-prod-us-${word}`] = { ...onKey(STACKS), DeletionProtectionEnabled: true };
  for (const word of ['exports', 'previews'])
    tables[`residency-prod-us-${word}`] = { DeletionProtectionEnabled: true };
  tables['app-templates'] = onKey(keyArn('declared'));
});
afterAll(async () => {
  operator.close();
  vi.unstubAllEnvs();
  await stop(server);
});

describe('the check of encryption', () => {
  test('is fine where every table is on the key of the stack, or on the declared one', async () => {
    expect(await encryption(operator, 'us')).toEqual({
      ok: true,
      says: '5 tables are encrypted with the keys that they should have',
    });
  });

  test('finds a table that was taken back and is on the key of a stack that is gone', async () => {
    tables['residency-prod-us-tenants'] = onKey(OLD);
    const found = await encryption(operator, 'us');
    expect(found.ok).toBe(false);
    expect(found.says).toBe(
      `the table residency-prod-us-tenants is encrypted with ${OLD}, and not with ${STACKS}`,
    );
    expect(found.fix).toContain('docs/runbook.md. Never delete the other key');
    tables['residency-prod-us-tenants'] = { ...onKey(STACKS), DeletionProtectionEnabled: true };
  });

  test('cannot be made where the deployed version does not say its key', async () => {
    delete variables['TABLE_KEY_ARN'];
    expect(await encryption(operator, 'us')).toMatchObject({
      ok: false,
      fix: 'deploy the realm with this version of the app',
    });
    variables['TABLE_KEY_ARN'] = STACKS;
  });

  test.each([
    ['a key that AWS keeps', { wanted: undefined, described: {} }, true],
    ['the account’s managed key', { wanted: STACKS, described: {} }, false],
    ['a key that nobody declared', { wanted: undefined, described: onKey(OLD) }, false],
    ['the key that is wanted', { wanted: OLD, described: onKey(OLD) }, true],
  ])('judges a table on %s', (_, row, ok) => {
    expect(encryptionFound([{ name: 'a', ...row }]).ok).toBe(ok);
  });
});

describe('the check of protection', () => {
  test('is fine where every table of the stack refuses to be deleted, whatever the vendor’s do', async () => {
    expect(await protection(operator, 'us')).toEqual({
      ok: true,
      says: '4 tables refuse to be deleted',
    });
  });

  test('names the tables that can be deleted, and says what to do', () => {
    const described = [
      { TableName: 'a', DeletionProtectionEnabled: true },
      { TableName: 'b', DeletionProtectionEnabled: false },
      { TableName: 'c' },
    ];
    expect(protectionFound('us', described)).toEqual({
      ok: false,
      says: 'b, c can be deleted by one call',
      fix: 'set isProtected: true in the row of us in residency.config.ts, and deploy the realm again',
    });
  });
});

test('both stay within operator-read', () => {
  const [template] = templatesOf(residency, { stage: 'prod' });
  if (template === undefined) throw new Error('there is no template');
  expect(calls.length).toBeGreaterThan(10);
  for (const { service, command, input } of calls) {
    const { TableName: name, FunctionName: lambda }: Record<string, unknown> = { ...input };
    const resource =
      service === 'lambda'
        ? `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${lambda}`
        : `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/${name}`;
    const asked = { action: `${service}:${command}`, resource };
    expect(mayRole(template, 'operator-read', asked), JSON.stringify(asked)).toBe(true);
  }
});
