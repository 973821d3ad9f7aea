/** The sum of many seeds: counts, combinations that were seen, and seeds that broke something. */
import { Coverage } from './coverage.ts';
import { COUNTED, type Figures, type Outcome } from './simulate.ts';

/** A seed in which an invariant broke. */
export interface Broken {
  readonly seed: number;
  readonly invariant: string;
  readonly message: string;
  /** The end of its trace. */
  readonly trace: readonly string[];
}

/** As it is passed between processes. */
export interface Tally {
  readonly seeds: number;
  readonly figures: Figures;
  readonly cells: Readonly<Record<string, number>>;
  readonly broken: readonly Broken[];
}

const LAST_LINES = 40;

export const NOTHING: Tally = {
  seeds: 0,
  figures: {
    migrations: 0,
    committed: 0,
    hooks: 0,
    invocations: 0,
    operations: 0,
    faults: 0,
    deaths: 0,
  },
  cells: {},
  broken: [],
};

export function tallyOf({ seed, broken, message = '', trace, figures, coverage }: Outcome): Tally {
  const found =
    broken === undefined
      ? []
      : [{ seed, invariant: broken, message, trace: trace().slice(-LAST_LINES) }];
  return { seeds: 1, figures, cells: Object.fromEntries(coverage.cells), broken: found };
}

export function sum(one: Tally, other: Tally): Tally {
  const coverage = new Coverage();
  for (const { cells } of [one, other])
    for (const [cell, times] of Object.entries(cells)) coverage.add(cell, times);
  const figures = { ...one.figures };
  for (const name of COUNTED) figures[name] += other.figures[name];
  return {
    seeds: one.seeds + other.seeds,
    figures,
    cells: Object.fromEntries(coverage.cells),
    broken: [...one.broken, ...other.broken],
  };
}
