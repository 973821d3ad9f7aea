/** Measures how long a new process takes to load a module. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

const LOAD =
  'const begun = performance.now(); await import(process.argv[1]); console.log(performance.now() - begun);';

/** Milliseconds, without the start of the process itself. */
export async function loadMs(file: string): Promise<number> {
  const { href } = pathToFileURL(resolve(file));
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', LOAD, href]);
  return Number(stdout);
}
