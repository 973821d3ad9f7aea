/**
 * `npm run simulate -- --seeds 200000 [--from 1] [--processes 2] [--coverage] [--all]`, `-- --seed
 * N` for one seed with its trace, and `-- --crash-points [--scenario S] [--every N]` for a death at
 * every operation, beside each Nth moment at which a second actor enters. Ends with 1, and a way to
 * replay it, when an invariant is broken; with `--all` only after the last seed.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type CrashRun, crashAt, deathsAt, SCENARIOS, type Scenario } from './crash-points.ts';
import { playOnAll, playSlices } from './many.ts';
import { missingIn } from './required.ts';
import { simulate } from './simulate.ts';
import type { Tally } from './tally.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    processes: { type: 'string', default: String(availableParallelism()) },
    all: { type: 'boolean', default: false },
    seed: { type: 'string' },
    coverage: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    slices: { type: 'boolean', default: false },
    'crash-points': { type: 'boolean', default: false },
    scenario: { type: 'string' },
    every: { type: 'string', default: '1' },
  },
});

/** From this number of seeds on, every possible combination must occur. */
const ENOUGH_SEEDS = 2_000;
const PROGRESS_SECONDS = 10;
const SHOWN = 10;

if (values.slices) playSlices();
else if (values.seed !== undefined) await one(Number(values.seed));
else if (values['crash-points']) await everyCrash();
else await many();

async function one(seed: number): Promise<void> {
  const { trace, broken, message } = await simulate(seed);
  console.log(trace().join('\n'));
  console.log(broken ? `\nBROKEN ${broken}\n${message}` : '\nEverything held.');
  process.exitCode = broken ? 1 : 0;
}

async function many(): Promise<void> {
  const begun = Date.now();
  const seconds = () => (Date.now() - begun) / 1000;
  let nextLine = PROGRESS_SECONDS;
  let shown = 0;
  const heard = (tally: Tally) => {
    for (; shown < tally.broken.length; shown += 1) showBroken(tally, shown);
    if (values.json || seconds() < nextLine) return;
    nextLine = seconds() + PROGRESS_SECONDS;
    const pace = (tally.seeds / seconds()).toFixed(0);
    console.log(`${tally.seeds.toLocaleString('en')} seeds, ${pace} a second`);
  };
  const slice = { from: Number(values.from), seeds: Number(values.seeds), goesOn: values.all };
  const tally = await playOnAll(slice, Number(values.processes), heard);
  if (tally.broken.length > 0) process.exitCode = 1;
  else if (values.json) console.log(JSON.stringify(tally));
  if (!values.json) showSum(tally, seconds());
}

function showBroken({ broken }: Tally, at: number): void {
  const found = broken[at];
  if (found === undefined) return;
  const { seed, invariant, message, trace } = found;
  if (at < SHOWN) console.log(`${trace.join('\n')}\n`);
  console.log(`seed ${seed} BROKEN ${invariant}: ${message}`);
  console.log(`replay: npm run simulate -- --seed ${seed}`);
}

function showSum({ seeds, figures, cells, broken }: Tally, seconds: number): void {
  const many = (number: number) => number.toLocaleString('en');
  console.log(
    `${many(seeds)} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(0)} a second): ` +
      (broken.length === 0
        ? 'every invariant held after every operation'
        : `an invariant broke in ${broken.length}`),
  );
  console.log(
    `${many(figures.migrations)} migrations, of which ${many(figures.committed)} were committed · ` +
      `${many(figures.hooks)} hooks · ${many(figures.invocations)} invocations · ` +
      `${many(figures.operations)} operations · ${many(figures.faults)} faults · ` +
      `${many(figures.deaths)} deaths of functions`,
  );
  const seen = new Map(Object.entries(cells));
  const missing = seeds < ENOUGH_SEEDS ? [] : missingIn(seen);
  console.log(`${seen.size} combinations of status, step and fault were seen`);
  for (const cell of missing) console.log(`never seen: ${cell}`);
  if (missing.length > 0) process.exitCode = 1;
  if (!values.coverage) return;
  for (const [cell, times] of [...seen].sort())
    console.log(`${String(times).padStart(8)}  ${cell}`);
}

async function everyCrash(): Promise<void> {
  const scenarios = Object.keys(SCENARIOS).filter(isScenario);
  for (const scenario of scenarios.filter((one) => one === (values.scenario ?? one))) {
    let [deaths, moments] = [0, 0];
    for (; ; moments += Number(values.every)) {
      const whole = await crashAt(scenario, -1, 'killed-before', moments);
      if (hasBroken(scenario, whole, `moment ${moments}`)) return;
      if (moments > 0 && !whole.isEntered) break;
      for (const [at, access] of whole.operations.entries()) {
        for (const kind of deathsAt(access)) {
          const run = await crashAt(scenario, at, kind, moments);
          if (hasBroken(scenario, run, `moment ${moments}, operation ${at} ${kind}`)) return;
        }
      }
      deaths += whole.operations.length;
    }
    console.log(
      `${scenario}: a death before and after each of ${deaths} operations, and everything held` +
        (moments > 1 ? `, whichever of ${moments} moments somebody came in at` : ''),
    );
  }
}

function hasBroken(scenario: Scenario, { outcome }: CrashRun, where: string): boolean {
  if (outcome.broken === undefined) return false;
  console.log(outcome.trace().slice(-60).join('\n'));
  console.log(`\n${scenario}, ${where} BROKEN ${outcome.broken}: ${outcome.message}`);
  process.exitCode = 1;
  return true;
}

function isScenario(name: string): name is Scenario {
  return name in SCENARIOS;
}
