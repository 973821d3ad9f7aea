/** Exhaustively: a death before, and after, every single operation of a move in turn; what really happens next must mend it. */
import { atlassian, type Habits } from './atlassian.ts';
import { checkAlways } from './invariants.ts';
import { user } from './people.ts';
import { seeded } from './random.ts';
import type { FaultKind, FaultPlan } from './scheduler.ts';
import { endOf, janitors, type Outcome, play } from './simulate.ts';
import { world as newWorld } from './world.ts';

/** What Atlassian does in a run of one move, and how the phases come into it. */
export const SCENARIOS = {
  'copy and commit': {},
  'copy and rollback': { cancelsLate: 1 },
  'commit, restore and rollback': { regrets: 1 },
} as const;
export type Scenario = keyof typeof SCENARIOS;

const QUIET: Habits = {
  moves: 1,
  doubles: 0,
  loses: 0,
  cancels: 0,
  cancelsLate: 0,
  supersedes: 0,
  isHasty: true,
  isImpatient: false,
  writesLast: 0,
  regrets: 0,
  isNameless: false,
};

export interface CrashRun {
  readonly outcome: Outcome;
  /** Operations of Lambdas, of which number `at` was hit. */
  readonly operations: number;
}

/** Plays a scenario in order of arrival; the operation with this number is hit, or none. */
export async function crashAt(scenario: Scenario, at: number, kind: FaultKind): Promise<CrashRun> {
  let operations = 0;
  let isOn = true;
  const faults: FaultPlan & { stop(): void } = {
    next() {
      operations += 1;
      return isOn && operations - 1 === at ? kind : undefined;
    },
    sleeps: () => false,
    stop() {
      isOn = false;
    },
  };
  // The same luck each time: only the death differs.
  const random = seeded(7);
  const world = newWorld({ random, faults, check: checkAlways, isFair: true, items: 1 });
  let counted = 0;
  const outcome = await play(world, at, async () => {
    const { timeline } = world;
    let isOver = false;
    const admin = atlassian(world, { ...QUIET, ...SCENARIOS[scenario], target: 'de' });
    timeline.spawn('Atlassian', async () => {
      await admin.run();
      isOver = true;
    });
    timeline.spawn('EventBridge', () => janitors(world, () => isOver));
    timeline.spawn('a user', () => user(world, 'one', () => isOver));
    await timeline.run(() => isOver);
    counted = operations;
    await endOf(world, faults);
  });
  return { outcome, operations: counted };
}
