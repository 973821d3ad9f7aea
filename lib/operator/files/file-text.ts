/**
 * A file that was named on the command line, as text; and what is said of one that is not as it
 * should be.
 */
import { readFile } from 'node:fs/promises';
import { Failure, UsageError } from '../terminal/failure.ts';

export async function fileText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${file} cannot be read: ${error.code ?? 'unknown error'}`);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Failure(`${file} is not UTF-8`);
  }
}

/**
 * What is wrong in which line, each a clause that never quotes the file: there are secrets in it.
 */
export interface Problem {
  /** From 1 on; of a row that takes several lines, its first. */
  readonly line: number;
  readonly says: string;
}

const MOST_SAID = 10;

/** Throws one sentence that names the first lines, if there are any. */
export function refuseProblems(file: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const said = problems.slice(0, MOST_SAID).map(({ line, says }) => `line ${line}: ${says}`);
  const more = problems.length - said.length;
  const rest = more > 0 ? `; and ${more} more` : '';
  throw new Failure(`${file} is refused: ${said.join('; ')}${rest}`);
}
