/**
 * The commands that read, through the real command line: their findings, their output, and their
 * exit codes.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyServers } from '../../lib/operator/doctor/doctor.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { startKeyServer } from '../support/key-server.ts';
import { type OperatorCommand, operatorCommand, typed } from '../support/operator-command.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
let folder: string;
let port: number;
beforeAll(async () => {
  port = await freeTcpPorts();
  folder = await mkdtemp(join(tmpdir(), 'operator-'));
  world = await startWorld({ port });
  residency = operatorCommand(port);
  await Promise.all([moved(), underWay(), unmoved()]);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function moved() {
  const site = await world.installed('moved');
  await world.fill('moved', 'us', 20);
  await world.moved(site, 1, 'DE');
}
async function underWay() {
  const site = await world.installed('under-way');
  await world.fill('under-way', 'us', 20);
  await world.ready(site, 2);
}
async function unmoved() {
  await world.installed('unmoved', 'eu');
  await world.fill('unmoved', 'eu', 5);
}

describe.concurrent('where', () => {
  test('says that a tenant is in exactly one realm, and counts it there', async () => {
    const { code, report } = await residency.json('where', 'unmoved');
    expect(code).toBe(0);
    expect(report).toMatchObject({
      tenant: 'unmoved',
      verdict: 'one',
      realm: 'eu',
      says: 'it is in eu, and in no other realm',
    });
    const { realms } = Object(report);
    expect(realms.map((one: { realm: string; items: number }) => [one.realm, one.items])).toEqual([
      ['us', 0],
      ['de', 0],
      ['eu', 15],
      ['au', 0],
      ['sg', 0],
    ]);
    expect(realms[2]).toMatchObject({
      region: 'eu-west-1',
      state: 'active',
      expired: 0,
      parts: [
        { part: 'templates', policy: 'move', items: 5 },
        { part: 'exports', policy: 'move', items: 5 },
        { part: 'previews', policy: 'drop', items: 5 },
      ],
    });
  });

  test('says that a tenant whose move was committed is in the target alone', async () => {
    const { code, stdout } = await residency('where', 'moved');
    expect(code).toBe(0);
    expect(stdout).toContain('✓ moved: it is in de, and in no other realm');
    expect(stdout).toMatch(/us +moved +all parts +0/);
    expect(stdout).toMatch(/de +active +all parts +40/);
  });

  test('names the migration of a tenant that is between two realms', async () => {
    const { code, report } = await residency.json('where', 'under-way');
    expect(code).toBe(0);
    expect(report).toMatchObject({ verdict: 'moving', migration: '2' });
  });
});

describe.concurrent('migrations', () => {
  test('lists what is under way, from the index', async () => {
    const { code, report } = await residency.json('migrations');
    expect(code).toBe(0);
    expect(report).toMatchObject({
      migrations: [
        {
          tenant: 'under-way',
          id: '2',
          source: 'us',
          target: 'de',
          status: 'ready-to-commit',
          attempt: 1,
          windowEnds: expect.stringMatching(/Z$/),
        },
      ],
    });
    expect(Object(report).migrations).toHaveLength(1);
  });

  test('lists everything on record, by realm, status and age', async () => {
    const lists = await Promise.all([
      residency.json('migrations', '--all'),
      residency.json('migrations', '--status', 'committed'),
      residency.json('migrations', '--all', '--realm', 'au'),
      residency.json('migrations', '--since', '1h'),
      residency.json('migrations', '--since', '2999-01-01'),
    ]);
    const tenants = lists.map(({ report }) =>
      Object(report)
        .migrations.map(({ tenant }: { tenant: string }) => tenant)
        .filter((tenant: string) => tenant !== 'poisoned')
        .sort(),
    );
    expect(tenants).toEqual([['moved', 'under-way'], ['moved'], [], ['moved', 'under-way'], []]);
  });
});

describe.concurrent('show', () => {
  test('tells a migration: facts, timeline, work', async () => {
    const { code, report } = await residency.json('show', 'moved');
    expect(code).toBe(0);
    const { migration, timeline, progress } = Object(report);
    expect(migration).toMatchObject({
      tenant: 'moved',
      id: '1',
      status: 'committed',
      window: { start: expect.any(String), end: expect.any(String) },
      pointOfNoReturn: expect.any(String),
    });
    expect(
      timeline.map(({ status, actor }: Record<string, string>) => `${status} by ${actor}`),
    ).toEqual([
      'scheduled by schedule',
      'copying by start',
      'ready-to-commit by finish-copy',
      'committing by commit',
      'committed by finish-commit',
    ]);
    expect(timeline[1].seconds).toBeGreaterThan(0);
    expect(timeline.at(-1).seconds).toBe(0);
    expect(progress).toContainEqual({
      part: 'exports',
      realm: 'us',
      work: 'purge-source',
      ranges: 2,
      rangesDone: 2,
      items: 20,
      bytes: 0,
    });
  });

  test('prints nothing that a terminal obeys, whatever stands in the tables', async () => {
    const tenant = 'poisoned';
    const evil = '\u001b[2J\u001b]0;owned\u0007 \u202Egnp.exe \u009b31m\r\n<b>';
    await world.documents('us').send(
      new PutCommand({
        TableName: 'residency-local-us-migrations',
        Item: {
          tenant,
          id: 'status#9',
          migration: '9',
          revision: 1,
          ledger: 'us',
          source: 'us',
          target: 'de',
          status: 'rolled-back',
          attempt: 0,
          scheduledAt: '2026-01-01T00:00:00.000Z',
          scheduledIat: 1,
          updatedAt: '2026-01-01T00:00:00.000Z',
          halted: evil,
          error: { code: 'E9999', reason: evil },
        },
      }),
    );
    await world.documents('us').send(
      new PutCommand({
        TableName: 'residency-local-us-migrations',
        Item: {
          tenant,
          id: `history#9#2026-01-01T00:00:00.000Z#failed`,
          status: 'failed',
          actor: evil,
          at: '2026-01-01T00:00:00.000Z',
          error: { code: 'E9999', reason: evil },
          revision: 1,
        },
      }),
    );
    const said = await Promise.all([
      residency('show', tenant),
      residency('migrations', '--all'),
      residency('where', `nobody${evil}`),
      residency('show', tenant, `x${evil}`),
    ]);
    for (const { stdout, stderr } of said) {
      expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }
    expect(said[0]?.stdout).toContain('\\u{1b}[2J');
    expect(said[0]?.code).toBe(1);
  });
});

describe.concurrent('receipt', () => {
  test('is what both ledgers have signed off', async () => {
    const { code, report } = await residency.json('receipt', 'moved', '1');
    expect(code).toBe(0);
    const kept = await world.receipt('de', 'moved', 1);
    expect(report).toMatchObject({
      app: 'com.example.document-exporter',
      stage: 'local',
      tenant: 'moved',
      migration: '1',
      source: 'us',
      sourceRegion: 'us-east-1',
      target: 'de',
      targetRegion: 'eu-central-1',
      outcome: 'committed',
      at: kept?.at,
      checksums: kept?.checksums,
      provenEmpty: { realm: 'us', ranges: expect.arrayContaining(['exports/01']) },
      backupsExpire: kept?.backupsExpire,
      keptIn: ['us', 'de'],
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('is a page that needs nothing else, and can be printed', async () => {
    const file = join(folder, 'receipt.html');
    const { code, stdout } = await residency('receipt', 'moved', '1', '--html', file);
    expect([code, stdout.includes(`written to ${file}`)]).toEqual([0, true]);
    const page = await readFile(file, 'utf8');
    expect(page).toContain('<!doctype html>');
    expect(page).toContain('size: A4');
    expect(page).toContain((await world.receipt('de', 'moved', 1))?.checksums['exports']?.sum);
    expect(page).not.toMatch(/<script|src=|href=|url\(|@import/i);
  });

  test('ends in 1 where the move is not finished, and says so of one that has none', async () => {
    const [unfinished, none] = await Promise.all([
      residency('receipt', 'under-way', '2'),
      residency('receipt', 'unmoved', '1'),
    ]);
    expect(unfinished.code).toBe(1);
    expect(unfinished.stdout).toContain('✗ DRAFT, not signed off: ready-to-commit, kept in de');
    expect(none).toEqual({
      code: 1,
      stdout: '',
      stderr: `local host on port ${port}: no migration 1 of unmoved is on record\n`,
    });
  });
});

describe.concurrent('doctor', () => {
  test('finds every realm well', async () => {
    const { code, report } = await residency.json('doctor');
    const { fine, checks } = Object(report);
    expect(checks.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
    expect([code, fine]).toEqual([0, true]);
    expect(
      checks
        .filter(({ realm }: { realm: string }) => realm === 'de')
        .map(({ check }: { check: string }) => check),
    ).toEqual(['health', 'descriptor', 'tables', 'permissions', 'keys', 'workflow', 'settings']);
  });

  test('asks every server of install keys, and names the one that is silent', async () => {
    const answering = await startKeyServer(() => ({ status: 404 }));
    const silent = await startKeyServer(() => undefined);
    const checks = await keyServers([answering.url, silent.url]);
    await Promise.all([answering.close(), silent.close()]);
    expect(checks.map(({ ok, says }) => [ok, says])).toEqual([
      [true, `the server of install keys answers, at ${answering.url}`],
      [false, `the server of install keys does not answer, at ${silent.url}`],
    ]);
    expect(answering.asked).toEqual(['/residency/doctor']);
  });

  test('refuses a deployment while a move is under way', async () => {
    const { code, stdout } = await residency('doctor', '--before-deploy');
    expect(code).toBe(1);
    expect(stdout).toContain('1 under way: under-way 2 (ready-to-commit)');
  });

  test('names the port in one sentence where there is no host', async () => {
    const other = await freeTcpPorts();
    const elsewhere = operatorCommand(other);
    const said = await Promise.all([elsewhere('doctor'), elsewhere('where', 'acme')]);
    for (const one of said)
      expect(one).toEqual({
        code: 1,
        stdout: '',
        stderr: `local host on port ${other}: nothing answers on port ${other} of this machine: is the local host up (npm run local), and is that its first port?\n`,
      });
  });

  test('names a port that is not the first one of a host', async () => {
    const { code, stderr } = await operatorCommand(port + 1)('doctor');
    expect([code, stderr]).toEqual([
      1,
      `local host on port ${port + 1}: what answers on port ${port + 1} is not a local host: --local takes its first port, that of DynamoDB\n`,
    ]);
  });
});

describe.concurrent('what was not understood', () => {
  test.each([
    [['where'], /missing required argument/],
    [['where', 'a', 'b'], /too many arguments/],
    [['teleport'], /unknown command/],
    [['migrations', '--status', 'lost'], /no status is called "lost"/],
    [['migrations', '--realm', 'mars'], /no realm is called "mars"/],
    [['migrations', '--since', 'yesterday'], /neither a time .* nor an age/],
    [['audit', '--all', '--tenant', 'a'], /exclude each other/],
    [['where', 'a', '--stage', 'Prod!'], /a stage is one to eight/],
    [['where', 'a', '--local', '0'], /'0' is invalid. a port is a number/],
    [['where', 'a', '--local', '--stage', 'dev'], /--local and --stage exclude each other/],
    [['where', ''], /^<tenant> is empty$/],
    [['show', 'a', ' '], /^<migration> is empty$/],
    [['where', 'a', '--stage', ''], /^--stage is empty$/],
    [['audit', '--tenant', ''], /^--tenant is empty$/],
    [['watch', 'a', '--every', 'often'], /--every is a number of seconds .* not "often"/],
  ])('ends in 2, with a sentence: %j', async (args, sentence) => {
    const said: string[] = [];
    const code = await residencyCommand(args, {
      residency: configured,
      print: (text) => said.push(`printed: ${text}`),
      complain: (text) => said.push(text),
      isInteractive: false,
      ask: async () => '',
    });
    expect([code, said]).toEqual([2, [expect.stringMatching(sentence)]]);
    expect(said[0]).not.toMatch(/\n\s+at /);
  });

  test('ends a process in 2 as well', async () => {
    const { code, stdout, stderr } = await typed(['where']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe("error: missing required argument 'tenant'\n");
  });

  test('AWS without credentials is a sentence too', async () => {
    const said = await Promise.all([
      typed(['where', 'acme', '--stage', 'dev']),
      typed(['doctor', '--stage', 'prod']),
      typed(['watch', 'acme']),
    ]);
    const why = 'no AWS credentials were found: set AWS_PROFILE, or sign in, and try again\n';
    expect(said).toEqual(
      ['dev', 'prod', 'dev'].map((stage) => ({
        code: 1,
        stdout: '',
        stderr: `stage ${stage}: ${why}`,
      })),
    );
  });
});

test('no command ever prints a secret', async () => {
  const secrets = await Promise.all(
    ['moved', 'under-way'].map(
      async (tenant) => (await world.record(tenant, 'us'))?.['sharedSecret'],
    ),
  );
  const said = await Promise.all([
    residency('where', 'under-way', '--json'),
    residency('show', 'under-way', '--json'),
    residency('audit', '--all', '--json'),
    residency('audit', '--tenant', 'under-way'),
  ]);
  for (const secret of secrets) {
    expect(String(secret).length).toBeGreaterThan(20);
    for (const { stdout, stderr } of said) expect(stdout + stderr).not.toContain(secret);
  }
});
