/** One seed, one world: who is in it, what goes wrong, and whether everything held. */
import { partitionsOf } from '../../lambdas/domain/dataset.ts';
import { itemOf } from '../support/builders.ts';
import { HOUR, MINUTE, SECOND } from '../support/clock.ts';
import { atlassian, type Habits } from './atlassian.ts';
import type { Coverage } from './coverage.ts';
import { checkAlways, checkEnd, InvariantBroken } from './invariants.ts';
import { type Random, seeded } from './random.ts';
import { Endless, type FaultKind, type FaultPlan } from './scheduler.ts';
import { world as newWorld, REALMS, TENANT, type World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  /** Name of the invariant, or of the error, that ended the run. */
  readonly broken?: string;
  readonly message?: string;
  readonly trace: () => readonly string[];
  readonly figures: Figures;
  readonly coverage: Coverage;
}

/** How much there was of what. */
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
    // What a run has it in for must come up in it.
    cancelsLate: focus !== undefined && ROLLBACK.includes(focus) ? 0.7 : luck(0.3, 0.3),
    supersedes: random.chance(0.2) ? 0.4 : 0,
    isHasty: random.chance(0.6),
    isImpatient: random.chance(0.3),
    regrets: focus !== undefined && RESTORE.includes(focus) ? 1 : luck(0.25, 0.5),
    isNameless: random.chance(0.1),
  };
  const isDisturbed = {
    lifecycle: random.chance(0.35),
    writers: random.chance(0.8),
    tampers: random.chance(0.08),
    rogue: random.chance(0.04),
  };
  const world = newWorld({
    random,
    faults,
    check: checkAlways,
    hasPast: focus === 'clearTargetRange' || random.chance(0.2),
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
          // Twice in a second, which tokens cannot tell apart by their time.
          if (random.chance(0.2)) await admin.install();
        }
        isCalm = true;
      });
    }
    if (isDisturbed.rogue) {
      timeline.spawn('the operator', async () => {
        for (; !(isOver && isCalm); await timeline.sleep(10 * MINUTE)) await operate(world);
      });
    }
    if (isDisturbed.rogue) timeline.spawn('a rogue', () => rogue(world, () => isOver));
    if (isDisturbed.tampers) timeline.spawn('somebody', () => tamper(world));
    await timeline.run(() => isOver && isCalm);
    await endOf(world, faults);
  });
}

/** What an operator does about a commit that is halted: looks, and has it rolled back. */
async function operate(world: World): Promise<void> {
  const { timeline, app, site } = world;
  const halted = world.migrations().find((migration) => migration.halted);
  if (halted === undefined || world.rogue === undefined) return;
  world.rogue = undefined;
  const undone = () =>
    timeline.invoke('operator', 60 * SECOND, () =>
      app.realm(halted.source).migrations.rollBack(halted, 'operator'),
    );
  while (
    !(await undone().then(
      () => true,
      () => false,
    ))
  )
    await timeline.sleep(MINUTE);
  site.home = halted.source;
}

/** Runs, and says how it ended; a broken invariant and an endless run are outcomes alike. */
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

/** The faults are over, and time passes: everything must come to its end by itself. */
export async function endOf(world: World, faults: { stop(): void }): Promise<void> {
  faults.stop();
  world.timeline.hurry();
  const { timeline, clock, app } = world;
  const until = clock.now() + 40 * HOUR;
  let isDone = false;
  timeline.spawn('the end', async () => {
    // What is still on its way arrives, and what runs comes to its end.
    await timeline.sleep(30 * MINUTE);
    const isOpen = () =>
      app.workflows.running().length > 0 ||
      world.migrations().some(({ status }) => status !== 'committed' && status !== 'rolled-back') ||
      REALMS.some((realm) => app.ledger.peekSlots(realm).length > 0);
    while (isOpen() && clock.now() < until) {
      for (const realm of REALMS) await world.janitor(realm);
      await operate(world);
      world.follow();
      await timeline.sleep(20 * MINUTE);
    }
    isDone = true;
  });
  await timeline.run(() => isDone);
  checkAlways(world);
  checkEnd(world);
}

/** Every few minutes in every realm, and, after every few things that happened, whatever has been started runs. */
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

/** Writes, one after another, to wherever Atlassian sends; sometimes to where it sent before. */
export async function user(
  { timeline, random, write, parts, site }: World,
  name: string,
  isOver: () => boolean,
): Promise<void> {
  const moving = parts.filter(({ policy }) => policy === 'move');
  for (let number = 0; !isOver() && number < 60; number += 1) {
    const part = random.pick(moving);
    const id = random.chance(0.5) ? `item-${name}-${random.below(3)}` : `new-${name}-${number}`;
    const realm = random.chance(0.1) ? random.pick(REALMS) : site.home;
    await write(
      realm,
      part.name,
      random.pick(partitionsOf(part, TENANT)),
      id,
      random.chance(0.2) ? null : `${name} ${number}`,
    );
    await timeline.sleep(
      random.chance(0.6) ? random.below(30) * SECOND : random.below(40) * MINUTE,
    );
  }
}

/** Corrupts, drops or adds an item in a target that is being copied, where the verification has not looked yet. */
async function tamper({ timeline, random, app, migrations, parts }: World): Promise<void> {
  for (let times = 0; times < 400; times += 1) {
    await timeline.sleep(1 + random.below(4 * SECOND));
    const copying = migrations().find(
      ({ status, source, target }) => status === 'copying' && source !== target,
    );
    if (copying === undefined) {
      if (times % 10 === 0) await timeline.sleep(5 * MINUTE);
      continue;
    }
    const part = random.pick(parts.filter(({ policy }) => policy === 'move'));
    const partition = random.pick(partitionsOf(part, TENANT));
    const found = app.ledger
      .peekRanges(copying.target, copying)
      .filter(({ range }) => range.startsWith(part.name));
    if (found.length === 0 || found.some(({ work }) => work !== 'copy')) continue;
    const [item] = app.datasets.read(copying.target, part.name, partition);
    if (item !== undefined && random.chance(0.3))
      app.datasets.remove(copying.target, part.name, item);
    else
      app.datasets.put(
        copying.target,
        part.name,
        item ? { ...item, text: { S: 'corrupted' } } : itemOf(partition, 'stranger'),
      );
    timeline.note(`somebody tampers with ${part.name} ${partition} in ${copying.target}`);
    return;
  }
}

/** Writes past the guard, into a source that has been verified. The commit must stop before it purges that. */
async function rogue(world: World, isOver: () => boolean): Promise<void> {
  const { timeline, random, app, truth } = world;
  while (!isOver()) {
    await timeline.sleep(1 + random.below(MINUTE));
    const ready = world
      .migrations()
      .find(({ status, source, target }) => status === 'ready-to-commit' && source !== target);
    if (ready === undefined) continue;
    const key = `templates ${TENANT} rogue`;
    truth.landed(key, 'rogue');
    app.datasets.put(ready.source, 'templates', itemOf(TENANT, 'rogue', 'rogue'));
    timeline.note(`a rogue writes past the guard in ${ready.source}`);
    world.rogue = { realm: ready.source, key };
    // What becomes of it when the move is undone is the customer's affair.
    while (world.rogue && !isOver()) {
      await timeline.sleep(SECOND);
      const now = world.migrations().find(({ id }) => id === ready.id);
      if (now?.status === 'rolling-back' || now?.status === 'rolled-back') world.rogue = undefined;
    }
    return;
  }
}

const RESTORE = ['beginRestore', 'restoreSourceRange', 'finishRestore', 'verifyRange'];
const ROLLBACK = ['beginRollback', 'releaseSource', 'discardTargetRange', 'finishRollback'];
/** What a run may have it in for: every function of the workflow, and every hook, has its bad days. */
const FOCUS = [
  ...['prepareCopy', 'clearTargetRange', 'copyRange', 'finishCopy', 'failMigration'],
  ...['beginCommit', 'passPointOfNoReturn', 'purgeSourceRange', 'finishCommit'],
  ...['beginRestore', 'restoreSourceRange', 'finishRestore'],
  ...[
    'beginRollback',
    'releaseSource',
    'discardTargetRange',
    'finishRollback',
    'settle',
    'janitor',
  ],
  ...['schedule', 'start', 'status', 'commit', 'rollback', 'installed', 'uninstalled'],
];

/** A few faults, spread at random, or over one function alone; none once they are over. */
function bounded(random: Random, focus: string | undefined): FaultPlan & { stop(): void } {
  let left = random.chance(0.2) ? 0 : 1 + random.below(10);
  const rate = random.chance(0.3) ? 0.05 : 0.01;
  const kinds = random.chance(0.3) ? [random.pick(FAULTS)] : FAULTS;
  return {
    next({ name }) {
      if (left === 0 || (focus !== undefined && !name.startsWith(focus))) return undefined;
      if (!random.chance(focus === undefined ? rate : 0.35)) return undefined;
      left -= 1;
      return random.pick(kinds);
    },
    stop() {
      left = 0;
    },
  };
}
