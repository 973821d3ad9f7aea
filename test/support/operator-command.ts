/**
 * The operator's command line against a host of this process. It usually runs in this process too,
 * because a new process for each command takes most of a test's time; `typed` runs
 * `bin/residency.ts` in a process of its own.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { FEWER_SHARDS } from './world.ts';

const ENTRY = fileURLToPath(new URL('../../bin/residency.ts', import.meta.url));

/**
 * Characters that a terminal would obey, or would not show, beside the line breaks of the layout.
 */
const RAW = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OperatorCommand {
  (...args: readonly string[]): Promise<Said>;
  /** Runs the command with `--json`: the parsed output, beside the exit code. */
  json(...args: readonly string[]): Promise<{ readonly code: number; readonly report: unknown }>;
}

/** `port` is the first of a `World`. There is no terminal, so no question can be answered. */
export function operatorCommand(
  port: number,
  of = FEWER_SHARDS,
  onCall: (call: OperatorCall) => void = () => {},
): OperatorCommand {
  const run = async (...args: readonly string[]): Promise<Said> => {
    let [stdout, stderr] = ['', ''];
    const code = await residencyCommand([...args, '--local', String(port)], {
      residency: of,
      onCall,
      print: (text) => {
        stdout += `${text}\n`;
      },
      complain: (text) => {
        stderr += `${text}\n`;
      },
      isInteractive: false,
      ask: () => Promise.reject(new Error('nobody is there to be asked')),
    });
    return { code, stdout, stderr };
  };
  return Object.assign(run, {
    async json(...args: readonly string[]) {
      const { code, stdout, stderr } = await run(...args, '--json');
      if (stdout === '') throw new Error(`${args.join(' ')} printed nothing: ${stderr}`);
      const raw = RAW.exec(stdout);
      if (raw) throw new Error(`${args.join(' ')} printed ${JSON.stringify(raw[0])} as it is`);
      return { code, report: JSON.parse(stdout) };
    },
  });
}

/** The environment has no credentials: the operator's own must be neither needed nor sent. */
export function typed(args: readonly string[]): Promise<Said> {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [ENTRY, ...args],
      {
        env: { PATH, HOME, TMPDIR, NO_COLOR: '1', AWS_EC2_METADATA_DISABLED: 'true' },
        maxBuffer: 16 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      },
    );
  });
}
