/**
 * An operator who cancels a move at every moment of it, retries a halted commit, or copies a move
 * ahead; alone, repeatedly, and beside a second operator.
 */
import type { OperationAnswer } from '../../lambdas/domain/operating/operations.ts';
import { itemOf } from '../support/builders.ts';
import { MINUTE, SECOND } from '../support/clock.ts';
import type { Entry, Script } from './crash-points.ts';
import { must } from './invariants.ts';
import type { Actor } from './scheduler.ts';
import { TENANT, type World } from './world.ts';

type Verb = 'cancel' | 'retry' | 'ahead';

const isOperators = (verb: Verb) => (actor: Actor) => actor.name.startsWith(verb);
const statusIn = (world: World) => world.migrations()[0]?.status;

/** At every operation of the move, as long as there is something to cancel. */
const cancel = {
  habits: {},
  hits: isOperators('cancel'),
  isEntry: (world, actor) =>
    !actor.name.startsWith('cancel') && ['scheduled', 'copying'].includes(statusIn(world) ?? ''),
  end: (world) => {
    const times = stepsOfOperator(world).length;
    must('same answer again', times <= 1, () => `cancelled ${times} times`);
  },
} as const satisfies Script;

export const CANCELS = {
  'a cancel that is said until it is heard, and then again': {
    ...cancel,
    async beside(world, entry) {
      if (!(await comesIn(world, entry))) return;
      const first = await askUntilHeard(world, 'cancel');
      checkServing(world, first);
      const second = await askUntilHeard(world, 'cancel');
      must(
        'same answer again',
        first.outcome === second.outcome && first.outcome !== 'left-alone',
        () => `first ${first.message}; and then ${second.message}`,
      );
      // The record says so: a death between the record and its history leaves no entry.
      const isCancelled = world.migrations()[0]?.error?.reason === 'cancelled by operator one';
      must(
        'same answer again',
        isCancelled === (first.outcome === 'cancelled'),
        () => `${first.message}, and the record says something else`,
      );
    },
  },
  'a cancel that nobody says again': {
    ...cancel,
    async beside(world, entry) {
      if (await comesIn(world, entry)) await ask(world, 'cancel');
    },
  },
} as const satisfies Record<string, Script>;

const retry = {
  habits: {},
  hits: isOperators('retry'),
  end: (world) => {
    const [migration] = world.migrations();
    const attempts = world.app.workflows.runs().filter(({ run }) => run.phase === 'commit').length;
    must('it ends', migration?.status === 'committed', () => `it is ${migration?.status}`);
    must('same answer again', attempts === 2, () => `the commit was attempted ${attempts} times`);
  },
} as const satisfies Script;

export const RETRIES = {
  'a retry of a halted commit that is said until it is heard, and then again': {
    ...retry,
    async beside(world) {
      await haltAndMend(world);
      const first = await askUntilHeard(world, 'retry');
      checkRetried(first);
      checkRetried(await askUntilHeard(world, 'retry'));
    },
  },
  'a retry of a halted commit by two at once': {
    ...retry,
    isEntry: (_, actor) => actor.name === 'retry@us by one',
    async beside(world, entry) {
      let isDone = false;
      await haltAndMend(world);
      world.timeline.spawn('another operator', async () => {
        await entry.reached;
        checkRetried(await askUntilHeard(world, 'retry', 'another'));
        isDone = true;
      });
      checkRetried(await askUntilHeard(world, 'retry'));
      // The second operator does not enter after the last operation of the first.
      for (let pauses = 0; !isDone && pauses < 100; pauses += 1) await world.timeline.sleep(SECOND);
    },
  },
} as const satisfies Record<string, Script>;

/** There are two hours until the window. */
const ahead = { habits: { isHasty: false } } as const satisfies Script;

/** The phase ahead, what follows behind the fence, and its rollback. */
export const AHEADS = {
  'copy ahead and commit': {
    ...ahead,
    async beside(world) {
      await copiedAhead(world);
    },
    end: (world) => {
      const [migration] = world.migrations();
      const isWhole =
        migration?.status === 'committed' && migration.ahead?.finishedAt !== undefined;
      must('it ends', isWhole, () => `it is ${migration?.status}, copied ahead or not`);
    },
  },
  'copy ahead and cancel': {
    ...ahead,
    async beside(world) {
      await copiedAhead(world);
      await askUntilHeard(world, 'cancel');
    },
    end: isUndone,
  },
  'a cancel at every moment of the phase ahead': {
    ...ahead,
    hits: isOperators('cancel'),
    isEntry: (world, actor) =>
      !actor.name.startsWith('cancel') && world.migrations()[0]?.phase === 'ahead',
    async beside(world, entry) {
      world.timeline.spawn('who cancels', async () => {
        await entry.reached;
        await askUntilHeard(world, 'cancel');
      });
      await askScheduled(world);
    },
    // After the last moment nobody cancels.
    end: (world) => {
      const [migration] = world.migrations();
      if (migration?.error !== undefined || migration?.status !== 'committed') isUndone(world);
    },
  },
} as const satisfies Record<string, Script>;

async function askScheduled(world: World): Promise<void> {
  while (statusIn(world) !== 'scheduled') await world.timeline.sleep(SECOND);
  await askUntilHeard(world, 'ahead');
}

/** Returns when everything was copied ahead. */
async function copiedAhead(world: World): Promise<void> {
  await askScheduled(world);
  while (world.migrations()[0]?.ahead?.finishedAt === undefined)
    await world.timeline.sleep(10 * SECOND);
}

/** What the target held, `checkEnd` looks at. */
function isUndone(world: World): void {
  const [migration] = world.migrations();
  const isOver = migration?.status === 'rolled-back' && migration.startedAt === undefined;
  must('it ends', isOver, () => `it is ${migration?.status}, started at ${migration?.startedAt}`);
}

/** Whether the operator entered before the move was committed. */
async function comesIn({ timeline, migrations }: World, { reached }: Entry): Promise<boolean> {
  const comes = reached.then(() => true);
  const isMissed = async () => {
    while (migrations()[0]?.status !== 'committed') await timeline.sleep(MINUTE);
    return false;
  };
  return Promise.race([comes, isMissed()]);
}

/**
 * A writer that does not ask the guard writes; the commit halts, and the wrong item is removed
 * again.
 */
async function haltAndMend({ app, timeline, truth, migrations }: World): Promise<void> {
  const stranger = itemOf(TENANT, 'stranger', 'stranger');
  while (migrations()[0]?.status !== 'ready-to-commit') await timeline.sleep(SECOND);
  truth.landed(`templates ${TENANT} stranger`, 'stranger');
  app.datasets.put('us', 'templates', stranger);
  while (migrations()[0]?.halted === undefined) await timeline.sleep(SECOND);
  app.datasets.remove('us', 'templates', stranger);
}

function checkRetried({ outcome, status, message }: OperationAnswer): void {
  const isLegal =
    outcome === 'retried' ||
    outcome === 'left-alone' ||
    (outcome === 'refused' && status === 'committed');
  must('same answer again', isLegal, () => message);
}

/**
 * Once the operator has the answer, the source serves again, and a migration that never began holds
 * no window.
 */
function checkServing({ app }: World, { outcome, status }: OperationAnswer): void {
  if (outcome !== 'cancelled') return;
  const state = app.tenants.peek('us', TENANT)?.state;
  must('same answer again', state === 'active', () => `cancelled, and the tenant is ${state}`);
  const slots = app.slots.peek('us').length;
  const isFree = status !== 'rolled-back' || slots === 0;
  must('it ends', isFree, () => `cancelled, and ${slots} windows are held`);
}

/** The steps that the operator has taken, by the history. */
const stepsOfOperator = ({ app, migrations }: World) =>
  migrations().flatMap((migration) =>
    app.migrations
      .peekHistory(migration)
      .filter(
        ({ actor, status }) =>
          actor.startsWith('operator') && ['failed', 'rolled-back'].includes(status),
      ),
  );

/** Asks once. An execution that it started runs, even if the asking function died. */
async function ask(world: World, verb: Verb, who = 'one'): Promise<OperationAnswer | undefined> {
  const { app, timeline, migrations } = world;
  const [{ ledger, tenant, id } = {}] = migrations();
  const name = `${verb}@us by ${who}`;
  const call = () => app.realm('us').operate({ verb, actor: who, ledger, tenant, id });
  const answer = await timeline.invoke(name, 60 * SECOND, call).catch(() => undefined);
  if (answer) timeline.note(`operator ${who}: ${verb} → ${answer.outcome}: ${answer.message}`);
  world.follow();
  return answer;
}

async function askUntilHeard(world: World, verb: Verb, who?: string): Promise<OperationAnswer> {
  for (;;) {
    const answer = await ask(world, verb, who);
    if (answer) return answer;
    await world.timeline.sleep(5 * SECOND);
  }
}
