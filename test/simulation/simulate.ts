/** Plays one seed: who is in its world, which faults happen, and whether every invariant held. */
import type { Migration } from '../../lambdas/domain/moving/migration.ts';
import { HOUR, MINUTE } from '../support/clock.ts';
import { atlassian, type Habits } from './atlassian.ts';
import type { Coverage } from './coverage.ts';
import type { DoorName } from './doors.ts';
import { checkAlways, checkEnd, InvariantBroken } from './invariants.ts';
import {
  cancelLast,
  copiesAhead,
  copiesAheadLate,
  mend,
  operator,
  rogue,
  tamper,
  user,
} from './people.ts';
import { type Random, seeded } from './random.ts';
import { Endless, type FaultKind, type FaultPlan } from './scheduler.ts';
import { world as newWorld, REALMS, type World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  /** Name of the invariant, or of the error, that ended the run. */
  readonly broken?: string;
  readonly message?: string;
  readonly trace: () => readonly string[];
  readonly figures: Figures;
  readonly coverage: Coverage;
}

/** The counts of a run. */
export type Figures = Readonly<Record<(typeof COUNTED)[number], number>>;
export const COUNTED = [
  'migrations',
  'committed',
  'hooks',
  'invocations',
  'operations',
  'faults',
  'deaths',
] as const;

const FAULTS: readonly FaultKind[] = ['killed-before', 'killed-after', 'refused', 'reply-lost'];

export async function simulate(seed: number): Promise<Outcome> {
  const random = seeded(seed);
  const focus = random.chance(0.6) ? random.pick(FOCUS) : undefined;
  const faults = bounded(random, focus);
  const luck = (chance: number, rate: number) => (random.chance(chance) ? rate : 0);
  const habits: Habits = {
    moves: 1 + random.below(3),
    doubles: random.chance(0.5) ? 0.25 : 0,
    loses: random.chance(0.5) ? 0.25 : 0.02,
    cancels: random.chance(0.3) ? 0.3 : 0,
    // The step that a run focuses on must occur in it.
    cancelsLate: focus !== undefined && ROLLBACK.includes(focus) ? 0.7 : luck(0.3, 0.3),
    supersedes: random.chance(isAhead(seed) ? 0.6 : 0.2) ? 0.4 : 0,
    // Only before a window that is still to come is there time to copy ahead.
    isHasty: random.chance(isAhead(seed) ? 0.2 : 0.6),
    isImpatient: random.chance(focus === 'start' ? 0.8 : 0.3),
    writesLast: random.chance(0.4) ? 0.6 : 0,
    regrets: focus !== undefined && RESTORE.includes(focus) ? 1 : luck(0.25, 0.5),
    isNameless: random.chance(0.15),
  };
  const isDisturbed = {
    lifecycle: random.chance(0.35),
    writers: random.chance(0.8),
    tampers: random.chance(0.08),
    rogue: random.chance(0.04),
    operator: focus === 'cancel' || focus === 'retry' || focus === 'set' || random.chance(0.15),
  };
  const world = newWorld({
    random,
    faults,
    check: checkAlways,
    ...((focus === 'cancel' || random.chance(0.1)) && { sees: hurried }),
    hasPast: focus === 'clearTargetRange' || random.chance(0.2),
    isAheadLate: isAheadLate(seed),
    through: DOORS[seed % DOORS.length] ?? 'connect',
  });
  return play(world, seed, async () => {
    const { timeline } = world;
    let [isOver, isCalm] = [false, !isDisturbed.lifecycle];
    const admin = atlassian(world, habits);
    timeline.spawn('Atlassian', async () => {
      await admin.run();
      isOver = true;
    });
    timeline.spawn('EventBridge', () => janitors(world, () => isOver && isCalm));
    if (isDisturbed.writers) {
      for (const name of ['one', 'two'])
        timeline.spawn(`user ${name}`, () => user(world, name, () => isOver));
    }
    if (isDisturbed.lifecycle) {
      timeline.spawn('the customer', async () => {
        for (let times = 1 + random.below(3); times > 0; times -= 1) {
          await timeline.sleep(random.below(habits.isHasty ? 40 : 240) * MINUTE);
          if (random.chance(0.3)) await admin.uninstall();
          if (random.chance(0.5)) await timeline.sleep(random.below(20) * MINUTE);
          if (random.chance(0.75)) await admin.install();
          // Twice in a second, so that the tokens' times are the same.
          if (random.chance(0.2)) await admin.install();
        }
        isCalm = true;
      });
    }
    if (isDisturbed.rogue) {
      timeline.spawn('the operator', async () => {
        for (; !(isOver && isCalm); await timeline.sleep(10 * MINUTE)) await mend(world);
      });
    }
    if (isDisturbed.operator) timeline.spawn('an operator', () => operator(world, () => isOver));
    const copies = isAheadLate(seed) ? copiesAheadLate : copiesAhead;
    if (isAhead(seed)) timeline.spawn('who copies ahead', () => copies(world, () => isOver));
    if (isDisturbed.rogue) timeline.spawn('a rogue', () => rogue(world, () => isOver));
    if (isDisturbed.tampers) timeline.spawn('somebody', () => tamper(world));
    await timeline.run(() => isOver && isCalm);
    await endOf(world, faults);
  });
}

/** Chosen by the seed itself, so that another entry changes no other random decision. */
const DOORS: readonly DoorName[] = ['connect', 'connect', 'forge', 'connect', 'both'];

/** By the seed itself, for the same reason. */
const isAhead = (seed: number) => seed % 5 === 4;
const isAheadLate = (seed: number) => seed % 10 === 9;

function hurried(world: World, task: string, migration: Migration): void {
  if (task !== 'finishCopy') return;
  world.timeline.spawn('an operator in a hurry', () => cancelLast(world, migration));
}

/** Runs, and returns how it ended: a broken invariant and an endless run are outcomes too. */
export async function play(world: World, seed: number, run: () => Promise<void>): Promise<Outcome> {
  const failure = await run().then(
    () => undefined,
    (error: unknown) => failureOf(error),
  );
  const { coverage, timeline } = world;
  return { seed, ...failure, trace: timeline.trace, figures: figuresOf(world), coverage };
}

function figuresOf({ hooks, migrations, timeline }: World): Figures {
  const moved = migrations().filter(({ facts }) => facts !== undefined);
  const committed = moved.filter(({ status }) => status === 'committed').length;
  return { ...timeline.done, hooks: hooks.sent, migrations: moved.length, committed };
}

function failureOf(error: unknown): { readonly broken: string; readonly message: string } {
  const { message = String(error) } = error instanceof Error ? error : {};
  const broken = nameOf(error);
  const isExpected = broken !== 'an unexpected error';
  return { broken, message: isExpected ? message : `${message}\n${Object(error).stack}` };
}

function nameOf(error: unknown): string {
  if (error instanceof InvariantBroken) return error.invariant;
  return error instanceof Endless ? 'it ends' : 'an unexpected error';
}

/** The faults are over, and time passes: everything must end by itself. */
export async function endOf(world: World, faults: { stop(): void }): Promise<void> {
  faults.stop();
  world.timeline.hurry();
  const { timeline, clock, app } = world;
  const until = clock.now() + 40 * HOUR;
  let isDone = false;
  timeline.spawn('the end', async () => {
    // Requests that are still on their way arrive, and executions end.
    await timeline.sleep(30 * MINUTE);
    const isOpen = () =>
      app.workflows.running().length > 0 ||
      world.migrations().some(({ status }) => status !== 'committed' && status !== 'rolled-back') ||
      REALMS.some((realm) => app.slots.peek(realm).length > 0);
    while (isOpen() && clock.now() < until) {
      for (const realm of REALMS) await world.janitor(realm);
      await mend(world);
      world.follow();
      await timeline.sleep(20 * MINUTE);
    }
    isDone = true;
  });
  await timeline.run(() => isDone);
  checkAlways(world);
  checkEnd(world);
}

/**
 * Runs the janitor in every realm every few minutes, and starts new executions after every few
 * operations.
 */
export async function janitors(
  { timeline, janitor, follow }: World,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    await timeline.sleep(5 * MINUTE);
    for (const realm of REALMS) await janitor(realm);
    follow();
  }
}

const RESTORE = ['beginRestore', 'restoreSourceRange', 'finishRestore', 'verifyRange of restore'];
const ROLLBACK = ['beginRollback', 'releaseSource', 'discardTargetRange', 'finishRollback'];
/** What a run may focus its faults on: every function of the workflow, and every hook. */
const FOCUS = [
  ...['prepareCopy', 'clearTargetRange', 'copyRange', 'finishCopy', 'failMigration'],
  ...['beginCommit', 'passPointOfNoReturn', 'purgeSourceRange', 'finishCommit'],
  ...['beginRestore', 'restoreSourceRange', 'finishRestore', 'verifyRange of restore'],
  ...[
    'beginRollback',
    'releaseSource',
    'discardTargetRange',
    'finishRollback',
    'settle',
    'janitor',
  ],
  ...['schedule', 'start', 'status', 'commit', 'rollback', 'installed', 'uninstalled'],
  ...['cancel', 'retry', 'set'],
];

/** The share of functions that are paused: of those in focus, and of all others. */
const SLEEPY = 0.6;
const SLEEPY_AT_ALL = 0.01;

/** A few faults, at random or on one function; none after `stop`. */
function bounded(random: Random, focus: string | undefined): FaultPlan & { stop(): void } {
  let left = random.chance(0.2) ? 0 : 1 + random.below(10);
  const rate = random.chance(0.3) ? 0.05 : 0.01;
  const kinds = random.chance(0.3) ? [random.pick(FAULTS)] : FAULTS;
  let isOver = false;
  return {
    next({ name }) {
      if (left === 0 || (focus !== undefined && !name.startsWith(focus))) return undefined;
      if (!random.chance(focus === undefined ? rate : 0.35)) return undefined;
      left -= 1;
      return random.pick(kinds);
    },
    sleeps({ name }) {
      if (isOver) return false;
      return random.chance(focus !== undefined && name.startsWith(focus) ? SLEEPY : SLEEPY_AT_ALL);
    },
    stop() {
      left = 0;
      isOver = true;
    },
  };
}
