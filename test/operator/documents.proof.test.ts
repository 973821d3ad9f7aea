/**
 * The commands in the documents, under the role that the documents name: each command is
 * understood, and the role allows every call that it makes.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { awsCommand, shellWords } from '../support/documented-commands.ts';
import { refusedTo } from '../support/operator-calls.ts';
import { mayRole, type Who } from '../support/operator-roles.ts';
import { type RealmTemplate, templatesOf } from '../support/templates.ts';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const runbook = read('docs/runbook.md');
const manual = read('docs/operator.md');

/** Lines of code blocks and code within lines, without comments at their end. */
const codeIn = (text: string): readonly string[] =>
  [
    ...[...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.split('\n')),
    ...[...text.replaceAll(/^```\n[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
      ([, c = '']) => c,
    ),
  ].map((code) => code.replace(/ {2,}#.*$/, ''));

const ours = [...new Set(codeIn(runbook).filter((code) => /^res [a-z]/.test(code)))];
const theirs = [...new Set(codeIn(runbook).filter((code) => /^aws [a-z]/.test(code)))];

/** The first column of the table below a heading: the usages of commands. */
const usagesBelow = (heading: string): readonly string[] => {
  const section = manual.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, usage = '']) => usage);
};

/** The value of each shell variable, in the world of this test. */
const VALUES: Readonly<Record<string, string>> = {
  TENANT: 'acme',
  ID: '1',
  TARGET: 'de',
  LIST: 'test/operator/installations.csv',
  INSTALLATION: 'ari:cloud:ecosystem::installation/1c2d6f0a-8f55-4f3e-9d52-1f1a4ff3d0aa',
  CLOUD_ID: '2d1c6f0a-8f55-4f3e-9d52-1f1a4ff3d0bb',
};
const PLACES: Readonly<Record<string, string>> = {
  '<tenant>': 'acme',
  '<file>': 'test/operator/tenants.csv',
  '<list>': 'test/operator/installations.csv',
  '<id>': '1',
  '[id]': '1',
  '<realm>': 'de',
  '<ari>': VALUES['INSTALLATION'] ?? '',
  '[--cloud-id <id>]': `--cloud-id ${VALUES['CLOUD_ID']}`,
  '[--tenant acme]': '--tenant acme --new-moves off',
};

let world: World;
let port: number;
let local: readonly RealmTemplate[];
let prod: readonly RealmTemplate[];
beforeAll(async () => {
  port = await freeTcpPorts();
  local = templatesOf(residency, { stage: 'local' });
  prod = templatesOf(residency, { stage: 'prod' });
  world = await startWorld({ port });
  const site = await world.installed('acme');
  await world.fill('acme', 'us', 5);
  await world.ready(site, 1);
});
afterAll(() => world[Symbol.asyncDispose]());

/**
 * Runs against the local host instead of a stage, with any credentials. The role is checked
 * afterwards.
 */
async function typed(words: readonly string[]) {
  const calls: OperatorCall[] = [];
  const said: string[] = [];
  const code = await residencyCommand([...words, '--local', String(port)], {
    residency: FEWER_SHARDS,
    print: () => {},
    complain: (text) => said.push(text),
    isInteractive: true,
    ask: async () => 'y',
    onCall: (call) => {
      if (!isAskedWhetherItIsALocalHost(call)) calls.push(call);
    },
  });
  return { code, calls, said: said.join('\n') };
}

/**
 * Of AWS that is never asked. What `doctor` asks of this table, it asks of the other realms' too.
 */
const isAskedWhetherItIsALocalHost = ({ command, input }: OperatorCall): boolean =>
  command === 'DescribeTable' && Object(input).TableName === 'residency-local-us-tenants';

const isMisunderstood = (said: string): boolean =>
  /unknown (command|option)|missing required argument|required option|too many arguments/.test(
    said,
  );

describe('the runbook', () => {
  test('has commands', () => {
    expect(ours.length).toBeGreaterThan(15);
    expect(theirs.length).toBeGreaterThan(10);
  });

  test.each(ours)(
    '%s',
    async (command) => {
      const [, words = '', who = ''] =
        /^res (.+) --stage prod --role (operator-(?:read|act|tenants))$/.exec(command) ?? [];
      expect(words, 'it says its stage and its role').not.toBe('');
      const { calls, said } = await typed(shellWords(words, VALUES));
      expect(isMisunderstood(said), said).toBe(false);
      expect(calls.length).toBeGreaterThan(0);
      expect(refusedTo(who as Who, calls, local)).toEqual([]);
    },
    60_000,
  );

  test.each(theirs)('%s', (command) => {
    const { profile, action, resource } = awsCommand(command);
    const [, realm, who] = /^residency-prod-([a-z]+)-(operator-(?:read|act))$/.exec(profile) ?? [];
    const may = (role: Who, template: RealmTemplate) =>
      mayRole(template, role, { action, resource });
    if (profile === 'administrator') {
      // No document asks for a larger role than needed.
      for (const template of prod) expect(may('operator-act', template)).toBe(false);
      return;
    }
    const template = prod.find((one) => one.realm === realm);
    if (template === undefined) throw new Error(`no role has the profile ${profile}`);
    expect(may(who as Who, template), `${action} ${resource}`).toBe(true);
  });
});

describe('docs/operator.md says that operator-read is enough for', () => {
  test.each(usagesBelow('Commands that read'))(
    '%s',
    async (usage) => {
      const { calls, said } = await typed(wordsOf(usage));
      expect(isMisunderstood(said), said).toBe(false);
      expect(calls.length).toBeGreaterThan(0);
      expect(refusedTo('operator-read', calls, local)).toEqual([]);
    },
    60_000,
  );
});

describe('docs/operator.md says that operator-act is enough for', () => {
  /** Commands that need a developer's credentials, or none. */
  const others = /^(smoke|smoke-key|completion) /;
  test.each(usagesBelow('Commands that write').filter((usage) => !others.test(usage)))(
    '%s',
    async (usage) => {
      const { calls, said } = await typed(wordsOf(usage));
      expect(isMisunderstood(said), said).toBe(false);
      expect(calls.length).toBeGreaterThan(0);
      expect(refusedTo('operator-act', calls, local)).toEqual([]);
    },
    60_000,
  );
});

describe('docs/operator.md says that operator-tenants is enough for', () => {
  test.each(usagesBelow('What brings tenants in, and retires them'))(
    '%s',
    async (usage) => {
      const { calls, said } = await typed(wordsOf(usage));
      expect(isMisunderstood(said), said).toBe(false);
      expect(calls.length).toBeGreaterThan(0);
      expect(refusedTo('operator-tenants', calls, local)).toEqual([]);
    },
    60_000,
  );
});

const wordsOf = (usage: string): readonly string[] =>
  Object.entries(PLACES)
    .reduceRight((text, [place, value]) => text.replace(place, value), usage)
    .split(' ');
