/**
 * A local host in a process of its own, which a test can kill at any moment and start again on the
 * same ports and data.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { tcpPortCount, tcpPortsFrom } from '../../lib/local-ports.ts';
import { residency } from '../../residency.config.ts';

const ENTRY = fileURLToPath(new URL('../../bin/local.ts', import.meta.url));
const PORTS = tcpPortCount(residency.realms);
const START_MS = 240_000;

export type Environment = Readonly<Record<string, string>>;

export interface HostProcess {
  readonly dynamoDbUrl: string;
  readonly s3Url: string;
  readonly urlOf: (realm: string) => string;
  /** Everything that its processes have printed so far. */
  readonly output: () => string;
  /** Resolves when it says that it is up, which is after the janitor's first run. */
  start(): Promise<void>;
  /** SIGKILL: the process cannot react. */
  kill(): Promise<void>;
}

/** `env` is its whole environment, beside what Node itself needs. */
export function hostProcess(port: number, env: Environment): HostProcess {
  let child: ChildProcess | undefined;
  let printed = '';

  async function start(): Promise<void> {
    const from = printed.length;
    const started = runLocal({ ...env, PORT: String(port) }, (text) => {
      printed += text;
    });
    child = started;
    const deadline = Date.now() + START_MS;
    while (!printed.slice(from).includes('\nUp.')) {
      if (started.exitCode !== null || Date.now() > deadline)
        throw new Error(`the host did not start:\n${printed.slice(from)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  return {
    dynamoDbUrl: `http://127.0.0.1:${port}`,
    s3Url: `http://127.0.0.1:${tcpPortsFrom(port, residency.realms).objects}`,
    urlOf: (realm) => `http://127.0.0.1:${tcpPortsFrom(port, residency.realms).realm(realm)}`,
    output: () => printed,
    start,
    kill,
  };
}

/** `node bin/local.ts`, as an operator would type it; `hear` gets what it prints. */
export function runLocal(env: Environment, hear: (text: string) => void): ChildProcess {
  const { PATH = '', HOME = '', TMPDIR = '', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn(process.execPath, [ENTRY], {
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE, ...env },
  });
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  return child;
}

/**
 * The first of as many neighbouring free ports as a host needs, below those that the system
 * assigns.
 */
export async function freeTcpPorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const first = 15_000 + Math.floor(Math.random() * 15_000);
    const all = Array.from({ length: PORTS }, (_, offset) => first + offset);
    if ((await Promise.all(all.map(isFree))).every(Boolean)) return first;
  }
  throw new Error('no free ports in a row');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  return once(server, 'listening').then(
    () => new Promise((resolve) => server.close(() => resolve(true))),
    () => false,
  );
}
