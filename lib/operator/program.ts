/** The command line `residency`: its commands, their options, and what becomes of an answer or an error. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { MOST_SAMPLED } from '../../lambdas/domain/operating/rehearsal.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { DEFAULT_PORT } from '../local-ports.ts';
import { actOn, type Confirm, type SettingOptions, set } from './act.ts';
import { audit } from './audit.ts';
import type { OperatorCall } from './clients.ts';
import { doctor } from './doctor.ts';
import { type ExitCode, sentenceOf, UsageError } from './failure.ts';
import { migrations } from './migrations.ts';
import { type Operator, operatorOf } from './operator.ts';
import { printable } from './print.ts';
import { receipt } from './receipt.ts';
import { rehearse } from './rehearse.ts';
import { show } from './show.ts';
import { smoke } from './smoke.ts';
import { smokeKey } from './smoke-key.ts';
import type { Verdict } from './verdict.ts';
import { watch } from './watch.ts';
import { where } from './where.ts';

/** What the command line runs in; a test gives another one. */
export interface Surroundings {
  readonly residency: Residency;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  /** Somebody can be asked, and can watch. */
  readonly isInteractive: boolean;
  /** Resolves to what was typed. */
  readonly ask: (question: string) => Promise<string>;
  readonly onCall?: ((call: OperatorCall) => void) | undefined;
}

interface Common {
  readonly stage: string;
  readonly json?: boolean;
  readonly local?: number;
  readonly domain?: string;
  readonly role?: string;
  readonly yes?: boolean;
}

const EXIT_CODES = `
Exit codes: 0 fine · 1 something was found, or failed · 2 the command was not understood, or not confirmed
`;

/** Runs one command line; `args` without `node` and the script. Never throws. */
export async function residencyCommand(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = new Command('residency')
    .description(
      'Sees, rehearses and proves where each tenant is. It reads only, unless a command says that it writes.',
    )
    .configureOutput({
      writeOut: (text) => surroundings.print(text.trimEnd()),
      writeErr: (text) => surroundings.complain(text.trimEnd()),
    })
    .exitOverride()
    .addHelpText('after', EXIT_CODES);

  /** A command with the options that all have, and what it does with an operator and what was typed. */
  function command<T extends object>(
    usage: string,
    description: string,
    run: (
      operator: Operator,
      typed: readonly (string | undefined)[],
      options: T & Common,
    ) => Promise<Verdict>,
  ): Command {
    return program
      .command(usage)
      .description(description)
      .addOption(new Option('--stage <stage>', 'which deployment').default('dev'))
      .option('--json', 'prints one JSON value')
      .addOption(
        new Option('--local [port]', `a local host, by its first port (${DEFAULT_PORT})`)
          .argParser(portOf)
          .preset(String(DEFAULT_PORT)),
      )
      .option('--role <role>', 'operator-read or operator-act: taken in every realm')
      .option('--domain <domain>', 'the domain, if it was given to cdk with -c')
      .action(async (...received: unknown[]) => {
        const self = received.at(-1);
        if (!(self instanceof Command)) throw new Error('commander hands over no command');
        const options = self.opts<T & Common>();
        const operator = operatorOf({
          residency: surroundings.residency,
          stage: options.stage,
          localPort: options.local,
          domain: options.domain,
          role: options.role,
          onCall: surroundings.onCall,
        });
        try {
          const verdict = await run(operator, self.args, options);
          surroundings.print(options.json ? JSON.stringify(verdict.report, null, 2) : verdict.text);
          code = verdict.isFine ? 0 : 1;
        } finally {
          operator.close();
        }
      });
  }

  command(
    'where <tenant>',
    'which realm a tenant is in, by record and by count',
    (operator, [tenant = '']) => where(operator, tenant),
  );
  command<{ realm?: string; status?: string; since?: string; all?: boolean }>(
    'migrations',
    'what is under way, or everything on record',
    (operator, _, options) => migrations(operator, options),
  )
    .option('--realm <realm>', 'from or to this realm')
    .option('--status <status>', 'in this status')
    .option('--since <time>', 'changed since: a time, or an age such as 90m, 12h, 7d')
    .option('--all', 'final ones too (reads the whole ledgers)');
  command(
    'show <tenant> [migration]',
    'one migration: facts, timeline, progress, projected end',
    (operator, [tenant = '', id]) => show(operator, tenant, id),
  );
  command<{ html?: string }>(
    'receipt <tenant> <migration>',
    'the signed-off record of a move, for an auditor',
    (operator, [tenant = '', id = ''], { html }) => receipt(operator, tenant, id, html),
  ).option('--html <file>', 'writes a page to print, too');
  command<{ tenant?: string; all?: boolean }>(
    'audit',
    'anything that is where it should not be',
    (operator, _, options) => audit(operator, options),
  )
    .option('--tenant <tenant>', 'of one tenant, its items included')
    .option(
      '--all',
      'reads the keys of every table, too: finds items of tenants that nobody knows',
    );
  command<{ beforeDeploy?: boolean }>(
    'doctor',
    'whether every realm is deployed as it should be, and what to mend',
    (operator, _, options) => doctor(operator, options),
  ).option('--before-deploy', 'refuses while a move is under way');

  command<{ every?: string }>(
    'watch <tenant> [migration]',
    'one migration, live, until it ends or waits for Atlassian',
    (operator, [tenant = '', id], { every = '5', json }) =>
      watch(operator, tenant, id, {
        every: secondsOf(every),
        isTerminal: surroundings.isInteractive && !json,
        print: json ? surroundings.complain : surroundings.print,
      }),
  ).option('--every <seconds>', 'how often to look (5)');

  command<{ to: string; items?: string }>(
    'rehearse <tenant>',
    'how a move would go: sizes, time, cost, and a sample that is copied, verified and discarded',
    (operator, [tenant = ''], { to, items = '1000' }) =>
      rehearse(operator, tenant, { to, items: sampleOf(items) }),
  )
    .requiredOption('--to <realm>', 'where to')
    .option('--items <count>', 'of the sample (1000); 0 copies nothing, and only plans');

  /** A command that writes: it asks, unless it was told not to. */
  function writing<T extends object>(
    usage: string,
    description: string,
    run: (
      operator: Operator,
      typed: readonly (string | undefined)[],
      options: T & Common,
      confirm: Confirm,
    ) => Promise<Verdict>,
  ): Command {
    return command<T>(usage, `WRITES: ${description}`, (operator, typed, options) =>
      run(operator, typed, options, confirming(surroundings, options.yes === true)),
    ).option('--yes', 'does not ask');
  }
  writing(
    'retry <tenant> [migration]',
    'the next attempt of the phase at hand',
    (operator, [tenant = '', id], _, confirm) => actOn(operator, 'retry', tenant, id, confirm),
  );
  writing(
    'cancel <tenant> [migration]',
    'a scheduled move does not begin; a copying one fails, and the site comes back now',
    (operator, [tenant = '', id], _, confirm) => actOn(operator, 'cancel', tenant, id, confirm),
  );
  writing<SettingOptions>(
    'set',
    'what holds from the next turn on, for a realm or a tenant; "default" takes it back',
    (operator, _, options, confirm) => set(operator, options, confirm),
  )
    .requiredOption('--realm <realm>', 'the realm whose setting it is')
    .option('--tenant <tenant>', 'of this tenant alone')
    .option('--concurrency <ranges>', 'ranges of one move that are worked on at once')
    .option('--writes-per-second <items>', 'items that one move writes per second and table')
    .option('--new-moves <on|off>', 'off: new schedules are refused with E0003');

  command<{ from: string; to: string; key?: string; items?: string }>(
    'smoke',
    'WRITES: moves a synthetic tenant there and back again, on a stage without customers',
    (operator, _, { from, to, key, items = '40', json }) =>
      smoke(operator, {
        from,
        to,
        key,
        items: Math.max(1, sampleOf(items)),
        tell: json ? surroundings.complain : surroundings.print,
      }),
  )
    .requiredOption('--from <realm>', 'where it is installed')
    .requiredOption('--to <realm>', 'where it is moved')
    .option('--key <file>', 'the private key that the stage was told to trust')
    .option('--items <count>', 'in each part (40)');
  command(
    'smoke-key <file>',
    'makes a throw-away key for smoke tests, and says how a stage comes to trust it',
    (_, [file = '']) => smokeKey(file),
  );

  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    surroundings.complain(sentenceOf(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Whoever cannot be asked must have said yes beforehand. */
function confirming({ isInteractive, ask }: Surroundings, isAgreed: boolean): Confirm {
  return async (question) => {
    if (isAgreed) return;
    if (!isInteractive) throw new UsageError('this writes, and there is nobody to ask: say --yes');
    const answer = (await ask(`${printable(question)} [y/N] `)).trim();
    if (!/^y(es)?$/i.test(answer)) throw new UsageError('nothing was done');
  };
}

function sampleOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > MOST_SAMPLED)
    throw new UsageError(`--items is a number from 0 to ${MOST_SAMPLED}, not "${text}"`);
  return Number(text);
}

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600))
    throw new UsageError('--every is a number of seconds, from 0.1 to 3600');
  return seconds;
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_500)
    throw new InvalidArgumentError('a port is a number from 1 to 65500.');
  return Number(text);
}
