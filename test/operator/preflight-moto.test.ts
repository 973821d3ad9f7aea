/**
 * `preflight` against moto, where it is installed: the wire formats of an implementation that
 * nobody here wrote.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import type { Finding } from '../support/preflight.ts';
import { eventually } from '../support/world.ts';

const isInstalled = (() => {
  try {
    execFileSync('moto_server', ['--help'], { stdio: 'ignore', timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!isInstalled)('against moto (skipped where moto_server is not installed)', () => {
  const region = 'us-east-1';
  let moto: ChildProcess;
  let checks: readonly Finding[];

  beforeAll(async () => {
    const port = await freeTcpPorts();
    moto = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    const url = `http://127.0.0.1:${port}`;
    await eventually(async () => (await fetch(url).catch(() => undefined)) !== undefined);
    vi.stubEnv('AWS_ENDPOINT_URL', url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    const Name = '/cdk-bootstrap/hnb659fds/version';
    await new SSMClient({ region }).send(
      new PutParameterCommand({ Name, Type: 'String', Value: '27' }),
    );
    const trust = { Version: '2012-10-17', Statement: [] };
    await new IAMClient({ region }).send(
      new CreateRoleCommand({
        RoleName: 'residency-prod-us-start',
        AssumeRolePolicyDocument: JSON.stringify(trust),
      }),
    );
    await new CloudWatchLogsClient({ region }).send(
      new CreateLogGroupCommand({ logGroupName: '/aws/lambda/residency-prod-us-commit' }),
    );
    const { HostedZone: zone } = await new Route53Client({ region }).send(
      new CreateHostedZoneCommand({ Name: 'exporter.example', CallerReference: 'one' }),
    );
    let printed = '';
    await residencyCommand(['preflight', '--stage', 'prod', '--realms', 'us', '--json'], {
      residency: {
        ...configured,
        domain: 'elsewhere.example',
        hostedZoneId: zone?.Id?.split('/').at(-1) ?? '',
      },
      print: (text) => {
        printed += text;
      },
      complain: () => {},
      isInteractive: false,
      ask: async () => '',
    });
    ({ checks } = JSON.parse(printed));
  }, 240_000);
  afterAll(async () => {
    vi.unstubAllEnvs();
    moto.kill();
    await once(moto, 'exit');
  });

  const says = (check: string) =>
    checks.filter((one) => one.check === check && one.realm !== 'eu').map((one) => one.says);

  test('reads the account, the bootstrap, the stack and the quotas', () => {
    expect(says('account')[0]).toContain('account 123456789012');
    expect(says('bootstrap')).toEqual(['bootstrapped, version 27']);
    expect(says('stack')).toEqual(['the stack residency-prod-us is not there yet']);
    expect(says('log policy')).toEqual(['CloudWatch Logs can let the logs of workflow and API in']);
    expect(says('quotas')[0]).toContain('more roles fit: the account has 1 of');
  });

  test('finds the role, the log group and the zone of another domain', () => {
    expect(says('roles')).toEqual([
      '1 names that the stacks take are in use in IAM: role residency-prod-us-start',
    ]);
    expect(says('names')).toEqual([
      '1 names that the stack residency-prod-us takes are in use: log group /aws/lambda/residency-prod-us-commit',
    ]);
    expect(says('hosted zone')[0]).toContain('is for exporter.example, and not for elsewhere');
  });
});
