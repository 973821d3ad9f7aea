/** A table that refuses for good: the move fails at once, and says which call, which table and which error of AWS. */
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
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
  await world.until(site, id, ['failed'], 20_000);
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
  // What AWS says besides may quote an item.
  expect(reason).not.toMatch(/injected|acme|Condition parameter/);
  expect(world.lines.join('\n')).toContain(`a task failed: DynamoDB refuses ${at.operation} on`);
  const [execution] = world.host.executions('de');
  expect(execution?.history.filter(({ what }) => what === 'retried')).toEqual([]);
});

test('that does not exist', async () => {
  await world
    .documents('sg')
    .send(new DeleteTableCommand({ TableName: 'residency-local-sg-templates' }));
  expect(await failed('homeless', 701, 'SG')).toBe(
    'DynamoDB refuses BatchWriteItem on residency-local-sg-templates in ap-southeast-1: ResourceNotFoundException (there is no such table or index)',
  );
});
