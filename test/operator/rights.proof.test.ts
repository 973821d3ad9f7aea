/**
 * The role operator-read of a realm allows every call that a reading command makes there, and
 * nothing else.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { asked, refusedTo } from '../support/operator-calls.ts';
import { type RealmTemplate, templatesOf } from '../support/templates.ts';
import { FEWER_SHARDS, startWorld, WITH_DOCUMENTS, type World } from '../support/world.ts';

const calls: OperatorCall[] = [];
let world: World;
let templates: readonly RealmTemplate[];
beforeAll(async () => {
  const port = await freeTcpPorts();
  templates = templatesOf(WITH_DOCUMENTS, { stage: 'local' });
  world = await startWorld({ port });
  const site = await world.installed('acme');
  await world.fill('acme', 'us', 5);
  await secondPage();
  await world.ready(site, 1);
  const run = async (...args: readonly string[]) => {
    await residencyCommand([...args, '--local', String(port)], {
      residency: FEWER_SHARDS,
      print: () => {},
      complain: (text) => said.push(text),
      isInteractive: false,
      ask: async () => '',
      onCall: (call) => calls.push(call),
    });
  };
  for (const args of READING) await run(...args);
});
afterAll(() => world[Symbol.asyncDispose]());

/**
 * Enough items that a scan of a table takes more than one page (1 MB), whose second request names
 * an item to go on from.
 */
async function secondPage() {
  for (let item = 0; item < 4; item += 1) {
    const body = 'x'.repeat(380_000);
    await world.put('us', 'templates', { tenant: world.idOf('acme'), id: `large-${item}`, body });
  }
}

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
  ['scan'],
] as const;

describe('the reading commands', () => {
  test('stay within operator-read', () => {
    expect(said).toEqual([]);
    expect(calls.length).toBeGreaterThan(200);
    expect(refusedTo('operator-read', calls, templates)).toEqual([]);
  });

  test('go on to the second page of a scan, which names both keys of an item', () => {
    const pages = calls.filter(
      ({ command, input }) =>
        command === 'Scan' && 'ExclusiveStartKey' in input && input.ExclusiveStartKey !== undefined,
    );
    expect(pages.map(asked).map(({ context }) => context['dynamodb:Attributes'])).toContainEqual([
      'tenant',
      'id',
    ]);
  });

  test('never ask for an item’s contents, nor for a secret', () => {
    const { parts: declared } = FEWER_SHARDS;
    const { part: nameOf } = physicalNames(FEWER_SHARDS, 'local', 'us');
    const parts = declared.map((part) => nameOf(part));
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
