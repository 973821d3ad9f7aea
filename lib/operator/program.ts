/** The command line `residency`: prints a verdict or an error, for people and for programs. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { stackRows } from '../../lambdas/domain/realm.ts';
import { commandsOn, examplesText, type Outcome, type Surroundings } from './command-frame.ts';
import { addReadingCommands } from './reading-commands.ts';
import { bold } from './terminal/colour.ts';
import { completionScript } from './terminal/completion.ts';
import { type ExitCode, sentenceOf, UsageError } from './terminal/failure.ts';
import { jsonText, printable } from './terminal/print.ts';
import { addWritingCommands } from './writing-commands.ts';

export type { Surroundings } from './command-frame.ts';

const AFTER_HELP = `
Commands that are marked WRITES ask before they do, and need --stage or --local.
Exit codes: 0 fine · 1 something was found, or failed · 2 the command was not understood, or not confirmed
${examplesText([
  'where acme --stage prod',
  'show acme --stage prod --role operator-read',
  'cancel acme --stage prod --role operator-act',
])}`;

/** Runs one command line; `args` without `node` and the script. Never throws. */
export async function residencyCommand(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { print, complain } = surroundings;
  const wantsJson = args.includes('--json');
  const outcome: Outcome = { about: undefined, whereabouts: undefined, verdict: undefined };
  const program = new Command('residency')
    .description(
      'Shows, rehearses and proves where each tenant is. Commands read only, unless their help says WRITES.',
    )
    .configureOutput({
      writeOut: (text) => print(text.trimEnd()),
      writeErr: (text) => {
        if (!wantsJson) complain(text.trimEnd());
      },
    })
    .configureHelp({ styleTitle: bold })
    .version(version(), '--version', 'which version this is')
    .exitOverride()
    .addHelpText('after', AFTER_HELP);
  const add = commandsOn(program, surroundings, outcome);
  addReadingCommands(add, surroundings);
  addWritingCommands(add, program, surroundings);
  program
    .command('completion <shell>')
    .description('a script by which bash or zsh completes this command line')
    .addHelpText('after', '\nExample:\n  source <(residency completion bash)')
    .action((shell: string) => {
      print(
        completionScript(
          shell,
          program,
          stackRows(surroundings.residency.realms).map(({ realm }) => realm),
        ),
      );
    });

  try {
    await program.parseAsync([...args], { from: 'user' });
    return outcome.verdict?.isFine === false ? 1 : 0;
  } catch (error) {
    const isOfCommander = error instanceof CommanderError;
    if (isOfCommander && error.exitCode === 0) return 0;
    const code = isOfCommander || error instanceof UsageError ? 2 : 1;
    if (wantsJson) print(errorJson(outcome, sentenceOf(error), code));
    else if (!isOfCommander) complain(placed(outcome, sentenceOf(error)));
    return code;
  }
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version: found }: { readonly version?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
  return String(found);
}

/** Adds the deployment to an error, because it may be the wrong one. */
const placed = ({ whereabouts }: Outcome, sentence: string): string =>
  whereabouts === undefined ? sentence : `${printable(whereabouts)}: ${sentence}`;

const errorJson = ({ about }: Outcome, error: string, exitCode: ExitCode): string =>
  jsonText({ ...about, error, exitCode });
