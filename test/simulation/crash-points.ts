/**
 * Exhaustive crashes: a death before and after every single operation in turn, and a second actor
 * that enters at every moment in turn. The ordinary retries must mend it.
 */
import type { Operation } from '../support/in-memory-cells.ts';
import { atlassian, type Habits } from './atlassian.ts';
import { checkAlways } from './invariants.ts';
import { AHEADS, CANCELS, RETRIES } from './operator-points.ts';
import { user } from './people.ts';
import { PURGES } from './purge-points.ts';
import { seeded } from './random.ts';
import type { Actor, FaultKind, FaultPlan } from './scheduler.ts';
import { endOf, janitors, type Outcome, play } from './simulate.ts';
import { world as newWorld, type World, type WorldOptions } from './world.ts';

/**
 * A story that is played once for each death, and for each moment at which a second actor enters.
 */
export interface Script {
  readonly world?: Partial<Pick<WorldOptions, 'items' | 'check'>>;
  /**
   * Atlassian's habits, beside its janitors and a user; without them only the script's own actors
   * act.
   */
  readonly habits?: Partial<Habits>;
  /** The actors whose operations are hit; all Lambdas where it is left out. */
  readonly hits?: (actor: Actor) => boolean;
  /** Whether a second actor may enter at this operation. */
  readonly isEntry?: (world: World, actor: Actor) => boolean;
  /** The second actor's work; `entry` resolves when it is time to enter. */
  readonly beside?: (world: World, entry: Entry) => Promise<void>;
  /** Checks the end of the story. */
  readonly end?: (world: World) => void;
}

export interface Entry {
  /** The number of the moment, from 0, among all moments at which the second actor may enter. */
  readonly at: number;
  readonly reached: Promise<void>;
  /** For a script that decides itself when to enter. */
  reach(): void;
}

export const SCENARIOS = {
  'copy and commit': { habits: {} },
  'copy and rollback': { habits: { cancelsLate: 1 } },
  'commit, restore and rollback': { habits: { regrets: 1 } },
  ...PURGES,
  ...CANCELS,
  ...RETRIES,
  ...AHEADS,
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

type Access = Operation['access'];

export interface CrashRun {
  readonly outcome: Outcome;
  /** What each operation of a Lambda was, of which number `at` was hit. */
  readonly operations: readonly Access[];
  /** Whether the moment to enter was reached. */
  readonly isEntered: boolean;
}

/**
 * A function that dies after a read has left behind what one leaves that dies before it: nothing.
 */
export const deathsAt = (access: Access): readonly FaultKind[] =>
  access === 'write' ? ['killed-before', 'killed-after'] : ['killed-before'];

/** Plays a scenario in order of arrival, and hits the operation with this number, or none. */
export async function crashAt(
  scenario: Scenario,
  at: number,
  kind: FaultKind,
  moment = 0,
): Promise<CrashRun> {
  const script: Script = SCENARIOS[scenario];
  const rateLimit = Promise.withResolvers<void>();
  const operations: Access[] = [];
  let moments = 0;
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
    next(actor, { access }) {
      if (isOn && script.isEntry?.(world, actor)) {
        moments += 1;
        if (moments - 1 === moment) entry.reach();
      }
      if (script.hits?.(actor) === false) return undefined;
      operations.push(access);
      return isOn && operations.length - 1 === at ? kind : undefined;
    },
    sleeps: () => false,
    stop() {
      isOn = false;
    },
  };
  // The same random numbers each time: only the death differs.
  const random = seeded(7);
  const options = { random, faults, check: checkAlways, isFair: true, items: 1 };
  const world = newWorld({ ...options, ...script.world });
  let counted: readonly Access[] = [];
  const outcome = await play(world, at, async () => {
    await playScript(world, script, entry);
    counted = [...operations];
    if (script.habits) await endOf(world, faults);
    script.end?.(world);
  });
  return { outcome, operations: counted, isEntered };
}

/** Plays until Atlassian and the second actor are done. */
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
