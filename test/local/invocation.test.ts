/** One function as Lambda runs it: its timeout, and what happens after it. */
import { afterEach, expect, test, vi } from 'vitest';
import type { SdkCall } from '../../lambdas/adapters/aws-clients.ts';
import { invoke, TimedOut } from '../../lib/local/functions/invocation.ts';
import { workerDeaths } from '../../lib/local/functions/worker-death.ts';

const WHICH = { realm: 'de', entry: 'tasks/copy-range' };
const CALL: SdkCall = { service: 'dynamodb', command: 'PutItem', region: 'de', resources: [] };
afterEach(() => {
  vi.useRealTimers();
});

test('has no more time when the clock of the machine is set back', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await invoke(WHICH, 60_000, async ({ getRemainingTimeInMillis }) => {
    vi.setSystemTime(Date.now() - 25 * 60_000);
    expect(getRemainingTimeInMillis()).toBeLessThanOrEqual(60_000);
    expect(getRemainingTimeInMillis()).toBeGreaterThan(50_000);
  });
});

test('that has outlived its time asks AWS for nothing more, and is gone when its last call has ended', async () => {
  const deaths = workerDeaths();
  const slow = Promise.withResolvers<string>();
  const made: string[] = [];
  let owner = '';
  const running = invoke(
    WHICH,
    5,
    async ({ awsRequestId }) => {
      owner = awsRequestId;
      await deaths.around(CALL, () => slow.promise);
      await deaths.around(CALL, async () => made.push('after its time'));
    },
    { onTimedOut: deaths.end },
  );
  await expect(running).rejects.toThrow(TimedOut);
  expect(deaths.isGone(owner)).toBe(false);
  slow.resolve('the last call');
  await new Promise((resolve) => setImmediate(resolve));
  expect(deaths.isGone(owner)).toBe(true);
  expect(made).toEqual([]);
});
