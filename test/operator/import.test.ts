/**
 * `import`, through the real command line against a local host: files of each framework, a table,
 * conflicts, and no secret in any output.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { refusedTo } from '../support/operator-calls.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { templatesOf } from '../support/templates.ts';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

let world: World;
let port: number;
let residency: OperatorCommand;
let folder: string;
beforeAll(async () => {
  port = await freeTcpPorts();
  world = await startWorld({ port });
  const command = operatorCommand(port);
  const kept = async (...args: readonly string[]) => {
    const answer = await command(...args);
    said.push(answer.stdout, answer.stderr);
    return answer;
  };
  residency = Object.assign(kept, {
    async json(...args: readonly string[]) {
      const answer = await command.json(...args);
      said.push(JSON.stringify(answer));
      return answer;
    },
  });
  folder = await mkdtemp(join(tmpdir(), 'import-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await world[Symbol.asyncDispose]();
});

/** Everything that the command printed, and all secrets that it was given. */
const said: string[] = [];
const secrets: string[] = [];

/** A site of Atlassian's whose app does not call these stacks yet. */
function siteOf(clientKey: string, realm = 'us'): Site {
  const site = world.atlassian.site(clientKey, world.host.urls[realm] ?? '');
  secrets.push(site.sharedSecret);
  return site;
}

const clientInfo = (site: Site, rest: object = {}) => ({
  key: configured.app.key,
  clientKey: site.clientKey,
  publicKey: 'public',
  sharedSecret: site.sharedSecret,
  baseUrl: `${site.productUrl}/wiki`,
  productType: 'confluence',
  eventType: 'installed',
  cloudId: site.cloudId,
  accessToken: 'a secret of the app',
  ...rest,
});

async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  return path;
}

/** The report's outcome for each tenant. */
function outcomes(report: unknown): Readonly<Record<string, string>> {
  const rows: readonly { tenant: string; outcome: string }[] = Object(report).rows;
  return Object.fromEntries(rows.map(({ tenant, outcome }) => [tenant, outcome]));
}

const ace = async (name: string, content: unknown, ...args: readonly string[]) =>
  residency.json(
    'import',
    '--from',
    'ace',
    '--file',
    await file(name, content),
    '--realm',
    'us',
    ...args,
  );

describe('import --from ace', () => {
  test('says what it would write, writes it, and then finds it on record', async () => {
    const site = siteOf('ace-acme');
    const rows = [
      { clientKey: site.clientKey, key: 'clientInfo', val: JSON.stringify(clientInfo(site)) },
      { clientKey: site.clientKey, key: 'settings', val: '{"theme":"dark"}' },
    ];
    const planned = await ace('ace.json', rows);
    expect(planned).toMatchObject({
      code: 0,
      report: {
        applied: false,
        otherRows: 1,
        rows: [{ outcome: 'new', written: false, realm: 'us' }],
      },
    });
    expect(await world.record('ace-acme', 'us')).toBeUndefined();

    expect(await ace('ace.json', rows, '--apply', '--yes')).toMatchObject({
      code: 0,
      report: { applied: true, rows: [{ outcome: 'new', written: true }] },
    });
    const record = await world.record('ace-acme', 'us');
    expect(record).toMatchObject({ state: 'active', sharedSecret: site.sharedSecret });
    expect(record?.['installation']).not.toContain('secret of the app');
    // As the hooks write it: found by the cloud id.
    expect(await world.record(`#site#${site.cloudId}`, 'us')).toMatchObject({
      holders: [{ tenant: 'ace-acme' }],
    });
    expect(await ace('ace.json', rows, '--apply', '--yes')).toMatchObject({
      code: 0,
      report: { rows: [{ outcome: 'unchanged', written: false }] },
    });
    expect(await world.record('ace-acme', 'us')).toEqual(record);
  });

  test('lets the tenant move, by hooks that its old secret signs', async () => {
    const site = siteOf('ace-moves');
    await world.fill('ace-moves', 'us', 10);
    await ace(
      'moves.json',
      [{ clientKey: 'ace-moves', key: 'clientInfo', val: clientInfo(site) }],
      '--apply',
      '--yes',
    );
    await world.moved(site, 1, 'DE');
    expect(await world.record('ace-moves', 'de')).toMatchObject({
      state: 'active',
      sharedSecret: site.sharedSecret,
    });
    // The app's table of the first realm still has its row.
    expect(
      await ace('moves.json', [
        { clientKey: 'ace-moves', key: 'clientInfo', val: clientInfo(site) },
      ]),
    ).toMatchObject({
      code: 1,
      report: { rows: [{ outcome: 'conflict', says: 'realm de: it is active there' }] },
    });
  });

  test.each([
    [
      'what a scan of DynamoDB prints',
      (items: object[]) => ({ Items: items, Count: items.length }),
    ],
    [
      'what an export of DynamoDB writes',
      (items: object[]) => items.map((item) => JSON.stringify({ Item: item })).join('\n'),
    ],
  ])('reads %s', async (kind, shape) => {
    const site = siteOf(`ace ${kind}`.replaceAll(' ', '-'));
    const item = {
      clientKey: { S: site.clientKey },
      key: { S: 'clientInfo' },
      val: { S: JSON.stringify(clientInfo(site)) },
      createdAt: { N: '1764201600000' },
    };
    const answer = await ace(`${kind}.json`, shape([item]), '--apply', '--yes');
    expect(answer.code).toBe(0);
    expect(await world.record(site.clientKey, 'us')).toMatchObject({
      credentialsIat: 1_764_201_600,
    });
  });

  test('reads CSV, and the table itself', async () => {
    const site = siteOf('ace-csv');
    const cell = `"${JSON.stringify(clientInfo(site)).replaceAll('"', '""')}"`;
    const csv = `"clientKey","key","val"\nace-csv,clientInfo,${cell}\n`;
    expect(outcomes((await ace('ace.csv', csv)).report)).toEqual({ 'ace-csv': 'new' });

    const other = siteOf('ace-table');
    const TableName = 'AddonSettings';
    const client = world.documents('us');
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'clientKey', AttributeType: 'S' },
          { AttributeName: 'key', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'clientKey', KeyType: 'HASH' },
          { AttributeName: 'key', KeyType: 'RANGE' },
        ],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName });
    const Item = {
      clientKey: 'ace-table',
      key: 'clientInfo',
      val: JSON.stringify(clientInfo(other)),
    };
    await client.send(new PutCommand({ TableName, Item }));
    const args = ['--from', 'ace', '--table', TableName, '--region', 'us-east-1', '--realm', 'us'];
    const { report } = await residency.json('import', ...args, '--apply', '--yes');
    expect(report).toMatchObject({ origin: 'table AddonSettings', rows: [{ written: true }] });
    expect(await world.record('ace-table', 'us')).toMatchObject({ state: 'active' });
  });

  test('leaves alone what is of another app, uninstalled, or has its items elsewhere', async () => {
    const [strange, gone, elsewhere] = ['ace-strange', 'ace-gone', 'ace-elsewhere'].map((key) =>
      siteOf(key),
    ) as [Site, Site, Site];
    await world.fill('ace-elsewhere', 'de', 3);
    const row = (site: Site, rest: object = {}) => ({
      clientKey: site.clientKey,
      key: 'clientInfo',
      val: clientInfo(site, rest),
    });
    const rows = [
      row(strange, { key: 'com.example.other' }),
      row(gone, { eventType: 'uninstalled' }),
      row(elsewhere),
    ];
    const { code, report } = await ace('left.json', rows, '--apply', '--yes');
    expect([code, outcomes(report)]).toEqual([
      1,
      { 'ace-strange': 'conflict', 'ace-gone': 'uninstalled', 'ace-elsewhere': 'conflict' },
    ]);
    expect(JSON.stringify(report)).toContain('its items are in realm de, and none are in us');
    for (const { clientKey } of [strange, gone, elsewhere])
      expect(await world.record(clientKey, 'us')).toBeUndefined();
  });
});

const SPRING = 'client_key,shared_secret,base_url,product_type,addon_installed';

describe('import --from spring', () => {
  const spring = async (name: string, text: string, ...args: readonly string[]) =>
    residency.json(
      'import',
      '--from',
      'spring',
      '--file',
      await file(name, text),
      '--realm',
      'us',
      ...args,
    );

  test('reads old columns and new ones, and leaves out who is not installed any more', async () => {
    const [old, late, gone] = ['spring-old', 'spring-new', 'spring-gone'].map((key) =>
      siteOf(key),
    ) as [Site, Site, Site];
    const installation = `ari:cloud:ecosystem::installation/${randomUUID()}`;
    const line = ({ clientKey, sharedSecret, productUrl }: Site, is: string) =>
      `${clientKey},${sharedSecret},${productUrl},CONFLUENCE,${is}`;
    const olds = `${SPRING}\n${line(old, 't')}\n${line(gone, 'f')}\n`;
    const first = await spring('old.csv', olds, '--apply', '--yes');
    expect([first.code, outcomes(first.report)]).toEqual([
      0,
      { 'spring-old': 'new', 'spring-gone': 'uninstalled' },
    ]);
    const news = `${SPRING},cloud_id,installation_id,last_modified_date,created_by\n${line(late, '1')},${late.cloudId},${installation},2026-11-01 10:00:00,NULL\n${line(old, '1')},NULL,,,\n`;
    const second = await spring('new.csv', news, '--apply', '--yes');
    expect(outcomes(second.report)).toEqual({ 'spring-new': 'new', 'spring-old': 'unchanged' });
    expect(await world.record('spring-new', 'us')).toMatchObject({
      cloudId: late.cloudId,
      product: 'confluence',
      installations: [{ id: installation }],
      // A time without an offset is ignored.
      credentialsIat: 0,
    });
    expect(await world.record('spring-gone', 'us')).toBeUndefined();
    // Without a cloud id its host is an alias.
    expect(await world.record('#site#spring-old.atlassian.example', 'us')).toMatchObject({
      holders: [{ tenant: 'spring-old' }],
    });
  });
});

describe('import --from csv', () => {
  const csv = async (name: string, text: string, ...args: readonly string[]) =>
    residency.json('import', '--from', 'csv', '--file', await file(name, text), ...args);

  test('takes a realm from each row, the app’s own id, and installations of Forge', async () => {
    const [us, de] = [siteOf('csv-us'), siteOf('csv-de', 'de')];
    const id = randomUUID();
    const text = [
      'client_key,shared_secret,installation_id,cloud_id,tenant_key,realm,stored_at',
      `csv-us,${us.sharedSecret},,${us.cloudId},4711,us,2026-11-01T10:00:00Z`,
      `csv-de,${de.sharedSecret},,,4712,DE,`,
      `,,${id},${randomUUID()},4713,de,`,
    ].join('\n');
    const { report } = await csv('csv.csv', text, '--apply', '--yes');
    expect(outcomes(report)).toEqual({
      'csv-us': 'new',
      'csv-de': 'new',
      [`#forge-${id}`]: 'new',
    });
    expect(await world.record('csv-us', 'us')).toMatchObject({ tenantKey: '4711' });
    expect(await world.record('csv-de', 'de')).toMatchObject({ tenantKey: '4712' });
    await world.fill('csv-us', 'us', 3);
    await world.moved(us, 1, 'DE');
    expect(await world.record('csv-us', 'de')).toMatchObject({ tenantKey: '4711' });
  });
});

describe('a malformed file is refused as a whole, with lines and without quoting it', () => {
  const S = 'the-secret-of-a-malformed-row';
  secrets.push(S);
  const CASES: readonly (readonly [string, string, string, string])[] = [
    [
      'spring',
      'a.csv',
      `client_key,base_url\n${S},x`,
      'line 1: it has no column shared_secret, nor addon_installed',
    ],
    [
      'spring',
      'b.csv',
      `${SPRING}\na,${S},,jira\n`,
      'line 2: it has not as many fields as line 1 has columns',
    ],
    [
      'spring',
      'c.csv',
      `${SPRING}\na,${S},,jira,perhaps\nb,${S},,jira,t\nc,,,jira,t\n`,
      'line 2: addon_installed is neither true nor false; line 4: sharedSecret is missing',
    ],
    ['spring', 'd.csv', `${SPRING}\na,"${S}`, 'line 2: a quote that was opened is never closed'],
    [
      'spring',
      'e.csv',
      SPRING.replaceAll(',', ';'),
      'line 1: its columns are not separated by commas',
    ],
    [
      'spring',
      'f.csv',
      `${SPRING}\na,${S},,jira,t\na,${S},,jira,t\n`,
      'line 3: it is about the same tenant as line 2',
    ],
    [
      'csv',
      'g.csv',
      `client_key,shared_secret,tenantkeyy\na,${S},7`,
      'line 1: column 3 is none of client_key',
    ],
    [
      'csv',
      'h.csv',
      `client_key,shared_secret,tenant_key\na,${S},7\nb,${S},7`,
      'line 3: it is about the same tenant as line 2',
    ],
    [
      'csv',
      'i.csv',
      `client_key,shared_secret,stored_at\na,${S},yesterday`,
      'line 2: stored_at is no time',
    ],
    [
      'csv',
      'j.csv',
      `client_key,shared_secret,stored_at\na,${S},2999-01-01T00:00:00Z`,
      'line 2: the row was stored in the future',
    ],
    [
      'csv',
      'k.csv',
      `client_key,shared_secret,realm\na,${S},mars`,
      'line 2: realm is none of us, de',
    ],
    [
      'csv',
      'l.csv',
      `client_key,shared_secret,cloud_id\na,${S},!`,
      'line 2: cloud_id is malformed',
    ],
    [
      'csv',
      'm.csv',
      `installation_id,shared_secret\n${randomUUID()},${S}`,
      'line 2: a shared secret is given without a client key',
    ],
    ['ace', 'n.json', `[{"clientKey":"a",\n"key": ${S}}]`, 'line 2: it is no JSON from here on'],
    [
      'ace',
      'o.json',
      `[\n{"clientKey":"a","key":"clientInfo","val":"{${S}"}]`,
      'line 2: its val is no JSON object',
    ],
    [
      'ace',
      'p.json',
      `[{"clientKey":"a","key":"clientInfo","val":{"clientKey":"b","sharedSecret":"${S}"}}]`,
      'line 1: its val is of another clientKey',
    ],
    ['ace', 'q.json', `{"a":"${S}"}`, 'line 1: it has no clientKey, or no key'],
    ['ace', 'r.json', '', 'is empty'],
  ];
  test.each(CASES)('--from %s %s', async (from, name, text, says) => {
    const path = await file(name, text);
    for (const extra of [[], ['--apply', '--yes']]) {
      const { code, stderr } = await residency(
        'import',
        '--from',
        from,
        '--file',
        path,
        '--realm',
        'us',
        ...extra,
      );
      expect([code, stderr]).toEqual([1, expect.stringContaining(says)]);
      expect(stderr).toContain(path);
    }
  });

  test('and so is a command line that does not say what, from where, or where to', async () => {
    const path = await file('fine.csv', SPRING);
    const answers = await Promise.all([
      residency('import', '--from', 'php', '--file', path, '--realm', 'us'),
      residency('import', '--from', 'spring', '--file', path),
      residency('import', '--from', 'spring', '--realm', 'us'),
      residency(
        'import',
        '--from',
        'spring',
        '--table',
        't',
        '--region',
        'us-east-1',
        '--realm',
        'us',
      ),
      residency('import', '--from', 'ace', '--table', 't', '--realm', 'us'),
      residency('import', '--from', 'ace', '--file', join(folder, 'none'), '--realm', 'us'),
      residency('import', '--from', 'ace', '--file', path, '--realm', 'mars'),
    ]);
    expect(answers.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 2, 2]);
  });
});

test('an import asks before it writes, and names how many and where', async () => {
  const site = siteOf('asked');
  const path = await file('asked.csv', `client_key,shared_secret\nasked,${site.sharedSecret}\n`);
  const questions: string[] = [];
  const calls: OperatorCall[] = [];
  const answering = (answer: string) =>
    residencyCommand(
      [
        'import',
        '--from',
        'csv',
        '--file',
        path,
        '--realm',
        'us',
        '--apply',
        '--local',
        String(port),
      ],
      {
        residency: FEWER_SHARDS,
        print: (text) => said.push(text),
        complain: (text) => said.push(text),
        isInteractive: true,
        ask: async (question) => {
          questions.push(question);
          return answer;
        },
        onCall: (call) => calls.push(call),
      },
    );
  expect([await answering('n'), await world.record('asked', 'us')]).toEqual([2, undefined]);
  expect(await answering('y')).toBe(0);
  expect(questions[0]).toContain('Import 1 tenant into us?');
  expect(await world.record('asked', 'us')).toMatchObject({ state: 'active' });
  // The role that docs/operator.md names for it allows every call that it made.
  expect(calls.some(({ service }) => service === 'lambda')).toBe(true);
  // Only a local host is asked whether it is one.
  const inAws = calls.filter(({ command }) => command !== 'DescribeTable');
  const templates = templatesOf(configured, { stage: 'local' });
  expect(refusedTo('operator-tenants', inAws, templates)).toEqual([]);
});

test('nothing that was printed or logged holds a secret', () => {
  expect(secrets.length).toBeGreaterThan(10);
  const all = [...said, ...questionsAndLogs()].join('\n');
  expect(all).toContain('ace-acme');
  expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  expect(all).not.toContain('a secret of the app');
});

const questionsAndLogs = (): readonly string[] => [...world.lines, ...world.measurements];
