/**
 * Lambda's Invoke on the local host: the SDK's own client finds the background functions of each
 * realm, and nothing else.
 */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let client: LambdaClient;
beforeAll(async () => {
  world = await startWorld();
  client = new LambdaClient({
    region: 'us-east-1',
    endpoint: world.host.functionsUrl,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await world[Symbol.asyncDispose]();
});

const invoked = async (name: string, payload: unknown) => {
  const reply = await client.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload) }),
  );
  return { error: reply.FunctionError, body: JSON.parse(reply.Payload?.transformToString() ?? '') };
};

describe('Lambda’s Invoke', () => {
  test('runs a background function of a realm', async () => {
    expect(await invoked('residency-local-de-janitor', {})).toEqual({
      error: undefined,
      body: null,
    });
  });

  test('says of a function that fails what it failed of, as Lambda does', async () => {
    const { error, body } = await invoked('residency-local-us-settle', {});
    expect(error).toBe('Unhandled');
    expect(body).toMatchObject({ errorMessage: expect.any(String), errorType: expect.any(String) });
  });

  test.each(['residency-local-us-purge-source-range', 'residency-local-us-installed', 'another'])(
    'knows no %s',
    async (name) => {
      await expect(invoked(name, {})).rejects.toThrow('Function not found');
    },
  );
});
