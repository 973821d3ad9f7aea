/**
 * Exhaustively: a death before, and after, every single operation in turn, and whoever else comes in at every moment in turn;
 * what really happens next must mend it.
 */
import { atlassian, type Habits } from './atlassian.ts';
import { checkAlways } from './invariants.ts';
import { CANCELS, RETRIES } from './operator-points.ts';
import { user } from './people.ts';
import { PURGES } from './purge-points.ts';
import { seeded } from './random.ts';
import type { Actor, FaultKind, FaultPlan } from './scheduler.ts';
import { endOf, janitors, type Outcome, play } from './simulate.ts';
import { world as newWorld, type World, type WorldOptions } from './world.ts';

/** A story that is played again and again, each time with another death, and another moment at which somebody comes in. */
export interface Script {
  readonly world?: Partial<Pick<WorldOptions, 'items' | 'check'>>;
  /** What Atlassian does, beside its janitors and a user; without it, nobody is there whom the script does not bring. */
  readonly habits?: Partial<Habits>;
  /** Whose operations are hit: those of every Lambda, unless it is said. */
  readonly hits?: (actor: Actor) => boolean;
  /** Whether somebody could come in at this operation. */
  readonly isEntry?: (world: World, actor: Actor) => boolean;
  /** What goes on beside Atlassian's move; `entry` holds once it is time to come in. */
  readonly beside?: (world: World, entry: Entry) => Promise<void>;
  /** What must be so when everything has come to its end. */
  readonly end?: (world: World) => void;
}

export interface Entry {
  /** Of all moments at which somebody could come in, counted from 0. */
  readonly at: number;
  readonly reached: Promise<void>;
  /** For a script that has its own way of coming in. */
  reach(): void;
}

export const SCENARIOS = {
  'copy and commit': { habits: {} },
  'copy and rollback': { habits: { cancelsLate: 1 } },
  'commit, restore and rollback': { habits: { regrets: 1 } },
  ...PURGES,
  ...CANCELS,
  ...RETRIES,
} as const satisfies Record<string, Script>;
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
  /** Whether the moment to come in came. */
  readonly isEntered: boolean;
}

/** Plays a scenario in order of arrival; the operation with this number is hit, or none. */
export async function crashAt(
  scenario: Scenario,
  at: number,
  kind: FaultKind,
  moment = 0,
): Promise<CrashRun> {
  const script: Script = SCENARIOS[scenario];
  const rateLimit = Promise.withResolvers<void>();
  let [operations, moments] = [0, 0];
  let [isOn, isEntered] = [true, false];
  const entry: Entry = {
    at: moment,
    reached: rateLimit.promise,
    reach() {
      isEntered = true;
      rateLimit.resolve();
    },
  };
  const faults: FaultPlan & { stop(): void } = {
    next(actor) {
      if (isOn && script.isEntry?.(world, actor)) {
        moments += 1;
        if (moments - 1 === moment) entry.reach();
      }
      if (script.hits?.(actor) === false) return undefined;
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
  const options = { random, faults, check: checkAlways, isFair: true, items: 1 };
  const world = newWorld({ ...options, ...script.world });
  let counted = 0;
  const outcome = await play(world, at, async () => {
    await playScript(world, script, entry);
    counted = operations;
    if (script.habits) await endOf(world, faults);
    script.end?.(world);
  });
  return { outcome, operations: counted, isEntered };
}

/** Until Atlassian, and whoever comes in, are done. */
async function playScript(world: World, script: Script, entry: Entry): Promise<void> {
  const { timeline } = world;
  const { habits, beside } = script;
  let [isMoved, isDone] = [habits === undefined, beside === undefined];
  const isOver = () => isMoved && isDone;
  if (habits) {
    const admin = atlassian(world, { ...QUIET, ...habits, target: 'de' });
    timeline.spawn('Atlassian', async () => {
      await admin.run();
      isMoved = true;
    });
    timeline.spawn('EventBridge', () => janitors(world, isOver));
    timeline.spawn('a user', () => user(world, 'one', () => isMoved));
  }
  if (beside) {
    timeline.spawn('somebody beside', async () => {
      await beside(world, entry);
      isDone = true;
    });
  }
  await timeline.run(isOver);
}
