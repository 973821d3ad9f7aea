/**
 * The frame of all commands: options, the deployment that they look at, confirmation, and the exit
 * code. Every text and every question begins with the deployment that it is about.
 */
import { type Command, Option } from 'commander';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { DEFAULT_PORT } from '../local-ports.ts';
import type { Confirm } from './acting/act.ts';
import type { OperatorCall } from './clients.ts';
import { type Operator, operatorOf } from './operator.ts';
import { COMMAND } from './terminal/command-name.ts';
import { UsageError } from './terminal/failure.ts';
import { jsonText, printable } from './terminal/print.ts';
import type { Screen } from './terminal/screen.ts';
import { portOf, refuseEmpty } from './terminal/typed-values.ts';
import type { Verdict } from './terminal/verdict.ts';

/** The process around the command line; a test gives another one. */
export interface Surroundings {
  readonly residency: Residency;
  /** The realms that `cdk.json` keeps for every deployment, separated by commas. */
  readonly keptRealms?: string | undefined;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  /** Colours a text where the terminal has colours. Never used for JSON. */
  readonly paint?: (text: string) => string;
  /** True: an operator can answer a question. */
  readonly isInteractive: boolean;
  /** A terminal that can be redrawn, if there is one. */
  readonly screen?: () => Promise<Screen>;
  /** Resolves to the answer that was typed. */
  readonly ask: (question: string) => Promise<string>;
  readonly onCall?: ((call: OperatorCall) => void) | undefined;
}

export interface Common {
  readonly stage?: string;
  readonly json?: boolean;
  readonly local?: number;
  readonly domain?: string;
  readonly realms?: string;
  readonly role?: string;
  readonly yes?: boolean;
}

export interface Typed<T> {
  /**
   * The words after the command's name, as many as its usage names. A word that was left out is
   * absent.
   */
  readonly words: readonly string[];
  readonly options: T & Common;
  readonly confirm: Confirm;
  /** Prints a line at once, while the command runs. With `--json` it goes to standard error. */
  readonly tell: (text: string) => void;
}

export interface Row<T> {
  readonly usage: string;
  readonly description: string;
  /** Command lines without the name of the program. */
  readonly examples: readonly string[];
  readonly run: (operator: Operator, typed: Typed<T>) => Promise<Verdict>;
  /**
   * True for these options: the command writes. Then the stage must be given, and the deployment is
   * checked before anything else.
   */
  readonly writes?: (options: T & Common) => boolean;
  /** Throws where the command would be refused whatever AWS or the host says. */
  readonly refuse?: (operator: Operator, options: T & Common) => void;
  /** The command may ask for a confirmation, and has `--yes`. */
  readonly asks?: true;
  /** The command prints while it runs. */
  readonly streams?: true;
}

/** The result of a command line. `about` is the deployment, once it is known. */
export interface Outcome {
  about: { readonly stage: string; readonly account?: string } | undefined;
  whereabouts: string | undefined;
  verdict: Verdict | undefined;
}

const READ_STAGE = 'dev';

export function commandsOn(program: Command, surroundings: Surroundings, outcome: Outcome) {
  const { print, complain, paint = (text) => text } = surroundings;

  return function add<T extends object>(row: Row<T>): Command {
    const command = program
      .command(row.usage)
      .description(row.description)
      .addOption(
        new Option(
          '--stage <stage>',
          `which deployment; commands that read take ${READ_STAGE} unless said`,
        ),
      )
      .option('--json', 'prints one JSON value, errors too')
      .addOption(
        new Option('--local [port]', `a local host, by its first port (${DEFAULT_PORT})`)
          .argParser(portOf)
          .preset(String(DEFAULT_PORT)),
      )
      .option(
        '--role <role>',
        'operator-read, operator-act or operator-tenants: taken in every realm',
      )
      .option('--domain <domain>', 'the domain, if it was given to cdk with -c')
      .option('--realms <realms>', 'the deployed realms, if they were given to cdk with -c: us,de')
      .addHelpText('after', examplesText(row.examples));
    if (row.asks) command.option('--yes', 'does not ask');
    return command.action(async () => {
      refuseEmpty(command);
      const options = command.opts<T & Common>();
      const writes = row.writes?.(options) ?? false;
      const operator = operatorOf({
        residency: surroundings.residency,
        stage: stageOf(options, writes),
        localPort: options.local,
        domain: options.domain,
        deployed: deployedRealms(options, surroundings),
        role: options.role,
        onCall: surroundings.onCall,
      });
      outcome.about = { stage: operator.stage };
      outcome.whereabouts =
        options.local === undefined
          ? `stage ${operator.stage}`
          : `local host on port ${options.local}`;
      try {
        row.refuse?.(operator, options);
        await run(operator, row, options, command.args, writes);
      } finally {
        operator.close();
      }
    });
  };

  async function run<T extends object>(
    operator: Operator,
    row: Row<T>,
    options: T & Common,
    words: readonly string[],
    writes: boolean,
  ): Promise<void> {
    const known = operator.whereabouts().then(async (text) => {
      outcome.whereabouts = text;
      outcome.about = { stage: operator.stage, account: await operator.account() };
    });
    const typed: Typed<T> = {
      words,
      options,
      confirm: confirming(surroundings, options.yes === true, () => outcome.whereabouts ?? ''),
      tell: options.json ? complain : (text) => print(paint(text)),
    };
    if (writes || row.streams) {
      await known;
      if (!options.json) print(paint(headOf(outcome)));
      outcome.verdict = await row.run(operator, typed);
    } else {
      // The command reads while the deployment is looked up. Where no call gets an answer, the
      // error of the look-up is the one to show.
      const running = (async () => row.run(operator, typed))();
      const [who, found] = await Promise.allSettled([known, running]);
      if (found.status === 'rejected' && found.reason instanceof UsageError) throw found.reason;
      if (who.status === 'rejected') throw who.reason;
      if (found.status === 'rejected') throw found.reason;
      outcome.verdict = found.value;
      if (!options.json) print(paint(headOf(outcome)));
    }
    const { report, text } = outcome.verdict;
    print(options.json ? jsonText({ ...outcome.about, ...Object(report) }) : paint(text));
  }
}

const headOf = ({ whereabouts = '' }: Outcome): string => `${printable(whereabouts)}\n`;

/** A local host is told by `REALMS`, a deployment by `-c realms=…` or `cdk.json`. */
const deployedRealms = ({ realms, local }: Common, { keptRealms }: Surroundings) =>
  realms ?? (local === undefined ? keptRealms : process.env['REALMS'] || undefined);

function stageOf({ stage, local }: Common, writes: boolean): string {
  if (stage !== undefined && local !== undefined)
    throw new UsageError('--local and --stage exclude each other: a local host is no stage');
  if (stage === undefined && local === undefined && writes)
    throw new UsageError('this writes: say in which deployment, with --stage (or --local)');
  return stage ?? READ_STAGE;
}

/** Without a terminal, the operator must have given `--yes`. */
function confirming(
  { isInteractive, ask }: Surroundings,
  isAgreed: boolean,
  whereabouts: () => string,
): Confirm {
  return async (question) => {
    if (isAgreed) return;
    if (!isInteractive)
      throw new UsageError('this writes, and without a terminal it cannot ask: say --yes');
    const asked = `${printable(whereabouts())}\n${printable(question, 600)} [y/N] `;
    const answer = (await ask(asked)).trim();
    if (!/^y(es)?$/i.test(answer)) throw new UsageError('nothing was done');
  };
}

export const examplesText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((example) => `  ${COMMAND} ${example}`).join('\n')}`;
