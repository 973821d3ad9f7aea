/** What a Lambda's bundle weighs and how long it takes to load, beside one that leaves the SDK to the runtime. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { bundle } from '../lib/bundle.ts';
import { ENTRIES } from '../lib/entries.ts';
import { atMost, type Bar, median } from './bars.ts';

const execute = promisify(execFile);
const FOLDER = 'bench/dist';
const OWN = `${FOLDER}/bundled`;
const EXTERNAL = `${FOLDER}/external`;
const KB = 1024;
/** One client may weigh 360 KB; every Lambda has two: DynamoDB and Step Functions. */
const MOST_KB = 360 + 40;

export interface BundleRow {
  readonly entry: string;
  readonly kilobytes: number;
  readonly loadMs: number;
  readonly externalLoadMs: number;
}

export interface Bundles {
  readonly rows: readonly BundleRow[];
  readonly synthSeconds: number;
  readonly bars: readonly Bar[];
}

/** Run from the root of the project. */
export async function bundles(rounds: number): Promise<Bundles> {
  const { sizes } = await bundle({ outdir: OWN });
  await build({
    entryPoints: ENTRIES.map((entry) => ({ in: `lambdas/${entry}.ts`, out: entry })),
    outdir: EXTERNAL,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['@aws-sdk/*', '@smithy/*'],
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  const weighed = [...sizes].map(([entry, bytes]) => ({ entry, kilobytes: bytes / KB }));
  const rows: BundleRow[] = [];
  for (const { entry, kilobytes } of weighed.filter(({ entry }) => SAMPLES.includes(entry))) {
    const [own, external]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      own.push(await loadMs(`${OWN}/${entry}.mjs`));
      external.push(await loadMs(`${EXTERNAL}/${entry}.mjs`));
    }
    rows.push({ entry, kilobytes, loadMs: median(own), externalLoadMs: median(external) });
  }
  const heaviest = Math.max(...weighed.map(({ kilobytes }) => kilobytes));
  const slowest = Math.max(...rows.map((row) => row.loadMs / row.externalLoadMs));
  const synthSeconds = median(await inTurn(rounds, () => secondsOf(['bench/synth.ts'])));
  await rm(FOLDER, { recursive: true, force: true });
  return {
    rows,
    synthSeconds,
    bars: [
      atMost('bundles', 'heaviest Lambda (two clients)', heaviest, MOST_KB, 'KB'),
      atMost('bundles', 'time to load, of one that leaves the SDK out', slowest, 0.8),
      atMost(
        'synth',
        'five stacks',
        synthSeconds,
        4,
        's',
        'a process of its own, bundles included',
      ),
    ],
  };
}

/** One of each sort; all others are made from the same modules. */
const SAMPLES: readonly string[] = ['hooks/status', 'tasks/copy-range'];

const LOAD =
  'const begun = performance.now(); await import(process.argv[1]); console.log(performance.now() - begun);';

async function loadMs(file: string): Promise<number> {
  const url = new URL(`../${file}`, import.meta.url).href;
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', LOAD, url]);
  return Number(stdout);
}

async function secondsOf(args: readonly string[]): Promise<number> {
  const begun = performance.now();
  await execute(process.execPath, [...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  });
  return (performance.now() - begun) / 1000;
}

async function inTurn<T>(times: number, task: () => Promise<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for (let time = 0; time < times; time += 1) found.push(await task());
  return found;
}
