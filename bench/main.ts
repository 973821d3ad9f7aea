/**
 * `npm run bench`: measures our copy, verification and purge beside other ways to copy, prints a
 * table, writes `bench/results.json`, and fails where a bar is missed. `--quick`: fewer items, one
 * round, two stubs side by side, in under 50 seconds. `--only capped,cpu` runs some suites, prints
 * their rows and records nothing. `--table` prints the last full run; `--publish` writes it into
 * the README and docs/performance.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Bar, median } from './bars.ts';
import { type Bench, benchOn, type Run } from './bench.ts';
import { bundles } from './bundles.ts';
import { forecasts, marginalCpu, planning } from './planning.ts';
import { publish } from './publish.ts';
import { type Results, report, table } from './report.ts';
import { startStub } from './stub/handle.ts';
import { ahead, aheadOfShards } from './suites/ahead.ts';
import { firstMove, hooks, verbs } from './suites/host.ts';
import { ledger, ledgerAt16 } from './suites/ledger.ts';
import { live } from './suites/live.ts';
import { objects } from './suites/objects.ts';
import { capped, cpu, deleting, growth, resuming, uncapped } from './suites.ts';
import { FULL, QUICK } from './worlds.ts';

type Suite = (bench: Bench) => Promise<readonly Bar[]>;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const SUITES: Readonly<Record<string, Suite>> = {
  uncapped,
  capped,
  ahead,
  'ahead-16': aheadOfShards,
  ledger,
  'ledger-16': ledgerAt16,
  live,
  hooks,
  verbs,
  'first-move': firstMove,
  cpu,
  growth,
  deleting,
  resuming,
  objects,
};
const FULL_RESULTS = new URL('./results.json', import.meta.url);
const QUICK_RESULTS = new URL('./results-quick.json', import.meta.url);

if (values.table || values.publish) {
  // The last run of this script.
  const results: Results = JSON.parse(await readFile(FULL_RESULTS, 'utf8'));
  if (values.publish) await publish(results);
  else console.log(report(results));
} else if (values.only === undefined) await benchmark(values.quick);
else await only(values.only.split(','), values.quick);

/** Runs some suites on one stub. The exit code is 1 where a bar is missed, as after a full run. */
async function only(names: readonly string[], quick: boolean): Promise<void> {
  const stub = await startStub();
  try {
    const bench = benchOn(stub, quick ? QUICK : FULL, console.error);
    const bars: Bar[] = [];
    for (const name of names) {
      const suite = SUITES[name];
      if (suite === undefined)
        throw new Error(`there is no suite "${name}": ${Object.keys(SUITES).join(', ')}`);
      bars.push(...(await suite(bench)));
    }
    console.log(`\n${table(bars)}\n`);
    if (!quick && bars.some(({ isMet }) => !isMet)) process.exitCode = 1;
  } finally {
    await stub.close();
  }
}

async function benchmark(quick: boolean): Promise<void> {
  const sizes = quick ? QUICK : FULL;
  const begun = performance.now();
  const passed = () => (performance.now() - begun) / 1000;
  const say = (line: string) => console.error(`${passed().toFixed(0).padStart(4)} s  ${line}`);

  /** Runs suites one after another on a stub of their own. */
  async function lane(suites: readonly Suite[]) {
    const stub = await startStub();
    try {
      const bench = benchOn(stub, sizes, say);
      const bars: Bar[] = [];
      for (const suite of suites) bars.push(...(await suite(bench)));
      return { bars, runs: bench.all, hasRival: bench.hasRival };
    } finally {
      await stub.close();
    }
  }

  // Suites that wait for a cap take little CPU, so suites that need CPU run beside them.
  const lanes: readonly (readonly Suite[])[] = quick
    ? [
        [uncapped, cpu, growth],
        [capped, ahead, aheadOfShards, resuming, deleting],
      ]
    : [
        [
          ...[uncapped, capped, ahead, aheadOfShards, ledger, ledgerAt16, live],
          ...[cpu, growth, deleting, resuming, hooks, verbs, objects],
        ],
      ];
  const running = lanes.map(lane);
  // Bundles are measured on the first lane while the second still waits.
  await running[0];
  const built = await bundles(sizes.rounds, say);
  const done = await Promise.all(running);
  const runs: readonly Run[] = done.flatMap((one) => one.runs);
  const cpuMs = 1000 * median(marginalCpu(runs));
  const found = forecasts(runs, cpuMs);
  const bars = [...done.flatMap((one) => one.bars), ...built.bars, ...planning(found)];
  const results: Results = {
    at: new Date().toISOString(),
    quick,
    machine: {
      node: process.version,
      processors: cpus().length,
      model: cpus()[0]?.model ?? 'unknown',
    },
    seconds: passed(),
    bars,
    bundles: built.rows,
    forecasts: found,
    runs,
  };
  console.log(`\n${report(results)}\n`);
  if (!done.every(({ hasRival }) => hasRival)) {
    console.log('copy-dynamodb-table is not installed, and was left out: npm ci --prefix bench\n');
  }
  await writeFile(quick ? QUICK_RESULTS : FULL_RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  if (!quick && bars.some(({ isMet }) => !isMet)) process.exitCode = 1;
}
