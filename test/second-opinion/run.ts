/**
 * `npm run second-opinion`: the contract suites of the part kinds, the suites of the embedded S3
 * and the story against moto's server, an S3 and a DynamoDB that nobody here wrote. Where
 * `moto_server` is not on the PATH it says so, and ends with 0.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freeTcpPorts } from '../processes/host-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_MS = 60_000;

/** What is run, and the variables by which it finds the server. */
const STEPS: readonly {
  readonly name: string;
  readonly command: readonly string[];
  readonly env: (url: string) => Readonly<Record<string, string>>;
}[] = [
  {
    name: 'the contract of the part kind over S3, and what the embedded S3 answers',
    command: [
      'npx',
      'vitest',
      'run',
      '--project',
      'tests',
      'test/adapters/dataset/s3',
      'test/local/s3',
      'test/operator/bucket-keys',
    ],
    env: (url) => ({ SECOND_S3: url }),
  },
  {
    name: 'the contract of the part kind over DynamoDB',
    command: [
      'npx',
      'vitest',
      'run',
      '--project',
      'tests',
      'test/adapters/dataset/second-dynamodb',
    ],
    env: (url) => ({ SECOND_DYNAMODB: url }),
  },
  {
    name: 'the story: a move of items and objects',
    command: ['npm', 'start', '--', '--items', '200'],
    env: (url) => ({
      AWS_ENDPOINT_URL_DYNAMODB: url,
      AWS_ENDPOINT_URL_S3: url,
      DRAIN_SECONDS: '1',
    }),
  },
];

process.exitCode = await secondOpinion();

async function secondOpinion(): Promise<0 | 1> {
  const port = await freeTcpPorts();
  const moto = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const absence = await startOf(moto, url);
  if (absence !== undefined) {
    console.log(`There is no second opinion: ${absence}.`);
    return 0;
  }
  try {
    let failures = 0;
    for (const { name, command, env } of STEPS) {
      console.log(`\n${name}, against ${url}`);
      const isFine = (await codeOf(command, env(url))) === 0;
      console.log(`${isFine ? '✓' : '✗'} ${name}`);
      if (!isFine) failures += 1;
    }
    return failures === 0 ? 0 : 1;
  } finally {
    moto.kill();
    await once(moto, 'exit');
  }
}

/** `undefined` where it answers; else why it does not. */
async function startOf(moto: ChildProcess, url: string): Promise<string | undefined> {
  let reason: string | undefined;
  moto.once('error', () => {
    reason = 'moto_server is not on the PATH (pip install "moto[server]")';
  });
  moto.once('exit', (code) => {
    reason ??= `moto_server ended with ${code}; "moto_server --help" says why`;
  });
  const until = Date.now() + START_MS;
  while (reason === undefined && Date.now() < until) {
    if ((await fetch(url).catch(() => undefined)) !== undefined) return undefined;
    await pause(100);
  }
  moto.kill();
  return reason ?? `moto_server did not answer within ${START_MS / 1_000} s`;
}

async function codeOf(
  [file = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number | null> {
  const run = spawn(file, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', ...env },
  });
  const [code]: readonly (number | null)[] = await once(run, 'exit');
  return code ?? null;
}
