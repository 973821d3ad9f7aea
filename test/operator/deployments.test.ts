/**
 * Which deployment a command is about: named in every output and question, never a default where it
 * writes; and unknown names are refused.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { residencyCommand } from '../../lib/operator/program.ts';
import { commandFor } from '../../lib/operator/terminal/command-name.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { typed } from '../support/operator-command.ts';
import { FEWER_SHARDS, startWorld, type World } from '../support/world.ts';

let world: World;
let port: number;
beforeAll(async () => {
  port = await freeTcpPorts();
  world = await startWorld({ port });
  const site = await world.installed('acme');
  await world.fill('acme', 'us', 5);
  await world.moved(site, 1, 'DE');
});
afterAll(() => world[Symbol.asyncDispose]());

const WRITING = [
  ['cancel', 'acme'],
  ['retry', 'acme'],
  ['set', '--realm', 'us', '--new-moves', 'off'],
  ['rehearse', 'acme', '--to', 'us', '--sample'],
  ['smoke', '--from', 'us', '--to', 'de'],
];

/** Runs in this process. A question gets `answer`; without one, no terminal can be asked. */
async function said(answer: string | undefined, ...args: readonly string[]) {
  const [questions, printed, complained]: [string[], string[], string[]] = [[], [], []];
  const code = await residencyCommand(args, {
    residency: FEWER_SHARDS,
    print: (text) => printed.push(text),
    complain: (text) => complained.push(text),
    isInteractive: answer !== undefined,
    ask: async (question) => {
      questions.push(question);
      return answer ?? '';
    },
  });
  return { code, questions, stdout: printed.join('\n'), stderr: complained.join('\n') };
}
const asked = (answer: string, ...args: readonly string[]) =>
  said(answer, ...args, '--local', String(port));
const residency = (...args: readonly string[]) => said(undefined, ...args, '--local', String(port));

describe('every output', () => {
  test.each([
    ['where', 'acme'],
    ['migrations'],
    ['show', 'acme'],
    ['receipt', 'acme', '1'],
    ['audit'],
    ['doctor'],
    ['watch', 'acme'],
    ['rehearse', 'acme', '--to', 'us'],
  ])('names the deployment: %s %s', async (...args) => {
    const [{ stdout }, json] = [await residency(...args), await residency(...args, '--json')];
    expect(stdout.split('\n')[0]).toBe(`local host on port ${port}`);
    expect(JSON.parse(json.stdout)).toMatchObject({ stage: 'local', account: '000000000000' });
  });

  test('is one JSON value with --json, where it is an error too', async () => {
    const all = [
      await residency('show', 'nobody', '--json'),
      await said(undefined, 'where', '--json'),
      await said(undefined, 'teleport', '--json'),
      await typed(['doctor', '--json', '--stage', 'prod']),
    ];
    expect(all.map(({ code, stdout, stderr }) => [code, JSON.parse(stdout), stderr])).toEqual([
      [
        1,
        {
          stage: 'local',
          account: '000000000000',
          error: 'no realm knows the tenant nobody',
          exitCode: 1,
        },
        '',
      ],
      [2, { error: "missing required argument 'tenant'", exitCode: 2 }, ''],
      [2, { error: "unknown command 'teleport'", exitCode: 2 }, ''],
      [
        1,
        {
          stage: 'prod',
          error: 'no AWS credentials were found: set AWS_PROFILE, or sign in, and try again',
          exitCode: 1,
        },
        '',
      ],
    ]);
  });
});

describe('a command that writes', () => {
  test.each(WRITING)('takes no default stage: %s', async (...args) => {
    expect(await said(undefined, ...args, '--yes')).toEqual({
      code: 2,
      questions: [],
      stdout: '',
      stderr: 'this writes: say in which deployment, with --stage (or --local)',
    });
  });

  test.each([
    ['set', '--realm', 'de', '--concurrency', '3'],
    ['smoke', '--from', 'us', '--to', 'de'],
    ['rehearse', 'acme', '--to', 'us', '--sample'],
  ])('names the deployment when it asks, and does nothing unless told: %s', async (...args) => {
    const { code, questions, stderr } = await asked('', ...args);
    expect([code, stderr]).toEqual([2, `local host on port ${port}: nothing was done`]);
    expect(questions).toEqual([
      expect.stringMatching(new RegExp(`^local host on port ${port}\\n`)),
    ]);
  });

  test('does not ask about what will be refused', async () => {
    const all = [
      await asked('y', 'cancel', 'acme'),
      await asked('y', 'retry', 'acme'),
      await asked('y', 'set', '--realm', 'de', '--concurrency', '4000'),
      await asked('y', 'set', '--realm', 'de', '--tenant', 'nobody', '--concurrency', '4'),
      await asked('y', 'rehearse', 'acme', '--to', 'de', '--sample'),
      await asked('y', 'rehearse', 'nobody', '--to', 'de', '--sample'),
    ];
    expect(all.flatMap(({ questions }) => questions)).toEqual([]);
    expect(all.map(({ code }) => code)).toEqual([1, 1, 2, 1, 2, 1]);
  });

  test('does not ask about what is set already', async () => {
    const args = ['set', '--realm', 'sg', '--new-moves'];
    const [first, second] = [await asked('y', ...args, 'off'), await asked('y', ...args, 'off')];
    await asked('y', ...args, 'default');
    expect(first.questions).toEqual([
      `local host on port ${port}\nSet for realm sg: new moves off? Now: nothing is set. [y/N] `,
    ]);
    expect(first.stdout).toContain('✓ set for realm sg: new moves off');
    expect([second.code, second.questions]).toEqual([0, []]);
    expect(second.stdout).toContain('✓ for realm sg this is set already: new moves off');
  });
});

test.each([
  ['set', '--realm', 'us', '--tenant', 'nobody', '--new-moves', 'off', '--yes'],
  ['audit', '--tenant', 'nobody'],
  ['show', 'nobody'],
  ['watch', 'nobody'],
  ['receipt', 'nobody', '1'],
  ['cancel', 'nobody', '--yes'],
  ['retry', 'nobody', '7', '--yes'],
  ['rehearse', 'nobody', '--to', 'de'],
])('a tenant that no realm knows is refused: %s', async (...args) => {
  const { code, stderr } = await residency(...args);
  expect([code, stderr]).toEqual([
    1,
    `local host on port ${port}: no realm knows the tenant nobody`,
  ]);
});

test('a tenant of which only items are left is audited all the same', async () => {
  await world.put('au', 'templates', { tenant: 'left-over', id: 'one' });
  const { code, stdout } = await residency('audit', '--tenant', 'left-over', '--json');
  await world.remove('au', 'templates', { tenant: 'left-over', id: 'one' });
  expect([code, JSON.parse(stdout)]).toMatchObject([
    1,
    { findings: [{ kind: 'items-without-active-record' }] },
  ]);
});

test('a command that is named can be pasted, and looks at the same place', () => {
  const prod = {
    localPort: undefined,
    stage: 'prod',
    domain: undefined,
    role: 'operator-read',
    deployed: undefined,
  };
  expect(commandFor(prod, 'show', 'acme', '57500')).toBe(
    'npm exec --no -- residency show acme 57500 --stage prod --role operator-read',
  );
  expect(commandFor({ ...prod, localPort: 4200 }, 'show', "o'neil; rm")).toBe(
    "npm exec --no -- residency show 'o'\\''neil; rm' --local 4200",
  );
  expect(commandFor({ ...prod, deployed: 'us,de' }, 'where', 'acme')).toBe(
    'npm exec --no -- residency where acme --stage prod --role operator-read --realms us,de',
  );
});
