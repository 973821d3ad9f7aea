/**
 * Sizes of the Lambdas' bundles and how long they take to load, beside bundles that leave the SDK
 * to the runtime.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundle } from '../lib/bundle.ts';
import { loadMs } from '../lib/load-time.ts';
import { atMost, type Bar, median } from './bars.ts';

const execute = promisify(execFile);
const FOLDER = 'bench/dist';
const OWN = `${FOLDER}/bundled`;
const EXTERNAL = `${FOLDER}/external`;
const KB = 1024;

export interface BundleRow {
  readonly entry: string;
  /** Number of the SDK's clients in the bundle. */
  readonly clients: number;
  readonly kilobytes: number;
  readonly loadMs: number;
  readonly externalLoadMs: number;
}

export interface Bundles {
  readonly rows: readonly BundleRow[];
  readonly synthSeconds: number;
  readonly bars: readonly Bar[];
}

/** S3's client and what comes with it: XML, checksums, presigned URLs. */
const S3 = '@aws-sdk/client-s3';
const KILOBYTES_OF_S3 = 220;

/** Must run from the root of the project. */
export async function bundles(rounds: number, say: (line: string) => void): Promise<Bundles> {
  const { sizes, clients } = await bundle({ outdir: OWN });
  await bundle({ outdir: EXTERNAL, withoutSdk: true });
  say('bundled');
  const weighed = [...sizes].map(([entry, bytes]) => {
    const { [S3]: s3, ...others } = Object.fromEntries<number>(clients.get(entry) ?? []);
    return {
      entry,
      kilobytes: bytes / KB,
      withoutS3: bytes / KB - (s3 === undefined ? 0 : KILOBYTES_OF_S3),
      further: Object.values(others)
        .sort((one, other) => other - one)
        .slice(1),
    };
  });
  const rows: BundleRow[] = [];
  for (const { entry, kilobytes } of weighed) {
    if (!SAMPLES.includes(entry)) continue;
    const [own, external]: [number[], number[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      own.push(await loadMs(`${OWN}/${entry}.mjs`));
      external.push(await loadMs(`${EXTERNAL}/${entry}.mjs`));
    }
    rows.push({
      entry,
      clients: clients.get(entry)?.size ?? 0,
      kilobytes,
      loadMs: median(own),
      externalLoadMs: median(external),
    });
  }
  const withOne = weighed.map(({ withoutS3, further }) => withoutS3 - 40 * further.length);
  const heaviestClient = Math.max(...weighed.flatMap(({ further }) => further)) / KB;
  const slowest = Math.max(...rows.map((row) => row.loadMs / row.externalLoadMs));
  say('loaded');
  const synthSeconds = median(await inTurn(rounds, () => secondsOf(['bench/synth.ts'])));
  await rm(FOLDER, { recursive: true, force: true });
  return {
    rows,
    synthSeconds,
    bars: [
      atMost(
        'bundles',
        `heaviest Lambda, less 40 KB for each client after the first, and ${KILOBYTES_OF_S3} KB for S3`,
        Math.max(...withOne),
        390,
        'KB',
      ),
      atMost('bundles', 'heaviest client after the first', heaviestClient, 40, 'KB'),
      atMost('bundles', 'time to load, of one that leaves the SDK out', slowest, 0.8),
      atMost(
        'synth',
        'five stacks',
        synthSeconds,
        4,
        's',
        'a process of its own, bundles included, without the last check of the templates',
      ),
    ],
  };
}

/** One hook and one task; all others are made from the same modules. */
const SAMPLES: readonly string[] = ['hooks/status', 'tasks/copy-range'];

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
