/**
 * Faults of AWS and of workers: throttles, lost replies, killed workers, unreachable tables, a
 * source that is changed.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import type { LocalHostOptions } from '../../lib/local/host-setup.ts';
import { eventually, facts, startWorld, type World, type WorldDoor } from '../support/world.ts';

let inject: (call: DynamoDbCall) => InjectedFault | undefined = () => undefined;
let world: World | undefined;

async function faultyWorld(
  options: Partial<LocalHostOptions> & { readonly door?: WorldDoor } = {},
): Promise<World> {
  inject = () => undefined;
  world = await startWorld({ ...options, dynamoDb: { inject: (call) => inject(call) } });
  return world;
}
afterEach(async () => {
  inject = () => undefined;
  await world?.[Symbol.asyncDispose]();
});

/**
 * One fault of each kind meets a Connect or a Forge app; its effect on a copy or a purge is the
 * same in both.
 */
const EITHER = ['connect', 'forge'] as const;

const DE = 'eu-central-1';
const US = 'us-east-1';
const text = (call: DynamoDbCall) => JSON.stringify(call.input);

describe('a copy', () => {
  test('that is interrupted goes on from its last checkpoint', async () => {
    const { installed, fill, items, scheduled, hook, until, host } = await faultyWorld();
    const site = await installed('interrupted');
    await fill('interrupted', 'us', 1200);
    const before = await items('interrupted', 'us');
    let writes = 0;
    let isBroken = true;
    inject = ({ region, operation }) => {
      if (region !== DE || operation !== 'BatchWriteItem') return undefined;
      writes += 1;
      return isBroken && writes > 40 ? { error: 'ResourceInUseException' } : undefined;
    };
    await scheduled(site, 1);
    await hook(site, 'start', 1, facts('DE'));
    await expect.poll(() => writes).toBeGreaterThan(45);
    isBroken = false;
    await until(site, 1, ['ready-to-commit']);
    expect(await items('interrupted', 'de')).toEqual(before);
    const isRetried = host
      .executions('de')
      .some(({ history }) => JSON.stringify(history).includes('Copy a range'));
    expect(isRetried).toBe(true);
  });

  test.each(EITHER)(
    'whose execution dies is followed by the next attempt, behind the door %s',
    async (door) => {
      const { installed, fill, items, scheduled, hook, until, host, stopExecution } =
        await faultyWorld({ door });
      const site = await installed('dies');
      await fill('dies', 'us', 200);
      const before = await items('dies', 'us');
      inject = ({ region, operation }) =>
        region === DE && operation === 'BatchWriteItem' ? { delayMs: 300 } : undefined;
      await scheduled(site, 1);
      await hook(site, 'start', 1, facts('DE'));
      await expect.poll(() => host.executions('de')[0]?.name ?? '').toMatch(/^copy-/);
      await stopExecution(host.executions('de')[0]?.arn ?? '');
      inject = () => undefined;
      await until(site, 1, ['ready-to-commit']);
      expect(await items('dies', 'de')).toEqual(before);
      expect(host.executions('de').map(({ name }) => name.split('-').at(-1))).toEqual(['2', '1']);
    },
  );

  test.each([
    ['once, so that the SDK sends it again', 1],
    ['each time that the SDK sends it', 3],
  ])('is not held up by leases whose reply was lost, %s', async (_, times) => {
    const { installed, fill, items, scheduled, hook, until, countAll } = await faultyWorld();
    const site = await installed('leased');
    await fill('leased', 'us', 40);
    const before = await items('leased', 'us');
    const lost = new Map<string, number>();
    inject = ({ operation, input }) => {
      const { id }: { id?: { S?: string } } = Object(input['Item']);
      const range = id?.S ?? '';
      const losses = lost.get(range) ?? 0;
      if (operation !== 'PutItem' || !range.startsWith('range#') || losses === times) return;
      lost.set(range, losses + 1);
      return { lost: true };
    };
    await scheduled(site, 1);
    await hook(site, 'start', 1, facts('DE'));
    // A lease lasts five minutes, and a lost one blocked its range for as long.
    expect(await until(site, 1, ['ready-to-commit', 'failed'])).toBe('ready-to-commit');
    expect(lost.get('range#1#claim')).toBe(times);
    expect(lost.size).toBeGreaterThan(3); // the claim, and each range of what moves
    expect(await items('leased', 'de')).toEqual(before);
    expect(await countAll('leased', 'us')).toBeGreaterThan(0);
  });

  test('of which one range fails for good is not discarded before the others have stopped writing', async () => {
    const { installed, fill, items, scheduled, hook, until, countAll, record } =
      await faultyWorld();
    const site = await installed('siblings');
    await fill('siblings', 'us', 400);
    const before = await items('siblings', 'us');
    // One range cannot be written at all; the others are slow.
    inject = (call) => {
      if (call.region !== DE || call.operation !== 'BatchWriteItem') return undefined;
      return text(call).includes('templates-')
        ? { error: 'AccessDeniedException' }
        : { delayMs: 400 };
    };
    await scheduled(site, 1);
    await hook(site, 'start', 1, facts('DE'));
    await until(site, 1, ['failed', 'copying'], 100);
    expect((await hook(site, 'rollback', 1)).status).toBe(200);
    inject = (call) =>
      call.region === DE && call.operation === 'BatchWriteItem' && text(call).includes('PutRequest')
        ? { delayMs: 400 }
        : undefined;
    await until(site, 1, ['rolled-back']);
    // A worker that still wrote would be seen now.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await countAll('siblings', 'de')).toBe(0);
    expect(await record('siblings', 'de')).toBeUndefined();
    expect(await items('siblings', 'us')).toEqual(before);
  });

  test.each(EITHER)(
    'into a target that loses and refuses writes arrives all the same, behind the door %s',
    async (door) => {
      const { installed, fill, items, ready } = await faultyWorld({ door });
      const site = await installed('throttled');
      await fill('throttled', 'us', 300);
      const before = await items('throttled', 'us');
      let calls = 0;
      inject = ({ region, operation }) => {
        if (region !== DE || operation !== 'BatchWriteItem') return undefined;
        calls += 1;
        if (calls % 5 === 0) return { error: 'ProvisionedThroughputExceededException' };
        if (calls % 5 === 1) return { unprocessed: 3 };
        return calls % 5 === 2 ? { lost: true } : undefined;
      };
      await ready(site, 1);
      expect(await items('throttled', 'de')).toEqual(before);
    },
  );

  test('that another writer changes is made equal, and the keys are named', async () => {
    const { installed, fill, put, items, scheduled, hook, until, lines } = await faultyWorld();
    const site = await installed('differs');
    await fill('differs', 'us');
    const before = await items('differs', 'us');
    let planted: Promise<void> | undefined;
    inject = ({ region, operation }) => {
      if (region !== DE || operation !== 'BatchWriteItem') return undefined;
      planted ??= put('de', 'exports', { tenant: 'differs#01', id: 'a stranger', title: 'x' });
      return undefined;
    };
    await scheduled(site, 1);
    await hook(site, 'start', 1, facts('DE'));
    await until(site, 1, ['ready-to-commit']);
    await planted;
    expect(await items('differs', 'de')).toEqual(before);
    const named = lines.find(
      (line) => line.includes('is not the same in both realms') && line.includes('differences'),
    );
    expect(named).toContain('a stranger');
    expect(named).toContain('extra');
    expect(named).toContain('it is made equal, and verified again');
  });

  test('whose target holds something already fails with a code, and lets the tenant go', async () => {
    const { installed, fill, put, scheduled, hook, until, record, migration } = await faultyWorld();
    const site = await installed('occupied');
    await fill('occupied', 'us');
    await put('de', 'exports', { tenant: 'occupied#01', id: 'a stranger', title: 'x' });
    await scheduled(site, 1);
    await hook(site, 'start', 1, facts('DE'));
    await until(site, 1, ['failed']);
    await expect.poll(() => record('occupied', 'us')).toMatchObject({ state: 'active' });
    expect(await record('occupied', 'de')).toBeUndefined();
    expect((await migration('us', 'occupied', 1))?.error).toMatchObject({
      code: 'E9999',
      reason: expect.stringContaining('realm de holds items of the tenant in exports before'),
    });
  });

  test('for which the window is too short fails in time for the site to come back', async () => {
    const { installed, fill, hook, until, record } = await faultyWorld({
      env: { DRAIN_SECONDS: '3' },
    });
    const site = await installed('late');
    await fill('late', 'us');
    const window = {
      location: 'DE',
      startTime: new Date(Date.now() - 60_000).toISOString(),
      endTime: new Date(Date.now() + 4_000).toISOString(),
    };
    await hook(site, 'schedule', 1, window);
    await hook(site, 'start', 1, window);
    await until(site, 1, ['failed']);
    await expect.poll(() => record('late', 'us')).toMatchObject({ state: 'active' });
  });
});

describe('a hook', () => {
  test.each(EITHER)(
    'is a fault without a code while a table cannot be reached, and does its work when asked again, behind the door %s',
    async (door) => {
      const { installed, fill, scheduled, hook, until } = await faultyWorld({ door });
      const site = await installed('unreachable');
      await fill('unreachable', 'us');
      for (const table of ['tenants', 'migrations']) {
        inject = (call) =>
          call.region === US && text(call).includes(`-${table}`)
            ? { error: 'AccessDeniedException' }
            : undefined;
        const reply = await hook(site, 'schedule', 1, facts('DE'));
        expect(reply.status, table).toBe(503);
        expect(reply.body, table).not.toHaveProperty('errorResponseCode');
      }
      inject = () => undefined;
      await scheduled(site, 1);
      // The ledger says copying, and then the fence cannot be written.
      inject = (call) =>
        call.operation === 'PutItem' && text(call).includes('-tenants')
          ? { error: 'AccessDeniedException' }
          : undefined;
      expect((await hook(site, 'start', 1, facts('DE'))).status).toBe(503);
      expect((await hook(site, 'status', 1)).body).toEqual({ status: 'copying' });
      inject = () => undefined;
      expect((await hook(site, 'start', 1, facts('DE'))).status).toBe(200);
      await until(site, 1, ['ready-to-commit']);
      // The source is closed, and then the target cannot be opened.
      inject = (call) =>
        call.region === DE && call.operation === 'PutItem'
          ? { error: 'AccessDeniedException' }
          : undefined;
      expect((await hook(site, 'commit', 1)).status).toBe(503);
      inject = () => undefined;
      expect((await hook(site, 'commit', 1)).status).toBe(200);
      await until(site, 1, ['committed']);
    },
  );

  test('whose start never came back is finished by the janitor', async () => {
    const { installed, fill, scheduled, hook, until, host, record } = await faultyWorld();
    const site = await installed('forgotten');
    await fill('forgotten', 'us');
    await scheduled(site, 1);
    inject = (call) =>
      call.operation === 'PutItem' && text(call).includes('-tenants')
        ? { error: 'AccessDeniedException' }
        : undefined;
    await hook(site, 'start', 1, facts('DE'));
    inject = () => undefined;
    expect(await record('forgotten', 'us')).toMatchObject({ state: 'active' });
    await host.invoke('us', 'tasks/janitor', {});
    await until(site, 1, ['ready-to-commit']);
    expect(await record('forgotten', 'us')).toMatchObject({ state: 'frozen' });
  });
});

describe('a commit', () => {
  test.each(EITHER)(
    'that finds another source than was verified stops, and keeps both sides, behind the door %s',
    async (door) => {
      const { installed, fill, put, ready, hook, record, countAll, lines, until, items, idOf } =
        await faultyWorld({ door });
      const site = await installed('tampered');
      await fill('tampered', 'us');
      await ready(site, 1);
      await put('us', 'templates', { tenant: idOf('tampered'), id: 'slipped through', title: 'x' });
      await hook(site, 'commit', 1);
      await expect.poll(() => lines.some((line) => line.includes('is halted'))).toBe(true);
      expect((await hook(site, 'status', 1)).body).toEqual({ status: 'committing' });
      expect((await hook(site, 'commit', 1)).status).toBe(200);
      expect(await countAll('tampered', 'us')).toBe(121);
      expect(await record('tampered', 'de')).toMatchObject({ state: 'active' });
      const inTarget = await items('tampered', 'de');
      await hook(site, 'rollback', 1);
      await until(site, 1, ['rolled-back']);
      expect(await items('tampered', 'us')).toEqual(inTarget);
    },
  );

  test('that was halted goes on once an operator has cured the source', async () => {
    const { installed, fill, put, remove, ready, hook, lines, until, items, host } =
      await faultyWorld();
    const site = await installed('cured');
    await fill('cured', 'us');
    const before = await items('cured', 'us');
    await ready(site, 1);
    await put('us', 'templates', { tenant: 'cured', id: 'slipped through', title: 'x' });
    await hook(site, 'commit', 1);
    await eventually(() => lines.some((line) => line.includes('is halted')));
    await remove('us', 'templates', { tenant: 'cured', id: 'slipped through' });
    const retry = { verb: 'retry', ledger: 'us', tenant: 'cured', id: '1', actor: 'ada' };
    expect(await host.invoke('us', 'tasks/operate', retry)).toMatchObject({ outcome: 'retried' });
    await until(site, 1, ['committed']);
    expect(await items('cured', 'de')).toEqual(before);
  });
});
