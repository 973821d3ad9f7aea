/** Every call that a reading command makes is allowed by the role operator-read of the realm it is made to, and nothing beside it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namesOf } from '../../lambdas/domain/residency.ts';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency } from '../../residency.config.ts';
import { freePorts } from '../processes/host-process.ts';
import { type Context, mayRole } from '../support/operator-roles.ts';
import { ACCOUNT } from '../support/policies.ts';
import { type RealmTemplate, templatesOf } from '../support/templates.ts';
import { startWorld, type World } from '../support/world.ts';

const calls: OperatorCall[] = [];
let world: World;
let templates: readonly RealmTemplate[];
beforeAll(async () => {
  const port = await freePorts();
  templates = templatesOf(residency, { stage: 'local' });
  world = await startWorld({ port });
  const site = await world.installed('acme');
  await world.fill('acme', 'us', 5);
  await world.ready(site, 1);
  const run = async (...args: readonly string[]) => {
    await residencyCommand([...args, '--local', String(port)], {
      residency,
      print: () => {},
      complain: (text) => said.push(text),
      isInteractive: false,
      ask: async () => '',
      onCall: (call) => calls.push(call),
    });
  };
  for (const args of READING) await run(...args);
}, 120_000);
afterAll(() => world[Symbol.asyncDispose]());

const said: string[] = [];
const READING = [
  ['where', 'acme'],
  ['status'],
  ['settings'],
  ['settings', '--tenant', 'acme'],
  ['settings', '--all'],
  ['migrations'],
  ['migrations', '--all'],
  ['show', 'acme'],
  ['receipt', 'acme', '1'],
  ['audit'],
  ['audit', '--all'],
  ['audit', '--tenant', 'acme'],
  ['doctor'],
  ['doctor', '--before-deploy'],
] as const;

describe('the reading commands', () => {
  test('stay within operator-read', () => {
    expect(said).toEqual([]);
    expect(calls.length).toBeGreaterThan(200);
    const refused = calls
      .map(asked)
      .filter(({ realm, action, resource, context }) => {
        const template = templates.find((one) => one.realm === realm);
        return (
          template === undefined ||
          !mayRole(template, 'operator-read', { action, resource, context })
        );
      })
      .map(
        ({ realm, action, resource, context }) =>
          `${realm} ${action} ${resource} ${JSON.stringify(context)}`,
      );
    expect([...new Set(refused)]).toEqual([]);
  });

  test('never ask for an item’s contents, nor for a secret', () => {
    const parts = residency.parts.map((part) => namesOf(residency, 'local', 'us').part(part));
    for (const call of calls) {
      const { resource, context } = asked(call);
      expect(JSON.stringify(call.input)).not.toContain('sharedSecret');
      if (!parts.some((name) => resource.endsWith(`/${name}`))) continue;
      if (call.command === 'DescribeTable') continue;
      const names = context['dynamodb:Attributes'] ?? [];
      expect(['tenant', 'id', 'expiresAt']).toEqual(expect.arrayContaining([...names]));
    }
  });
});

/** What IAM is told of a call: DynamoDB names the attributes of projection and filter, and how they are selected. */
function asked({ service, command, realm, input }: OperatorCall) {
  const fields: Readonly<Record<string, unknown>> = { ...input };
  const region = residency.realms.find((row) => row.realm === realm)?.region ?? '';
  const action = `${service}:${command}`;
  if (service === 'states')
    return { realm, action, resource: String(fields['stateMachineArn']), context: {} };
  if (service === 'lambda')
    return {
      realm,
      action,
      resource: `arn:aws:lambda:${region}:${ACCOUNT}:function:${fields['FunctionName']}`,
      context: {},
    };
  const index = fields['IndexName'] === undefined ? '' : `/index/${fields['IndexName']}`;
  const resource = `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${fields['TableName']}${index}`;
  const names: Readonly<Record<string, string>> = Object(fields['ExpressionAttributeNames']);
  const used = ['ProjectionExpression', 'FilterExpression', 'KeyConditionExpression']
    .map((field) => String(fields[field] ?? ''))
    .join(' ');
  const attributes = Object.keys(names)
    .filter((alias) => new RegExp(`${alias}(?![\\w])`).test(used))
    .map((alias) => names[alias] ?? '');
  const select =
    fields['Select'] ??
    (fields['ProjectionExpression'] === undefined ? 'ALL_ATTRIBUTES' : 'SPECIFIC_ATTRIBUTES');
  const context: Context =
    command === 'DescribeTable'
      ? {}
      : { 'dynamodb:Select': [String(select)], 'dynamodb:Attributes': attributes };
  return { realm, action, resource, context };
}
