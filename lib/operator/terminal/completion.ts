/** Pure: a script by which a shell completes commands, options, realms and statuses. */
import type { Command } from 'commander';
import { STATUSES } from '../../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { UsageError } from './failure.ts';

const FUNCTION = '_residency';

export function completionScript(
  shell: string,
  program: Command,
  realms: readonly Realm[],
): string {
  if (shell !== 'bash' && shell !== 'zsh')
    throw new UsageError(`completion is for bash or zsh, not "${shell}"`);
  // zsh runs the bash function in its emulation.
  const emulation = [
    'autoload -U +X compinit && compinit',
    'autoload -U +X bashcompinit && bashcompinit',
  ];
  return [
    `# source <(residency completion ${shell})`,
    ...(shell === 'zsh' ? emulation : []),
    `${FUNCTION}() {`,
    `  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""`,
    '  case "$previous" in',
    ...Object.entries(valuesOf(realms)).map(
      ([options, values]) => `    ${options}) words="${values.join(' ')}" ;;`,
    ),
    '    --html|--key|--verify|--file|--installations|--csv) COMPREPLY=($(compgen -f -- "$current")); return ;;',
    `    *) case "$COMP_CWORD \${COMP_WORDS[1]}" in`,
    `      "1 "*) words="${program.commands.map((command) => command.name()).join(' ')} --help --version" ;;`,
    ...program.commands.map(
      (command) => `      *" ${command.name()}") words="${optionsOf(command).join(' ')}" ;;`,
    ),
    '    esac ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    `complete -F ${FUNCTION} residency res`,
  ].join('\n');
}

const optionsOf = (command: Command): readonly string[] => [
  ...command.options.flatMap(({ long }) => long ?? []),
  '--help',
];

const valuesOf = (realms: readonly Realm[]): Readonly<Record<string, readonly string[]>> => ({
  '--realm|--to': realms,
  // `--from` is a realm for a synthetic tenant, and the kind of file for an import.
  '--from': [...realms, 'ace', 'spring', 'csv'],
  '--role': ['operator-read', 'operator-act', 'operator-tenants'],
  '--status': STATUSES,
  '--new-moves': ['on', 'off', 'default'],
});
