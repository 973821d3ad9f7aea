/**
 * The commands that write, through the real command line: they ask, go through `operate`, and
 * record the operator.
 */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { facts, startWorld, type World } from '../support/world.ts';

let world: World;
let port: number;
let residency: OperatorCommand;
beforeAll(async () => {
  port = await freeTcpPorts();
  // A copy waits this long after the fence, unless something ends it.
  world = await startWorld({ port, env: { DRAIN_SECONDS: '60' } });
  residency = operatorCommand(port);
});
afterAll(() => world[Symbol.asyncDispose]());

const me = `operator ${userInfo().username}`;
const statusOf = async (tenant: string, id: number) =>
  (await world.migration('us', tenant, id))?.status;

async function copying(tenant: string, id: number) {
  const site = await world.installed(tenant);
  await world.scheduled(site, id);
  expect((await world.hook(site, 'start', id, facts('DE'))).status).toBe(200);
}

describe.concurrent('cancel', () => {
  test('ends a scheduled move before it begins', async () => {
    await world.scheduled(await world.installed('later'), 1);
    const { code, report } = await residency.json('cancel', 'later', '1', '--yes');
    expect([code, report]).toEqual([
      0,
      {
        stage: 'local',
        account: '000000000000',
        outcome: 'cancelled',
        status: 'rolled-back',
        message: 'migration 1 is cancelled, and nothing has moved',
      },
    ]);
    expect(await statusOf('later', 1)).toBe('rolled-back');
    const shown = await residency.json('show', 'later');
    expect(Object(shown.report).timeline.at(-1)).toMatchObject({
      status: 'rolled-back',
      actor: me,
    });
  });

  test('fails a copying one, so that the site comes back now', async () => {
    await copying('now', 2);
    const { code, stdout } = await residency('cancel', 'now', '--yes');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^local host .*\n\n✓ migration 2 has failed, as was asked/),
    ]);
    expect((await world.record('now', 'us'))?.['state']).toBe('active');
  });

  test('asks nothing without a terminal: without --yes it does nothing', async () => {
    await world.scheduled(await world.installed('unasked'), 3);
    expect(await residency('cancel', 'unasked')).toEqual({
      code: 2,
      stdout: `local host on port ${port}\n\n`,
      stderr: `local host on port ${port}: this writes, and without a terminal it cannot ask: say --yes\n`,
    });
    expect(await statusOf('unasked', 3)).toBe('scheduled');
  });

  test('does what it was told when it asks', async () => {
    await world.scheduled(await world.installed('asked'), 4);
    const questions: string[] = [];
    const answering = (answer: string) =>
      residencyCommand(['cancel', 'asked', '--local', String(port)], {
        residency: configured,
        print: () => {},
        complain: () => {},
        isInteractive: true,
        ask: async (question) => {
          questions.push(question);
          return answer;
        },
      });
    expect([await answering(''), await statusOf('asked', 4)]).toEqual([2, 'scheduled']);
    expect([await answering('y'), await statusOf('asked', 4)]).toEqual([0, 'rolled-back']);
    expect(questions[0]).toBe(
      `local host on port ${port}\nCancel migration 4 of asked (us → de, scheduled)? It will not begin. [y/N] `,
    );
  });
});

describe.concurrent('retry', () => {
  test('leaves an attempt alone that is running', async () => {
    await copying('retried', 5);
    const running = await residency.json('retry', 'retried', '--yes');
    expect(running).toMatchObject({
      code: 0,
      report: { outcome: 'left-alone', status: 'copying' },
    });
  });

  test('ends in 1 where there is nothing to try again', async () => {
    await world.scheduled(await world.installed('untried'), 6);
    const { code, stdout } = await residency('retry', 'untried', '6', '--yes');
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/✗ migration 6 is scheduled: no phase of it can be tried again\n$/),
    ]);
  });
});

describe.concurrent('set', () => {
  test('stops new moves of a tenant, and takes that back', async () => {
    const site = await world.installed('still');
    const args = ['set', '--realm', 'us', '--tenant', 'still', '--yes', '--new-moves'];
    expect(await residency.json(...args, 'off')).toMatchObject({
      code: 0,
      report: { outcome: 'set', settings: { noNewMoves: true } },
    });
    const refused = await world.hook(site, 'schedule', 7, facts('DE'));
    expect([refused.status, Object(refused.body).errorResponseCode]).toEqual([409, 'E0003']);
    expect(await residency.json(...args, 'default')).toMatchObject({ report: { settings: {} } });
    expect((await world.hook(site, 'schedule', 7, facts('DE'))).status).toBe(200);
  });

  test('refuses what is not a setting', async () => {
    const said = await Promise.all([
      residency('set', '--realm', 'us', '--yes'),
      residency('set', '--realm', 'us', '--yes', '--concurrency', 'many'),
      residency('set', '--realm', 'us', '--yes', '--concurrency', '41'),
    ]);
    expect(said.map(({ code }) => code)).toEqual([2, 2, 2]);
    expect(said[2]?.stderr).toMatch(
      /concurrency is a whole number from 1 to 40, because .+ at work at once, or null/,
    );
  });
});

describe.concurrent('adopt and disown', () => {
  const installation = `ari:cloud:ecosystem::installation/${randomUUID()}`;
  const cloudId = randomUUID();
  const named = ['--installation', installation, '--cloud-id', cloudId, '--yes'];

  test('give an installation to a tenant, and take it back in each realm that knows the tenant', async () => {
    const site = await world.installed('adopting');
    // An old tenant, whose installation named no cloud id.
    await world.documents('us').send(
      new UpdateCommand({
        TableName: 'residency-local-us-tenants',
        Key: { tenant: 'adopting' },
        UpdateExpression: 'SET installation = :none, revision = revision + :one REMOVE cloudId',
        ExpressionAttributeValues: { ':none': '{}', ':one': 1 },
      }),
    );
    await world.scheduled(site, 20);
    expect(await residency.json('adopt', 'adopting', ...named)).toMatchObject({
      code: 0,
      report: { outcome: 'adopted' },
    });
    const adoptions = [{ verb: 'adopt', installation, cloudId, actor: me }];
    expect(await world.record('adopting', 'us')).toMatchObject({ cloudId, adoptions });
    expect(await residency.json('disown', 'adopting', ...named)).toMatchObject({
      code: 0,
      report: { answers: [{ outcome: 'disowned' }] },
    });
    const record = await world.record('adopting', 'us');
    expect(record).not.toHaveProperty('cloudId');
    expect(record?.['adoptions']).toMatchObject([{ verb: 'adopt' }, { verb: 'disown', actor: me }]);
  });

  test('refuse what names no installation, no cloud, or no tenant, and ask', async () => {
    await world.installed('unadopted');
    const said = await Promise.all([
      residency('adopt', 'unadopted', '--installation', 'x', '--yes'),
      residency(
        'adopt',
        'unadopted',
        '--installation',
        installation,
        '--cloud-id',
        '../x',
        '--yes',
      ),
      residency('adopt', 'unadopted', '--installation', installation),
      residency('adopt', 'nobody', ...named),
      residency('disown', 'nobody', ...named),
    ]);
    expect(said.map(({ code }) => code)).toEqual([2, 2, 2, 1, 1]);
    expect(said[2]?.stderr).toContain('say --yes');
    expect(said[4]?.stderr).toContain('no realm knows the tenant nobody');
    expect(await world.record('unadopted', 'us')).not.toHaveProperty('adoptions');
  });
});

test('watch follows a move until it waits for Atlassian', async () => {
  const quick = await freeTcpPorts();
  await using other = await startWorld({ port: quick });
  const site = await other.installed('watched');
  await other.fill('watched', 'us', 20);
  await other.scheduled(site, 1);
  const watching = operatorCommand(quick)('watch', 'watched', '--every', '0.2');
  await other.hook(site, 'start', 1, facts('DE'));
  const { code, stdout } = await watching;
  expect(code).toBe(0);
  const statuses = stdout.match(/(?<=Z {2})[a-z-]+/g) ?? [];
  expect(statuses.at(-1)).toBe('ready-to-commit');
  expect(stdout).toMatch(/verify-copy exports 20 \(2\/2\)/);
  expect(stdout).not.toContain('\u001b');
});
