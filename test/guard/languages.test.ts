/**
 * The examples of docs/guard.md for other languages, run as they stand there, say what the guard
 * says. Each is skipped, with the reason, where its language or its SDK is not installed.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TenantState } from '../../lambdas/domain/tenants/tenant.ts';
import { residencyGuard, type Verdict, type Whose } from '../../packages/guard/src/index.ts';
import { tenantRecord } from '../support/builders.ts';
import { manualClock } from '../support/clock.ts';
import { type DynamoDbPortsHost, dynamoDbPortsHost } from '../support/dynamodb-ports-host.ts';
import { awsEnv } from './packed-guard.ts';

const run = promisify(execFile);
const PAGE = join(import.meta.dirname, '../../docs/guard.md');
const installation = (digit: string) =>
  `ari:cloud:ecosystem::installation/${digit.repeat(8)}-1111-2222-3333-444444444444`;

/** The type keeps the list complete. */
const STATES: Readonly<Record<TenantState, true>> = {
  active: true,
  frozen: true,
  standby: true,
  moved: true,
  withdrawn: true,
  retired: true,
  purging: true,
  opening: true,
};

interface Question {
  readonly kind: 'own' | 'client' | 'installation';
  readonly name: string;
  readonly writes: boolean;
}

const QUESTIONS: readonly Question[] = [
  ...Object.keys(STATES).map((state) => ['own', state] as const),
  ['own', 'nobody'] as const,
  ['own', `#installation#${installation('a')}`] as const,
  ['client', 'came-later'] as const,
  ['client', 'nobody'] as const,
  ...['a', 'b', 'c', 'd', 'e'].map((digit) => ['installation', installation(digit)] as const),
].flatMap(([kind, name]) => [true, false].map((writes) => ({ kind, name, writes })));

let host: DynamoDbPortsHost;
let page: string;
let expected: readonly string[];
beforeAll(async () => {
  page = await readFile(PAGE, 'utf8');
  host = await dynamoDbPortsHost(manualClock());
  const records = [
    ...(Object.keys(STATES) as TenantState[]).map((state) => ({
      tenant: state,
      state,
      ...(state === 'moved' ? { movedTo: 'de' } : {}),
    })),
    {
      tenant: '#forge-aaaaaaaa-1111-2222-3333-444444444444',
      clientKey: 'came-later',
      installations: [{ id: installation('a'), iat: 1 }],
    },
    // Two have the installation, and one of them is gone: the other is meant.
    { tenant: 'gone', uninstalledIat: 2, installations: [{ id: installation('b'), iat: 1 }] },
    { tenant: 'here', state: 'frozen', installations: [{ id: installation('b'), iat: 1 }] },
    // Two have it, and both are here: nobody is meant.
    { tenant: 'one', installations: [{ id: installation('c'), iat: 1 }] },
    { tenant: 'two', installations: [{ id: installation('c'), iat: 1 }] },
  ] as const;
  for (const rest of records)
    await host.tenants.change('us', rest.tenant, () => tenantRecord(rest));
  const alias = (digit: string, ...holders: readonly object[]) =>
    host.putTenantItem('us', { tenant: `#installation#${installation(digit)}`, holders });
  // An alias that its tenant has outgrown, and one that has expired.
  await alias('d', { tenant: 'active' });
  await alias('e', { tenant: 'one', expiresAt: 1 });

  const guard = residencyGuard({
    app: 'test',
    stage: 'test',
    realm: 'us',
    client: host.clientFor('us'),
    otherWritersSeconds: 60,
  });
  const spoken = (verdict: Verdict) =>
    verdict.kind === 'elsewhere' ? `elsewhere ${verdict.realm}` : verdict.kind;
  const whose = ({ kind, name }: Question): Whose =>
    kind === 'installation' ? { installationId: name } : name;
  expected = await Promise.all(
    QUESTIONS.map(async (question) =>
      spoken(await guard(whose(question), question.writes ? 'write' : 'read')),
    ),
  );
});
afterAll(() => host.close());

const blocksOf = (language: string): string =>
  [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
    .flatMap(([, of, code = '']) => (of === language ? [code] : []))
    .join('\n');

const isThere = (file: string, ...args: readonly string[]): Promise<boolean> =>
  run(file, args).then(
    () => true,
    () => false,
  );

const env = () => ({ ...awsEnv(host.url), AWS_REGION: 'us-test-1' });

test('the verdicts that the examples are held to are of every kind', () => {
  expect(new Set(expected)).toEqual(new Set(['allowed', 'later', 'elsewhere de', 'unknown']));
});

test('the page’s table names every state', () => {
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .join('\n');
  expect(Object.keys(STATES).filter((state) => !rows.includes(`\`${state}\``))).toEqual([]);
});

test('Python says what the guard says', async (context) => {
  if (!(await isThere('python3', '-c', 'import boto3')))
    return context.skip('python3 with boto3 is not installed');
  const script = `${blocksOf('python')}
import json, sys
guard = NamedGuard('test', 'test', 'us', region_name='us-test-1', endpoint_url=sys.argv[1])
print(json.dumps([
    guard.verdict(q['name'], q['writes']) if q['kind'] == 'own'
    else guard.judge(guard.named(q['kind'], q['name']), q['writes'])
    for q in json.loads(sys.argv[2])]))
`;
  const folder = await mkdtemp(join(tmpdir(), 'guard-python-'));
  await writeFile(join(folder, 'guard.py'), script);
  const said = await run('python3', ['guard.py', host.url, JSON.stringify(QUESTIONS)], {
    cwd: folder,
    env: env(),
  });
  expect(JSON.parse(said.stdout)).toEqual(expected);
});

test('Java says what the guard says', async (context) => {
  const sdk = process.env['AWS_SDK_JAVA'];
  if (!(await isThere('javac', '-version'))) return context.skip('javac is not installed');
  if (sdk === undefined)
    return context.skip('AWS_SDK_JAVA names no class path with the AWS SDK for Java 2');
  const main = `
class Main {
  public static void main(String[] args) {
    var guard = new ResidencyGuard(DynamoDbClient.create(), "test-test-us-tenants");
    for (var line : args) {
      var asked = line.split(" ");
      var writes = asked[2].equals("true");
      System.out.println(asked[0].equals("own") ? guard.verdict(asked[1], writes)
          : guard.judge(new Names(guard).named(asked[0], asked[1]), writes));
    }
  }
}`;
  const folder = await mkdtemp(join(tmpdir(), 'guard-java-'));
  await writeFile(join(folder, 'Main.java'), `${blocksOf('java')}${main}`);
  await run('javac', ['-cp', sdk, 'Main.java'], { cwd: folder });
  const questions = QUESTIONS.map(({ kind, name, writes }) => `${kind} ${name} ${writes}`);
  const said = await run('java', ['-cp', `${sdk}:.`, 'Main', ...questions], {
    cwd: folder,
    env: env(),
  });
  expect(said.stdout.trim().split('\n')).toEqual(expected);
});
