/**
 * `rehearse`: forecasts a move, copies a sample to keys that no tenant can have, and leaves nothing
 * behind, however it ends.
 */
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rehearsalRanges } from '../../lambdas/domain/operating/rehearsal.ts';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { forecast } from '../../lib/operator/tenants/forecast.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

/** Copies a sample without a question. */
const SAMPLE = ['--sample', '--yes'];

let world: World;
let residency: OperatorCommand;
let fault: ((call: DynamoDbCall) => InjectedFault | undefined) | undefined;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({
    port,
    env: { DRAIN_SECONDS: '1' },
    dynamoDb: { inject: (call) => fault?.(call) },
  });
  residency = operatorCommand(port);
  await world.installed('acme');
  await world.fill('acme', 'us', 64);
  await world.installed('neighbour', 'de');
  await world.fill('neighbour', 'de', 8);
});
afterAll(() => world[Symbol.asyncDispose]());
afterEach(() => {
  fault = undefined;
});

/** Counts the items under the rehearsal's keys in a realm. */
async function left(realm: string): Promise<number> {
  let count = 0;
  for (const part of FEWER_SHARDS.parts)
    for (const { partition } of rehearsalRanges([part])) {
      const { Count = 0 } = await world.documents(realm).send(
        new QueryCommand({
          TableName: `residency-local-${realm}-${part.name}`,
          ConsistentRead: true,
          KeyConditionExpression: 'tenant = :t',
          ExpressionAttributeValues: { ':t': partition },
        }),
      );
      count += Count;
    }
  return count;
}

describe('rehearse', () => {
  test('copies a sample, finds it equal, discards it, and touches nothing else', async () => {
    const before = [await world.items('acme', 'us'), await world.items('neighbour', 'de')];
    const { code, report } = await residency.json(
      'rehearse',
      'acme',
      '--to',
      'de',
      '--sample',
      '--yes',
      '--items',
      '100',
    );
    expect(report).toMatchObject({
      tenant: 'acme',
      source: 'us',
      target: 'de',
      parts: [
        { part: 'templates', items: 64 },
        { part: 'exports', items: 64 },
        { part: 'previews' },
      ],
      forecast: { basis: 'measured', items: 128, drainSeconds: 1, seconds: expect.any(Number) },
      window: { hours: 1.5, fits: true, share: expect.any(Number) },
      rehearsal: {
        leftovers: 0,
        items: 98, // 34 of the templates, and all 32 in each of two shards
        ranges: 3,
        verified: true,
        provenEmpty: true,
        backupsExpire: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      },
      obstacles: [],
    });
    expect(code).toBe(0);
    expect([await left('de'), await left('us')]).toEqual([0, 0]);
    expect([await world.items('acme', 'us'), await world.items('neighbour', 'de')]).toEqual(before);
    expect(await world.countAll('acme', 'de')).toBe(0);
    expect(await world.record('acme', 'de')).toBeUndefined();
    expect((await world.record('acme', 'us'))?.['state']).toBe('active');
    expect((await residency('audit', '--all')).code).toBe(0);
  });

  test('finds what a rehearsal that was killed has left, and discards it first', async () => {
    await world.put('de', 'templates', { tenant: '#rehearsal', id: 'left' });
    await world.put(
      'de',
      'exports',
      { tenant: '#rehearsal#01', id: 'left' },
      { tenant: '#rehearsal#00', id: 'x' },
    );
    const lease = (until: number) =>
      world.documents('de').send(
        new PutCommand({
          TableName: 'residency-local-de-migrations',
          Item: {
            tenant: '#rehearsal',
            id: 'range#lease#lease',
            revision: 99,
            range: 'lease',
            work: 'copy',
            asOf: 0,
            lastingUntil: 0,
            tries: 0,
            done: false,
            lease: { owner: 'a function that was killed', until },
          },
        }),
      );
    await lease(Date.now() + 60_000);
    const early = await residency('rehearse', 'acme', '--to', 'de', ...SAMPLE, '--items', '17');
    expect(early.code).toBe(1);
    expect(early.stderr).toMatch(
      /: another rehearsal is running in de, until .*Z at the latest\n$/,
    );
    expect(await left('de')).toBe(3);

    await lease(Date.now() - 1);
    const { code, report } = await residency.json(
      'rehearse',
      'acme',
      '--to',
      'de',
      '--sample',
      '--yes',
      '--items',
      '17',
    );
    expect([code, Object(report).rehearsal]).toMatchObject([0, { leftovers: 3, verified: true }]);
    expect(await left('de')).toBe(0);
  });

  test('leaves a sample that the hourly purge discards and proves, where it was killed', async () => {
    const record = async () =>
      (
        await world.documents('de').send(
          new GetCommand({
            TableName: 'residency-local-de-migrations',
            Key: { tenant: '#rehearsal', id: 'range#lease#lease' },
            ConsistentRead: true,
          }),
        )
      ).Item;
    const before = await world.items('neighbour', 'de');
    const killed = async (until: number) => {
      await world.put('de', 'templates', { tenant: '#rehearsal', id: 'left' });
      await world.put('de', 'exports', { tenant: '#rehearsal#01', id: 'left' });
      const lease = { owner: 'a function that was killed', until };
      await world.documents('de').send(
        new PutCommand({
          TableName: 'residency-local-de-migrations',
          Item: { ...(await record()), done: false, revision: 7, lease },
        }),
      );
    };
    expect(await record()).toMatchObject({ done: true });

    await killed(Date.now() + 60_000);
    await world.host.invoke('de', 'tasks/purge-retired', {});
    expect(await left('de')).toBe(2);

    await killed(Date.now() - 1);
    await world.host.invoke('de', 'tasks/purge-retired', {});
    expect(await left('de')).toBe(0);
    expect(await record()).toMatchObject({ done: true });
    expect(await record()).not.toHaveProperty('lease');
    expect(await world.items('neighbour', 'de')).toEqual(before);
  });

  test('is on record as not ended before it writes anything', async () => {
    let wasDone: unknown;
    fault = ({ operation, input }) => {
      if (operation === 'PutItem' && JSON.stringify(input).includes('range#lease'))
        wasDone ??= Object(input['Item'])['done'];
      const isSample = operation === 'BatchWriteItem' && wasDone === undefined;
      return isSample ? { error: 'AccessDeniedException' } : undefined;
    };
    const { code } = await residency('rehearse', 'acme', '--to', 'de', ...SAMPLE, '--items', '17');
    expect([code, wasDone]).toEqual([0, { BOOL: false }]);
  });

  test('discards the sample when it fails half-way, and says why in a sentence', async () => {
    let reads = 0;
    fault = ({ operation, input }) => {
      const isOfSample =
        JSON.stringify(input).includes('#rehearsal') && input['Select'] !== 'COUNT';
      if (operation !== 'Query' || !isOfSample) return undefined;
      reads += 1;
      if (reads < 3) return undefined;
      fault = undefined;
      return { error: 'AccessDeniedException' };
    };
    const { code, stdout, stderr } = await residency('rehearse', 'acme', '--to', 'de', ...SAMPLE);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^local host .*\n\n$/)]);
    expect(stderr).toMatch(/: the function rehearse of de failed: .*\n$/);
    expect(await left('de')).toBe(0);
  });

  test('says that the target may not be written to', async () => {
    fault = ({ operation, region }) =>
      operation === 'BatchWriteItem' && region === 'eu-central-1'
        ? { error: 'AccessDeniedException' }
        : undefined;
    const { code, stderr } = await residency('rehearse', 'acme', '--to', 'de', ...SAMPLE);
    expect(code).toBe(1);
    expect(stderr).toMatch(/: the function rehearse of de failed: /);
  });

  test('only plans, where no sample is wanted', async () => {
    const { code, report } = await residency.json('rehearse', 'acme', '--to', 'sg');
    expect([code, report]).toMatchObject([0, { forecast: { basis: 'planned', items: 128 } }]);
    expect(report).not.toHaveProperty('rehearsal');
  });

  test('names what stands in the way, and refuses what is no move', async () => {
    const args = ['set', '--realm', 'us', '--tenant', 'acme', '--yes', '--new-moves'];
    await residency(...args, 'off');
    const stopped = await residency.json('rehearse', 'acme', '--to', 'de');
    await residency(...args, 'default');
    expect(stopped).toMatchObject({
      code: 1,
      report: { obstacles: ['new moves are switched off in us, or for this tenant'] },
    });
    const said = await Promise.all([
      residency('rehearse', 'acme', '--to', 'us'),
      residency('rehearse', 'nobody', '--to', 'us'),
      residency('rehearse', 'acme'),
    ]);
    expect(
      said.map(({ code, stderr }) => [
        code,
        stderr.trim().replace(/^local host on port \d+: /, ''),
      ]),
    ).toEqual([
      [2, 'acme is in us already: a move there moves nothing'],
      [1, 'no realm knows the tenant nobody'],
      [2, "error: required option '--to <realm>' not specified"],
    ]);
  });
});

describe('a forecast', () => {
  const million = [
    { part: 'templates', policy: 'move', items: 1_000_000, expired: 0, bytes: 1_000_000_000 },
  ] as const;
  const measured = {
    sourceMs: 90,
    targetMs: 10,
    callMs: 3,
    copyMs: 100,
    readMs: 50,
    few: { items: 30, copyMs: 70, readMs: 40 },
    drainMs: 20_000,
  };

  test('knows DynamoDB’s limits in AWS, however fast the sample was', () => {
    const said = forecast({
      parts: configured.parts,
      sizes: million,
      concurrency: 16,
      isLocal: false,
      measured,
      sample: { items: 1_000 },
    });
    expect(said).toMatchObject({ limit: 'partition', drainSeconds: 20, basis: 'measured' });
    expect(said.copySeconds).toBeGreaterThan(1_000);
    expect(said.copySeconds).toBeLessThan(1_100);
  });

  test('goes by the sample where that was slower', () => {
    const slow = { ...measured, copyMs: 60_000 };
    const input = {
      parts: configured.parts,
      sizes: million,
      concurrency: 16,
      measured: slow,
      sample: { items: 1_000 },
    };
    expect(forecast({ ...input, isLocal: false })).toMatchObject({
      limit: 'cpu',
      copySeconds: 60_000 / 16,
    });
    expect(forecast({ ...input, isLocal: true }).copySeconds).toBeCloseTo(60_000);
  });
});
