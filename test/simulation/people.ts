/** The people beside Atlassian: users, an operator, and people who do what they must not. */
import { partitionsOf } from '../../lambdas/domain/datasets/dataset.ts';
import { isFinal, type Migration } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { itemOf } from '../support/builders.ts';
import { MINUTE, SECOND } from '../support/clock.ts';
import { REALMS, TENANT, type World } from './world.ts';

/**
 * Writes again and again to the realm to which Atlassian sends, and sometimes to the one before.
 */
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
      random.pick(partitionsOf(part, { tenant: TENANT })),
      id,
      random.chance(0.2) ? null : `${name} ${number}`,
    );
    await timeline.sleep(
      random.chance(0.6) ? random.below(30) * SECOND : random.below(40) * MINUTE,
    );
  }
}

/**
 * One write to this realm. `isLast`: passes the guard, and writes when the function has almost no
 * time left.
 */
export async function writeTo(
  { random, write, parts }: World,
  realm: Realm,
  id: string,
  isLast = false,
): Promise<void> {
  const part = random.pick(parts.filter(({ policy }) => policy === 'move'));
  const partition = random.pick(partitionsOf(part, { tenant: TENANT }));
  await write(realm, part.name, partition, id, `${id} ${random.below(1_000)}`, isLast);
}

/** From time to time an operator cancels, retries, or switches moves off and on. */
export async function operator(world: World, isOver: () => boolean): Promise<void> {
  const { timeline, random } = world;
  while (!isOver()) {
    await timeline.sleep(random.chance(0.5) ? random.below(MINUTE) : random.below(20) * MINUTE);
    const migration = world.migrations().findLast((one) => !isFinal(one));
    if (migration === undefined || random.chance(0.2)) await set(world);
    else await ask(world, random.chance(0.4) ? 'cancel' : 'retry', migration);
  }
}

/** Copies what is scheduled ahead of its window, and now and then stops that. */
export async function copiesAhead(world: World, isOver: () => boolean): Promise<void> {
  const { timeline, random } = world;
  while (!isOver()) {
    await timeline.sleep(random.chance(0.5) ? random.below(MINUTE) : random.below(20) * MINUTE);
    const migration = world.migrations().findLast(({ status }) => status === 'scheduled');
    if (migration === undefined) continue;
    const { ledger, tenant, id } = migration;
    const verb = random.chance(0.1) ? 'stop-ahead' : 'ahead';
    await asked(world, ledger, verb, { ledger, tenant, id });
    world.follow();
  }
}

/**
 * Copies ahead at the last moment: the window begins while a worker may still be at it, and users
 * go on writing the very items that it has read.
 */
export async function copiesAheadLate(world: World, isOver: () => boolean): Promise<void> {
  const { timeline, random, clock } = world;
  while (!isOver()) {
    const migration = world.migrations().findLast(({ status }) => status === 'scheduled');
    const begins = Date.parse(migration?.facts?.startTime ?? '');
    const early = begins - clock.now() - random.below(90) * SECOND;
    await timeline.sleep(Math.max(20 * SECOND, Math.min(early || 0, 30 * MINUTE)));
    const isDue = migration !== undefined && begins - clock.now() < 2 * MINUTE;
    if (!isDue || begins < clock.now()) continue;
    const { ledger, tenant, id } = migration;
    await asked(world, ledger, 'ahead', { ledger, tenant, id });
    for (let times = 0; times < 6; times += 1) {
      await timeline.sleep(random.below(10) * SECOND);
      await writeTo(world, ledger, `item-${random.below(2)}`);
    }
  }
}

async function set(world: World): Promise<void> {
  const realm = world.site.home;
  const tenant = world.random.chance(0.5) ? { tenant: TENANT } : {};
  const settings = { noNewMoves: world.random.chance(0.2) };
  await asked(world, realm, 'set', { ledger: realm, ...tenant, settings });
}

/** Repeats until it is answered, as operators do. */
async function ask(
  world: World,
  verb: 'cancel' | 'retry',
  { ledger, tenant, id }: Migration,
): Promise<void> {
  for (let tries = 0; tries < 3; tries += 1) {
    if (await asked(world, ledger, verb, { ledger, tenant, id })) return;
    await world.timeline.sleep(10 * SECOND);
  }
}

/**
 * Cancels just when a copy is about to end, and is slow about it; users hear that the site is back.
 */
export async function cancelLast(world: World, { ledger, tenant, id }: Migration): Promise<void> {
  const { random, timeline } = world;
  timeline.spawn('a user who comes back', async () => {
    await timeline.sleep(random.below(30) * SECOND);
    await writeTo(world, ledger, `back-${random.below(3)}`);
  });
  await asked(world, ledger, 'cancel', { ledger, tenant, id }, random.below(5));
}

function asked(
  world: World,
  realm: Realm,
  verb: string,
  rest: object,
  sleepsAt?: number,
): Promise<boolean> {
  const { app, clock, coverage, timeline } = world;
  const id = 'id' in rest ? rest.id : undefined;
  const status = world.migrations().findLast((one) => id === undefined || one.id === id)?.status;
  const call = () => app.realm(realm).operate({ verb, actor: 'somebody', ...rest });
  const deadline = clock.now() + 60 * SECOND;
  const actor = { name: `${verb}@${realm}`, isLambda: true, deadline, isDead: false };
  return coverage
    .watched(status, verb, (suffered) =>
      timeline.invokeAs({ ...actor, suffered, ...(sleepsAt !== undefined && { sleepsAt }) }, call),
    )
    .then(({ outcome, message }) => {
      timeline.note(`the operator: ${verb} → ${outcome}: ${message}`);
      world.follow();
      return true;
    })
    .catch(() => false);
}

/** An operator looks at a halted commit, and has it rolled back. */
export async function mend(world: World): Promise<void> {
  const { timeline, app, site } = world;
  const halted = world.migrations().find((migration) => migration.halted);
  if (halted === undefined || world.rogue === undefined) return;
  world.rogue = undefined;
  const undone = () =>
    timeline.invoke('operator', 60 * SECOND, () =>
      app.realm(halted.source).undo(halted, 'operator'),
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

/** Corrupts, drops or adds an item in a target that is being copied and not verified yet. */
export async function tamper({ timeline, random, app, migrations, parts }: World): Promise<void> {
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
    const partition = random.pick(partitionsOf(part, { tenant: TENANT }));
    const found = app.rangeRecords
      .peek(copying.target, copying)
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

/**
 * Writes without the guard into a source that has been verified. The commit must halt before it
 * purges that.
 */
export async function rogue(world: World, isOver: () => boolean): Promise<void> {
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
    // What happens to that item when the move is undone is not checked.
    while (world.rogue && !isOver()) {
      await timeline.sleep(SECOND);
      const now = world.migrations().find(({ id }) => id === ready.id);
      if (now?.status === 'rolling-back' || now?.status === 'rolled-back') world.rogue = undefined;
    }
    return;
  }
}
