/**
 * `npm run simulate -- --seeds 200000 [--from 1] [--coverage]`, `-- --seed N` for one with its trace, and
 * `-- --crash-points [--scenario S]` for a death at every operation. Ends with 1, and a way to replay it, when an invariant is broken.
 */
import { parseArgs } from 'node:util';
import { Coverage } from './coverage.ts';
import { crashAt, SCENARIOS, type Scenario } from './crash-points.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    coverage: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'crash-points': { type: 'boolean', default: false },
    scenario: { type: 'string' },
  },
});

if (values.seed !== undefined) await one(Number(values.seed));
else if (values['crash-points']) await everyCrash();
else await many(Number(values.from), Number(values.seeds));

async function one(seed: number): Promise<void> {
  const { trace, broken, message } = await simulate(seed);
  console.log(trace.join('\n'));
  console.log(broken ? `\nBROKEN ${broken}\n${message}` : '\nEverything held.');
  process.exitCode = broken ? 1 : 0;
}

async function many(from: number, seeds: number): Promise<void> {
  const coverage = new Coverage();
  const begun = Date.now();
  let operations = 0;
  for (let seed = from; seed < from + seeds; seed += 1) {
    const outcome = await simulate(seed);
    coverage.add(outcome.coverage);
    operations += outcome.trace.length;
    if (outcome.broken !== undefined) {
      console.log(outcome.trace.slice(-40).join('\n'));
      console.log(`\nseed ${seed} BROKEN ${outcome.broken}: ${outcome.message}`);
      console.log(`replay: npm run simulate -- --seed ${seed}`);
      process.exitCode = 1;
      return;
    }
  }
  if (values.json) {
    console.log(JSON.stringify({ seeds, operations, cells: Object.fromEntries(coverage.cells) }));
    return;
  }
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  console.log(
    `${seeds} seeds, ${operations} operations, ${seconds} s: every invariant held after every operation`,
  );
  console.log(`${coverage.cells.size} combinations of status, step and fault were seen`);
  if (!values.coverage) return;
  for (const [cell, times] of [...coverage.cells].sort())
    console.log(`${String(times).padStart(8)}  ${cell}`);
}

async function everyCrash(): Promise<void> {
  const scenarios = Object.keys(SCENARIOS) as Scenario[];
  for (const scenario of scenarios.filter((one) => one === (values.scenario ?? one))) {
    const { operations } = await crashAt(scenario, -1, 'killed-before');
    for (let at = 0; at < operations; at += 1) {
      for (const kind of ['killed-before', 'killed-after'] as const) {
        const { outcome } = await crashAt(scenario, at, kind);
        if (outcome.broken === undefined) continue;
        console.log(outcome.trace.slice(-60).join('\n'));
        console.log(
          `\n${scenario}, operation ${at} ${kind} BROKEN ${outcome.broken}: ${outcome.message}`,
        );
        process.exitCode = 1;
        return;
      }
    }
    console.log(
      `${scenario}: a death before and after each of ${operations} operations, and everything held`,
    );
  }
}
