/** What `preflight` finds in an account before a first deployment, against AWS's wire formats. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LEAST_BOOTSTRAP } from '../../lib/operator/preflight/regions.ts';
import { residency } from '../../residency.config.ts';
import { type Preflight, startPreflight } from '../support/preflight.ts';
import { appOf } from '../support/templates.ts';

let preflight: Preflight;
beforeAll(async () => {
  preflight = await startPreflight();
});
beforeEach(() => preflight.reset());
afterAll(() => preflight[Symbol.asyncDispose]());

/** Two realms are enough for what is found in each. */
const found = (...args: readonly string[]) =>
  preflight.run(residency, '--realms', 'us,de', ...args);

describe('an account that is ready', () => {
  test('is fine in every realm, and nothing stands in the way', async () => {
    const { code, wrong, checks } = await preflight.run(residency);
    expect([code, wrong]).toEqual([0, []]);
    const ofRealms = ['region', 'stack', 'bootstrap', 'concurrency', 'log policy', 'names'];
    for (const { realm } of residency.realms)
      expect(checks.filter((one) => one.realm === realm).map(({ check }) => check)).toEqual([
        ...ofRealms,
        'own tables',
      ]);
  });

  test('is said so to a person', async () => {
    const { code, stdout } = await preflight.read(residency, '--realms', 'us,de');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe('stage prod, account 123456789012, realms us, de');
    expect(stdout).toContain('✓ de, bootstrap: bootstrapped, version 27');
    expect(stdout).toContain('✓ nothing stands in the way of a deployment');
  });
});

type Change = (us: ReturnType<Preflight['region']>) => void;

test.each<[string, Change, string, string, string]>([
  [
    'a region without a bootstrap',
    (us) => {
      us.bootstrap = undefined;
    },
    'bootstrap',
    'the region us-east-1 is not bootstrapped: there is no /cdk-bootstrap/hnb659fds/version',
    'npx cdk bootstrap aws://123456789012/us-east-1',
  ],
  [
    'a bootstrap that is too old',
    (us) => {
      us.bootstrap = '5';
    },
    'bootstrap',
    'the bootstrap of us-east-1 has the version 5, and 6 is needed',
    'npx cdk bootstrap aws://123456789012/us-east-1',
  ],
  [
    'ten functions at once, as a new account has',
    (us) => {
      us.concurrency = 10;
    },
    'concurrency',
    'Lambda runs 10 functions at once',
    'ask for 1000 in Service Quotas',
  ],
  [
    'a stack whose first deployment could not be rolled back',
    (us) => {
      us.stacks['residency-prod-us'] = 'ROLLBACK_FAILED';
    },
    'stack',
    'the stack residency-prod-us is ROLLBACK_FAILED',
    'see "A first deployment that failed" in docs/runbook.md',
  ],
  [
    'a stack that is being changed',
    (us) => {
      us.stacks['residency-prod-us'] = 'UPDATE_ROLLBACK_IN_PROGRESS';
    },
    'stack',
    'is UPDATE_ROLLBACK_IN_PROGRESS',
    'wait until it has ended',
  ],
  [
    'logs that a destroyed stack has left',
    (us) => {
      us.logGroups = ['start', 'status', 'commit'].map(
        (word) => `/aws/lambda/residency-prod-us-${word}`,
      );
    },
    'names',
    '3 names that the stack residency-prod-us takes are in use: log group /aws/lambda/residency-prod-us-start',
    'see "A stack that was destroyed" in docs/runbook.md',
  ],
  [
    'a state machine of the same name',
    (us) => {
      us.stateMachines.push('residency-prod-us-realm-migration');
    },
    'names',
    '1 names that the stack residency-prod-us takes are in use: state machine residency-prod-us-realm-migration',
    'give residency.config.ts another name',
  ],
  [
    'a key of the same alias',
    (us) => {
      us.keys['alias/residency-prod-us-receipts'] = {
        state: 'Enabled',
        manager: 'CUSTOMER',
        policy: {},
      };
    },
    'names',
    'are in use: key alias/residency-prod-us-receipts',
    'another name',
  ],
  [
    'ten policies of CloudWatch Logs, and none for deliveries',
    (us) => {
      us.logPolicies = Array.from({ length: 10 }, (_, at) => [`own-${at}`, '{}'] as const);
    },
    'log policy',
    'CloudWatch Logs has 10 resource policies in this region, takes 10, and needs one',
    'delete one that is not needed any more',
  ],
  [
    'a full policy of log deliveries',
    (us) => {
      us.logPolicies = [['AWSLogDeliveryWrite20150319', 'x'.repeat(5_000)]];
    },
    'log policy',
    'has 5000 of 5120 characters, and does not let /aws/vendedlogs/ in',
    'put the resource arn:aws:logs:<region>:<account>:log-group:/aws/vendedlogs/* into it',
  ],
])('finds %s, and nothing else', async (_, change, check, says, fix) => {
  change(preflight.region('us-east-1'));
  const { code, wrong } = await found();
  expect([code, wrong.length]).toEqual([1, 1]);
  expect(wrong[0]).toMatchObject({ realm: 'us', check });
  expect(wrong[0]?.says).toContain(says);
  expect(wrong[0]?.fix).toContain(fix);
});

test('says of a region that is not enabled only that', async () => {
  preflight.region('eu-central-1').optStatus = 'DISABLED';
  const { checks, wrong } = await found();
  expect(checks.filter(({ realm }) => realm === 'de')).toEqual(wrong);
  expect(wrong).toMatchObject([
    {
      check: 'region',
      says: 'the region eu-central-1 is not enabled in this account (DISABLED)',
      fix: expect.stringContaining('aws account enable-region --region-name eu-central-1'),
    },
  ]);
});

test('a full policy of log deliveries that lets vendedlogs in is fine', async () => {
  const document = `${'x'.repeat(5_000)} /aws/vendedlogs/*`;
  preflight.region('us-east-1').logPolicies = [['AWSLogDeliveryWrite20150319', document]];
  expect(await found()).toMatchObject({ code: 0 });
});

describe('tables, roles and quotas', () => {
  const leftTable = 'residency-prod-eu-migrations';
  beforeAll(() =>
    preflight.table('eu-west-1', {
      TableName: leftTable,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'tenant', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'tenant', KeyType: 'HASH' }],
    }),
  );

  test('a table of the same name is found', async () => {
    const { wrong } = await preflight.run(residency, '--realms', 'us,eu');
    expect(wrong).toMatchObject([{ realm: 'eu', check: 'names' }]);
    expect(wrong[0]?.says).toContain(`are in use: table ${leftTable}`);
  });

  test('the names of a stack that is deployed are its own', async () => {
    const eu = preflight.region('eu-west-1');
    eu.stacks['residency-prod-eu'] = 'UPDATE_COMPLETE';
    eu.stateMachines.push('residency-prod-eu-realm-migration');
    preflight.aws.account.roles.push('residency-prod-eu-start');
    const { code, checks } = await preflight.run(residency, '--realms', 'us,eu');
    expect(code).toBe(0);
    const ofEu = checks.filter(({ realm }) => realm === 'eu').map(({ check }) => check);
    expect(ofEu).not.toContain('names');
  });
});

describe('roles, which have one name in all regions', () => {
  const without = (...args: readonly string[]) =>
    preflight.run(residency, '--realms', 'us,au', ...args);

  test('are found by name, on whichever page', async () => {
    preflight.aws.account.roles.push('a', 'b', 'c', 'd', 'residency-prod-au-copy-range');
    const { wrong } = await without();
    expect(wrong).toMatchObject([{ realm: 'all', check: 'roles' }]);
    expect(wrong[0]?.says).toBe(
      '1 names that the stacks take are in use in IAM: role residency-prod-au-copy-range',
    );
  });

  test('are looked for beside the guard’s policy', async () => {
    preflight.aws.account.policies.push('residency-prod-au-guard');
    const { wrong } = await without();
    expect(wrong.map(({ says }) => says)).toEqual([
      '1 names that the stacks take are in use in IAM: policy residency-prod-au-guard',
    ]);
  });

  test.each([
    ['Roles', 960, 'more roles are needed, and the account has 960 of 1000'],
    ['Policies', 1_490, 'more managed policies are needed, and the account has 1490 of 1500'],
  ])('and %s have a quota', async (what, used, says) => {
    preflight.aws.account.summary[what] = used;
    const { wrong } = await without();
    expect(wrong).toMatchObject([{ realm: 'all', check: 'quotas' }]);
    expect(wrong[0]?.says).toContain(says);
    expect(wrong[0]?.fix).toContain('in Service Quotas, or deploy fewer realms (-c realms=…)');
  });
});

describe('credentials', () => {
  test.each([
    ['arn:aws:iam::123456789012:root', 'these are the credentials of the root user'],
    [
      'arn:aws-cn:iam::123456789012:user/ana',
      'is in the partition aws-cn, and the region us-east-1',
    ],
  ])('%s', async (arn, says) => {
    preflight.aws.account.arn = arn;
    const { wrong } = await preflight.run(residency, '--realms', 'us,au');
    expect(wrong[0]).toMatchObject({ realm: 'all', check: 'account' });
    expect(wrong[0]?.says).toContain(says);
  });

  test.each([
    ['ssm:GetParameter', 'bootstrap'],
    ['iam:ListRoles', 'roles'],
    ['account:GetRegionOptStatus', 'region'],
    ['cloudformation:DescribeStacks', 'stack'],
  ])('that may not %s are told so, and every other check goes on', async (right, check) => {
    preflight.aws.account.denied.add(right);
    const { wrong, checks } = await preflight.run(residency, '--realms', 'us');
    expect(wrong.map((one) => [one.check, one.says])).toEqual([
      [check, `these credentials may not look (${right})`],
    ]);
    expect(wrong[0]?.fix).toContain('docs/deploy.md, "Before the first deployment"');
    expect(checks.length).toBeGreaterThan(8);
  });
});

test.each([
  [['--local'], '--local and --stage exclude each other: a local host is no stage'],
  [['--role', 'operator-read'], 'preflight takes no --role: the roles come with the deployment'],
])('%s is refused', async (args, sentence) => {
  const { code, stderr } = await preflight.read(residency, ...args);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
});

test('the bootstrap that is asked for is the one that the stacks ask for', () => {
  const wanted = appOf(residency, { realms: 'us' })
    .synth()
    .stacks.map(({ requiresBootstrapStackVersion }) => requiresBootstrapStackVersion);
  expect(wanted).toEqual([LEAST_BOOTSTRAP]);
});

/** The last one here: its table stays. */
test('a realm that is left out, and has its table all the same, is found', async () => {
  await preflight.table('ap-southeast-1', {
    TableName: 'residency-prod-sg-tenants',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'tenant', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'tenant', KeyType: 'HASH' }],
  });
  const { wrong } = await found();
  expect(wrong).toMatchObject([{ realm: 'sg', check: 'left out' }]);
  expect(wrong[0]?.says).toContain(
    'left out of --realms us,de, but its table residency-prod-sg-tenants is there',
  );
  preflight.region('ap-southeast-1').optStatus = 'DISABLED';
  expect(await found()).toMatchObject({ code: 0 });
});
