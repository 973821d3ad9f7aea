/**
 * What all commands have in common: options, the stage that they look at, how they ask, and what becomes of their verdict.
 * Every text begins with the deployment that it is about, and so does every question.
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

/** What the command line runs in; a test gives another one. */
export interface Surroundings {
  readonly residency: Residency;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  /** Gives a text colours, where the terminal has some. Never used for JSON. */
  readonly paint?: (text: string) => string;
  /** Somebody can be asked. */
  readonly isInteractive: boolean;
  /** A terminal that can be drawn on, if there is one. */
  readonly screen?: () => Promise<Screen>;
  /** Resolves to what was typed. */
  readonly ask: (question: string) => Promise<string>;
  readonly onCall?: ((call: OperatorCall) => void) | undefined;
}

export interface Common {
  readonly stage?: string;
  readonly json?: boolean;
  readonly local?: number;
  readonly domain?: string;
  readonly role?: string;
  readonly yes?: boolean;
}

export interface Typed<T> {
  /** As many as the command's usage names; what was left out is absent. */
  readonly words: readonly string[];
  readonly options: T & Common;
  readonly confirm: Confirm;
  /** Told at once, while the command goes on. With `--json` on standard error. */
  readonly tell: (text: string) => void;
}

export interface Row<T> {
  readonly usage: string;
  readonly description: string;
  /** Command lines without the name of the program. */
  readonly examples: readonly string[];
  readonly run: (operator: Operator, typed: Typed<T>) => Promise<Verdict>;
  /** Then the stage must be said, and the deployment is made sure of before anything else. */
  readonly writes?: (options: T & Common) => boolean;
  /** Throws where the command will be refused anyway, whatever AWS or the host would say. */
  readonly refuse?: (operator: Operator, options: T & Common) => void;
  /** Something may have to be confirmed: the command has `--yes`. */
  readonly asks?: true;
  /** Prints while it goes on. */
  readonly streams?: true;
}

/** What a command line came to. `about` is the deployment, as soon as it is known. */
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
        new Option('--stage <stage>', `which deployment; reading takes ${READ_STAGE} unless said`),
      )
      .option('--json', 'prints one JSON value, errors too')
      .addOption(
        new Option('--local [port]', `a local host, by its first port (${DEFAULT_PORT})`)
          .argParser(portOf)
          .preset(String(DEFAULT_PORT)),
      )
      .option('--role <role>', 'operator-read or operator-act: taken in every realm')
      .option('--domain <domain>', 'the domain, if it was given to cdk with -c')
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
      // What is only read is read meanwhile. Where nobody can be asked at all, that is the one thing to say.
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

function stageOf({ stage, local }: Common, writes: boolean): string {
  if (stage !== undefined && local !== undefined)
    throw new UsageError('--local and --stage exclude each other: a local host is no stage');
  if (stage === undefined && local === undefined && writes)
    throw new UsageError('this writes: say in which deployment, with --stage (or --local)');
  return stage ?? READ_STAGE;
}

/** Whoever cannot be asked must have said yes beforehand. */
function confirming(
  { isInteractive, ask }: Surroundings,
  isAgreed: boolean,
  whereabouts: () => string,
): Confirm {
  return async (question) => {
    if (isAgreed) return;
    if (!isInteractive) throw new UsageError('this writes, and there is nobody to ask: say --yes');
    const asked = `${printable(whereabouts())}\n${printable(question, 600)} [y/N] `;
    const answer = (await ask(asked)).trim();
    if (!/^y(es)?$/i.test(answer)) throw new UsageError('nothing was done');
  };
}

export const examplesText = (examples: readonly string[]): string =>
  `\nExamples:\n${examples.map((example) => `  ${COMMAND} ${example}`).join('\n')}`;
