/**
 * `npm run bench`: measures our copy, verification and purge beside what else there is, prints a table, and writes
 * `bench/results.json`. With `--quick`, fewer items, one round, and two stubs side by side, in under 50 seconds.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { type Bar, cpuPerItem, median } from './bars.ts';
import { type Bench, benchOn } from './bench.ts';
import { bundles } from './bundles.ts';
import { forecasts, planning } from './planning.ts';
import { bundleTable, forecastTable, table } from './report.ts';
import { startStub } from './stub/handle.ts';
import { capped, cpu, deleting, growth, resuming, uncapped } from './suites.ts';
import { FULL, QUICK } from './worlds.ts';

type Suite = (bench: Bench) => Promise<readonly Bar[]>;

const isQuick = process.argv.includes('--quick');
const sizes = isQuick ? QUICK : FULL;
const begun = performance.now();
const say = (line: string) =>
  console.error(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${line}`);

/** Suites that run one after another, on a stub of their own. */
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

// What waits for a cap takes little CPU, and leaves enough for what is bound by it.
const lanes: readonly (readonly Suite[])[] = isQuick
  ? [
      [uncapped, cpu, growth],
      [capped, deleting, resuming],
    ]
  : [[uncapped, capped, cpu, growth, deleting, resuming]];
const done = await Promise.all(lanes.map(lane));
const built = await bundles(sizes.rounds);
const runs = done.flatMap((one) => one.runs);
const cpuMs =
  1000 *
  median(
    runs
      .filter(({ variant, world }) => variant === 'ours' && world.source.base === 0)
      .map(cpuPerItem),
  );
const found = forecasts(runs, cpuMs);
const bars = [...done.flatMap((one) => one.bars), ...built.bars, ...planning(found)];

console.log(`\n${table(bars)}\n\n${bundleTable(built.rows)}\n\n${forecastTable(found)}\n`);
if (!done.every(({ hasRival }) => hasRival)) {
  console.log('copy-dynamodb-table is not installed, and was left out: npm ci --prefix bench\n');
}
const seconds = (performance.now() - begun) / 1000;
const missed = bars.filter(({ isMet }) => !isMet).length;
console.log(`${bars.length - missed} of ${bars.length} bars met, in ${seconds.toFixed(0)} s`);
const machine = { node: process.version, processors: cpus().length, model: cpus()[0]?.model };
const results = {
  at: new Date().toISOString(),
  quick: isQuick,
  machine,
  seconds,
  bars,
  bundles: built.rows,
  forecasts: found,
  runs,
};
await writeFile(
  new URL('./results.json', import.meta.url),
  `${JSON.stringify(results, null, 2)}\n`,
);
