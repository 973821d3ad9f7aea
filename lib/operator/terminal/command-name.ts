/**
 * How the command line is called, here and in every text that names it. Never plain `npx residency`: outside a checkout
 * that downloads and runs whatever somebody has published under this name.
 */
import type { Operator } from '../operator.ts';

export const COMMAND = 'npm exec --no -- residency';

/** A command that can be pasted: it looks where this one has looked, and as whom. */
export function commandFor(
  { localPort, stage, domain, role }: Pick<Operator, 'localPort' | 'stage' | 'domain' | 'role'>,
  ...words: readonly string[]
): string {
  const place =
    localPort === undefined
      ? [
          ...['--stage', stage],
          ...(domain === undefined ? [] : ['--domain', domain]),
          ...(role === undefined ? [] : ['--role', role]),
        ]
      : ['--local', String(localPort)];
  return [COMMAND, ...[...words, ...place].map(quoted)].join(' ');
}

/** As a shell reads it back. A control character cannot be pasted anyway. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
