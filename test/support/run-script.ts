/** Runs a script of this project in a process of its own, on the Node that runs the tests. */
import { execFile } from 'node:child_process';

export interface Ended {
  readonly code: number;
  readonly output: string;
}

export interface ScriptOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of Node. */
  readonly node?: readonly string[];
  /** Gets what the script prints, as it comes. */
  readonly heard?: (text: string) => void;
}

export function runScript(
  file: string,
  args: readonly string[],
  { env = {}, node = [], heard }: ScriptOptions = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [...node, file, ...args],
      { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({
          code: error === null ? 0 : Number(error.code ?? 1),
          output: `${stdout}${stderr}`,
        });
      },
    );
    if (heard) child.stdout?.on('data', heard);
  });
}
