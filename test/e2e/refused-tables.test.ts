/**
 * A table that refuses permanently: the move fails at once, and names the call, the table and AWS's
 * error.
 */
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { rowOf } from '../../lib/operator/moves/migrations.ts';
import { showText } from '../../lib/operator/moves/show.ts';
import { facts, startWorld, type World } from '../support/world.ts';

let inject: (call: DynamoDbCall) => InjectedFault | undefined = () => undefined;
let world: World;
beforeAll(async () => {
  // As fast as in AWS: whatever is retried here takes its 93 seconds.
  world = await startWorld({ retrySpeed: 1, dynamoDb: { inject: (call) => inject(call) } });
});
afterEach(() => {
  inject = () => undefined;
});
afterAll(async () => world[Symbol.asyncDispose]());

const DE = 'eu-central-1';
const US = 'us-east-1';

async function failed(tenant: string, id: number, location = 'DE'): Promise<string> {
  const site = await world.installed(tenant);
  await world.fill(tenant, 'us', 8);
  await world.scheduled(site, id, location);
  await world.hook(site, 'start', id, facts(location));
  await world.until(site, id, ['failed']);
  const migration = await world.migration('us', tenant, id);
  return migration?.error?.reason ?? '';
}

test.each<[string, string, Partial<DynamoDbCall>, InjectedFault, string]>([
  [
    'a right to write',
    'unwritten',
    { region: DE, operation: 'BatchWriteItem' },
    { error: 'AccessDeniedException' },
    'DynamoDB refuses BatchWriteItem on residency-local-de-exports in eu-central-1: AccessDeniedException',
  ],
  [
    'a right to read',
    'unread',
    { region: US, operation: 'Query' },
    { error: 'AccessDeniedException' },
    'DynamoDB refuses Query on residency-local-us-exports in us-east-1: AccessDeniedException',
  ],
  [
    'the encryption key',
    'locked',
    { region: US, operation: 'Query' },
    { error: 'AccessDeniedException', says: 'KMS key access denied error: acme’s key is disabled' },
    'AccessDeniedException (the encryption key of the table cannot be used)',
  ],
  [
    'the keys of a table',
    'unlike',
    { region: US, operation: 'Query' },
    {
      error: 'ValidationException',
      says: 'One or more parameter values were invalid: Condition parameter type does not match schema type: unlike',
    },
    'ValidationException (the table has other keys than are declared)',
  ],
])('without %s', async (_, tenant, at, fault, sentence) => {
  inject = ({ region, operation, input }) =>
    region === at.region && operation === at.operation && JSON.stringify(input).includes('-exports')
      ? fault
      : undefined;
  const reason = await failed(tenant, 700);
  expect(reason).toContain(sentence);
  // AWS's message may quote an item.
  expect(reason).not.toMatch(/injected|acme|Condition parameter/);
  expect(world.lines.join('\n')).toContain(`a task failed: DynamoDB refuses ${at.operation} on`);
  const [execution] = world.host.executions('de');
  expect(execution?.history.filter(({ what }) => what === 'retried')).toEqual([]);
});

test('that does not exist', async () => {
  await world
    .documents('sg')
    .send(new DeleteTableCommand({ TableName: 'residency-local-sg-templates' }));
  expect(await failed('homeless', 701, 'SG')).toMatch(
    /^DynamoDB refuses \w+ on residency-local-sg-templates in ap-southeast-1: ResourceNotFoundException \(there is no such table or index\)$/,
  );
});

test('in a commit: the ledger and `show` say why its executions end, until the table is mended', async () => {
  const site = await world.installed('purging');
  await world.fill('purging', 'us', 8);
  await world.ready(site, 702);
  inject = ({ region, operation, input }) =>
    region === US && operation === 'BatchWriteItem' && JSON.stringify(input).includes('-templates')
      ? { error: 'AccessDeniedException' }
      : undefined;
  expect((await world.hook(site, 'commit', 702)).status).toBe(200);
  const why =
    'DynamoDB refuses BatchWriteItem on residency-local-us-templates in us-east-1: AccessDeniedException';
  const record = () => world.migration('us', 'purging', 702);
  await expect.poll(async () => (await record())?.failedExecutions, { interval: 100 }).toBe(3);
  expect(await record()).toMatchObject({ status: 'committing', lastFailure: `FAILED: ${why}` });
  expect(world.lines.join('\n')).toContain(`has ended as FAILED: ${why}`);
  const shown = showText({
    migration: rowOf((await record()) ?? raise('the migration is gone')),
    timeline: [],
    progress: [],
    settings: [],
  });
  expect(shown).toContain(`last end   FAILED: ${why}`);

  inject = () => undefined;
  await world.host.invoke('us', 'tasks/janitor', {});
  await world.until(site, 702, ['committed']);
  expect(await record()).not.toHaveProperty('lastFailure');
});

function raise(message: string): never {
  throw new Error(message);
}
