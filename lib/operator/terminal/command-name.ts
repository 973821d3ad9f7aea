/**
 * The name of the command line in every text that names it. Never plain `npx residency`: outside a
 * checkout that downloads and runs whatever package is published under this name.
 */
import type { Operator } from '../operator.ts';

export const COMMAND = 'npm exec --no -- residency';

type Place = Pick<Operator, 'localPort' | 'stage' | 'domain' | 'role' | 'deployed'>;

/** A command that can be pasted: for the same deployment and with the same role as this one. */
export function commandFor(
  { localPort, stage, domain, role, deployed }: Place,
  ...words: readonly string[]
): string {
  const realms = deployed === undefined ? [] : ['--realms', deployed];
  const place =
    localPort === undefined
      ? [
          ...['--stage', stage],
          ...(domain === undefined ? [] : ['--domain', domain]),
          ...(role === undefined ? [] : ['--role', role]),
        ]
      : ['--local', String(localPort)];
  return [COMMAND, ...[...words, ...place, ...realms].map(quoted)].join(' ');
}

/** Quoted for a shell. A control character cannot be pasted anyway. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
