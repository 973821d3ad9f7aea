/**
 * The purge of a retired tenant that comes back during it, or just before a delayed purge goes on.
 */
import { DAY, HOUR, MINUTE, SECOND } from '../support/clock.ts';
import type { Script } from './crash-points.ts';
import { checkNeighbours, must } from './invariants.ts';
import type { Actor } from './scheduler.ts';
import { REALMS, TENANT, type World } from './world.ts';

const HERE = 'us';
/** The last fifteen seconds are a reserve, so that the purge takes several turns. */
const SHORT_TURN = 15 * SECOND + 100;
const LONG_TURN = 5 * MINUTE;
const MOST_TURNS = 100;
/** More than one page in every partition. */
const ITEMS = 5;

const isPurger = ({ name }: Actor) => name.startsWith('purger');
const isAfterUninstalling = ({ name }: Actor) => !name.startsWith('uninstalled');

const base = {
  world: { items: ITEMS, check: checkWhole },
  hits: isAfterUninstalling,
} as const;

export const PURGES = {
  'purge of a retired tenant': {
    ...base,
    async beside(world) {
      await uninstall(world);
      const turns = await purgeUntil(world, HOUR, () => recordIn(world) === undefined);
      must('it ends', turns > 1, () => 'it was to take several turns');
      await purge(world); // finished work is not done again
    },
    end: checkGone,
  },
  'purge and reinstallation': {
    ...base,
    isEntry: (_, actor) => isPurger(actor),
    async beside(world, entry) {
      let [isComing, isBack] = [false, false];
      world.timeline.spawn('the customer', async () => {
        await entry.reached;
        isComing = true;
        await comeBack(world, 20 * MINUTE);
        isBack = true;
      });
      await uninstall(world);
      const isGone = () => recordIn(world) === undefined && !isComing;
      await purgeUntil(world, HOUR, () => isBack || isGone());
      await purge(world);
    },
    end: (world) => (world.site.isInstalled ? checkBack(world) : checkGone(world)),
  },
  'purge, reinstallation, and a purger that wakes at its last moment': late(LONG_TURN),
  'purge, reinstallation, and a purger that wakes in between': late(2 * MINUTE),
} as const satisfies Record<string, Script>;

/**
 * A purge is delayed; another one finishes, the tenant comes back at once, and then the first one
 * goes on.
 */
function late(napsFor: number): Script {
  return {
    ...base,
    async beside(world, entry) {
      const { timeline } = world;
      await uninstall(world);
      let isAwake = false;
      timeline.spawn('somebody who falls asleep', async () => {
        const sleeper = await purge(world, LONG_TURN, { sleepsAt: entry.at, napsFor });
        if ((sleeper.operations ?? -1) >= entry.at) entry.reach();
        isAwake = true;
      });
      await timeline.sleep(SECOND);
      await purgeUntil(world, 10 * SECOND, () => recordIn(world) === undefined, LONG_TURN);
      await comeBack(world, 10 * SECOND);
      while (!isAwake) await timeline.sleep(SECOND);
      await purge(world);
    },
    end: checkBack,
  };
}

const recordIn = ({ app }: World, realm: string = HERE) => app.tenants.peek(realm, TENANT);
const receiptsIn = ({ app }: World) => app.receipts.peekPurges(HERE, TENANT);

/** A month ago, so that the purge is due. */
async function uninstall({ door, site, clock, timeline }: World): Promise<void> {
  const iat = Math.floor(clock.now() / 1000);
  await timeline.invoke(`uninstalled@${HERE}`, 10 * SECOND, () => door.uninstalled(HERE, iat));
  site.isInstalled = false;
  clock.advance(31 * DAY);
}

/** One invocation; the next one mends what a fault left. */
async function purge(
  { app, clock, timeline }: World,
  lasts = SHORT_TURN,
  nap: Pick<Actor, 'sleepsAt' | 'napsFor'> = {},
): Promise<Actor> {
  const deadline = clock.now() + lasts;
  const id = `purge-${timeline.done.invocations}`;
  const actor = { name: `purger@${HERE}`, isLambda: true, deadline, isDead: false, ...nap };
  const purger: Actor = { ...actor, suffered: new Set() };
  await timeline
    .invokeAs(purger, () => app.realm(HERE).purgeRetired({ id, deadline }))
    .catch(() => undefined);
  return purger;
}

/** Turn after turn; returns how many it took. */
async function purgeUntil(
  world: World,
  pause: number,
  isDone: () => boolean,
  lasts = SHORT_TURN,
): Promise<number> {
  for (let turns = 1; ; turns += 1) {
    await purge(world, lasts);
    if (isDone()) return turns;
    must('it ends', turns < MOST_TURNS, () => `not purged after ${turns} turns`);
    await world.timeline.sleep(pause);
  }
}

/** Repeats until it is answered; then the tenant writes into every part at once. */
async function comeBack(world: World, pause: number): Promise<void> {
  const { clock, site, timeline, parts } = world;
  const sharedSecret = world.secretCalled(1);
  for (let isHeard = false; !isHeard; ) {
    const iat = Math.floor(clock.now() / 1000);
    isHeard = await world.installed(HERE, { sharedSecret, iat, number: 1 }, new Set()).then(
      () => true,
      () => false,
    );
    if (!isHeard) await timeline.sleep(pause);
  }
  Object.assign(site, { isInstalled: true, secret: sharedSecret });
  for (const { name, policy } of parts) {
    const partition = name === 'exports' ? `${TENANT}#01` : TENANT;
    if (policy === 'drop') continue;
    while (!(await world.write(HERE, name, partition, 'back', 'written since')))
      await timeline.sleep(SECOND);
  }
}

const isOld = (key: string) => key.includes(' item-');
const oldIn = (world: World) => [...world.itemsIn(HERE, true).keys()].filter(isOld);
/** Two parts with one partition, one with two. */
const PARTITIONS = 4;

/**
 * The realm that serves has all of the data, or none of it and a proof, and everything that was
 * written since.
 */
function checkWhole(world: World): void {
  checkNeighbours(world);
  if (recordIn(world)?.state !== 'active') return;
  const isPurged = receiptsIn(world).length > 0;
  const old = oldIn(world);
  const isAsTold = old.length === (isPurged ? 0 : ITEMS * PARTITIONS);
  const wrong = world.wrongIn(HERE).filter((key) => !isPurged || !isOld(key));
  must(
    'nothing slips through',
    isAsTold && wrong.length === 0,
    () => `active, ${isPurged ? '' : 'not '}purged, with ${old.length} old items; wrong: ${wrong}`,
  );
}

function checkProof(world: World): void {
  const receipts = receiptsIn(world);
  must('nowhere else', receipts.length === 1, () => `${receipts.length} receipts of one purge`);
  const proven = receipts[0]?.provenEmpty.length;
  must('nowhere else', proven === PARTITIONS, () => `${proven} ranges are proven empty`);
}

function checkGone(world: World): void {
  const rest = [...world.itemsIn(HERE, true).keys()];
  const records = REALMS.filter((realm) => recordIn(world, realm) !== undefined);
  must('nowhere else', records.length === 0, () => `a record is left in ${records}`);
  must('nowhere else', rest.length === 0, () => `what is left: ${rest.join(', ')}`);
  checkNeighbours(world);
  checkProof(world);
}

function checkBack(world: World): void {
  const records = REALMS.filter((realm) => recordIn(world, realm) !== undefined);
  must('same answer again', `${records}` === HERE, () => `records in ${records}`);
  const { state, credentials, purge: left } = recordIn(world) ?? {};
  must('same answer again', state === 'active' && !left, () => `the tenant is ${state}`);
  must(
    'same answer again',
    credentials?.sharedSecret === world.site.secret,
    () => 'the secret is not Atlassian’s',
  );
  checkWhole(world);
  if (receiptsIn(world).length > 0) checkProof(world);
}
