/**
 * What `doctor` asks beside tables and URLs, against AWS's wire formats: saved queries, one alarm,
 * realms left out.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { leftOut } from '../../lib/operator/doctor/left-out.ts';
import { savedQueries } from '../../lib/operator/doctor/saved-queries.ts';
import { testAlarm } from '../../lib/operator/doctor/test-alarm.ts';
import { type Operator, operatorOf } from '../../lib/operator/operator.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { TEST_ALARM } from '../../lib/saved-queries.ts';
import { residency as configured } from '../../residency.config.ts';
import type { Alarm, SavedQuery } from '../support/aws/account.ts';
import { type Finding, type Preflight, startPreflight } from '../support/preflight.ts';

/** No other machine is asked: no server of keys is on this one. */
const residency: Residency = {
  ...configured,
  app: { ...configured.app, installKeyServers: ['https://127.0.0.1'] },
};
const ALARM = `residency-prod-us-${TEST_ALARM}`;
let preflight: Preflight;
let operator: Operator;
beforeAll(async () => {
  preflight = await startPreflight();
  operator = operatorOf({ residency, stage: 'prod', deployed: 'us,de' });
});
beforeEach(() => {
  preflight.reset();
  const us = preflight.region('us-east-1');
  us.queries = ['one migration', 'requests of one migration', 'alarms'].map(query);
  us.alarms = [alarm()];
});
afterAll(async () => {
  operator.close();
  await preflight[Symbol.asyncDispose]();
});

const query = (word: string): SavedQuery => ({
  name: `residency-prod-us/${word}`,
  text: `fields ${word}`,
  logGroups: ['/aws/lambda/residency-prod-us-start'],
  ends: 'Complete',
});
const alarm = (change: Partial<Alarm> = {}): Alarm => ({
  name: ALARM,
  actions: ['arn:aws:sns:us-east-1:123456789012:residency-prod-us-alarms'],
  actionsEnabled: true,
  state: 'OK',
  ...change,
});

describe('the saved queries', () => {
  test('are played, each to its end', async () => {
    expect(await savedQueries(operator, 'us')).toEqual({ ok: true, says: '3 saved queries run' });
  });

  test('are found where one is missing', async () => {
    preflight.region('us-east-1').queries.pop();
    const { ok, says } = await savedQueries(operator, 'us');
    expect([ok, says]).toEqual([false, 'no query is saved as residency-prod-us/alarms']);
  });

  test.each(['Failed', 'MalformedQueryException'] as const)(
    'are found where one ends in %s',
    async (ends) => {
      const us = preflight.region('us-east-1');
      us.queries = us.queries.map((one, at) => (at === 1 ? { ...one, ends } : one));
      const { ok, says } = await savedQueries(operator, 'us');
      expect(ok).toBe(false);
      expect(says).toBe(
        `of the saved queries residency-prod-us/requests of one migration ends in ${ends}`,
      );
    },
  );
});

describe('the test alarm', () => {
  test('is raised', async () => {
    expect(await testAlarm(operator, 'us')).toMatchObject({ ok: true });
    expect(preflight.region('us-east-1').alarms).toMatchObject([{ state: 'ALARM' }]);
  });

  test.each<[string, readonly Alarm[], string]>([
    ['that is not there', [], 'there is no alarm'],
    ['that tells nobody', [alarm({ actions: [] })], 'tells nobody'],
    ['whose actions are off', [alarm({ actionsEnabled: false })], 'tells nobody'],
    ['that is raised for a reason', [alarm({ state: 'ALARM' })], 'is raised already'],
  ])('%s is found, and not raised', async (_, alarms, says) => {
    preflight.region('us-east-1').alarms = [...alarms];
    const found = await testAlarm(operator, 'us');
    expect(found.ok).toBe(false);
    expect(found.says).toContain(says);
    expect(preflight.region('us-east-1').alarms).toEqual(alarms);
  });
});

describe('as it is typed', () => {
  async function typed(...args: readonly string[]) {
    let [stdout, stderr] = ['', ''];
    const code = await residencyCommand(['doctor', ...args, '--realms', 'us'], {
      residency,
      print: (text) => {
        stdout += text;
      },
      complain: (text) => {
        stderr += text;
      },
      isInteractive: false,
      ask: async () => '',
    });
    return { code, stdout, stderr };
  }

  test('the alarm is not raised without a stage, nor without a yes', async () => {
    const [stageless, unasked] = [
      await typed('--test-alarm'),
      await typed('--test-alarm', '--stage', 'prod'),
    ];
    expect([stageless, unasked].map(({ code, stderr }) => [code, stderr])).toEqual([
      [2, 'this writes: say in which deployment, with --stage (or --local)'],
      [2, expect.stringContaining('say --yes')],
    ]);
    expect(preflight.region('us-east-1').alarms).toMatchObject([{ state: 'OK' }]);
  });

  test('the alarm is raised beside the other checks, which name exceptions as they are', async () => {
    const { stdout } = await typed('--test-alarm', '--stage', 'prod', '--yes', '--json');
    const { checks }: { readonly checks: readonly Finding[] } = JSON.parse(stdout);
    const of = (check: string) => checks.find((one) => one.check === check);
    expect(of('test alarm')).toMatchObject({ realm: 'us', ok: true });
    expect(of('queries')).toMatchObject({ ok: true });
    expect(of('permissions')?.says).toContain('ResourceNotFoundException');
    expect(of('permissions')?.fix).toContain('deploy the realm');
  });
});

test('a realm that is left out and not deployed is fine', async () => {
  expect(await leftOut(operator, 'eu')).toEqual({
    ok: true,
    says: 'it is not deployed, and no other realm asks it',
  });
});
