/** The invariants, checked after everything that happens. Each exception has a sentence here. */
import { isFinal, type Migration } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { DAY } from '../support/clock.ts';
import type { Operation } from '../support/in-memory-cells.ts';
import { NEIGHBOURS, PAST_SECRET, REALMS, TENANT, type World } from './world.ts';

export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
  readonly invariant: string;
  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

export function must(invariant: string, isSo: boolean, message: () => string): void {
  if (!isSo) throw new InvariantBroken(invariant, message());
}

/** After every operation that wrote: checks everything that this one can have broken. */
export function checkAlways(world: World, { port, name }: Partial<Operation> = {}): void {
  const isOfItems = port === undefined || port === 'partKind' || port === 'app';
  if (isOfItems || port === 'tenants') checkCopies(world);
  if (isOfItems) checkNeighbours(world);
  if (port === undefined || (port === 'migrations' && name === 'change')) checkLedger(world);
}

function checkCopies(world: World): void {
  const { app, itemsIn, wrongIn } = world;
  const records = REALMS.map((realm) => ({ realm, record: app.tenants.peek(realm, TENANT) }));

  const active = records
    .filter(({ record }) => record?.state === 'active')
    .map(({ realm }) => realm);
  must('at most one writer', active.length <= 1, () => `active in ${active.join(' and ')}`);

  const wrong = new Map(REALMS.map((realm) => [realm, wrongIn(realm)]));
  const isWhole = (realm: Realm) => wrong.get(realm)?.length === 0;
  must(
    'complete somewhere',
    REALMS.some(isWhole),
    () => `no realm is complete: ${describeWrong(wrong)}`,
  );
  for (const { realm, record } of records) {
    // An active or frozen record is the copy that serves.
    if (record?.state === 'active' || record?.state === 'frozen') {
      must(
        'nothing slips through',
        isWhole(realm),
        () => `${record.state} in ${realm}, but wrong: ${wrong.get(realm)?.join(', ')}`,
      );
    }
  }
  const { rogue } = world;
  const isPurged = rogue !== undefined && !itemsIn(rogue.realm).has(rogue.key);
  must(
    'nothing slips through',
    !isPurged,
    () => `${rogue?.key} was purged in ${rogue?.realm}, and had never been verified`,
  );
}

export function checkNeighbours({ app, neighbours, seen }: World): void {
  for (const realm of REALMS) {
    const revision = app.datasets.revision(realm);
    if (seen.neighbours.get(realm) === revision) continue;
    seen.neighbours.set(realm, revision);
    for (const neighbour of NEIGHBOURS) {
      const expected = realm === 'us' ? neighbours.get(neighbour) : '{}';
      must(
        'only the tenant',
        JSON.stringify(app.holdings(realm, neighbour)) === expected,
        () => `${neighbour} in ${realm} has changed`,
      );
    }
  }
}

function checkLedger(world: World): void {
  for (const migration of world.migrations()) {
    checkFinal(world, migration);
    const isRevived = world.buried.has(migration.id) && migration.status !== 'rolled-back';
    must(
      'same answer again',
      !isRevived,
      () => `migration ${migration.id} was answered rolled-back, and is ${migration.status}`,
    );
  }
}

/** Checks a migration that has just ended; a later one may bring data again. */
function checkFinal(world: World, migration: Migration): void {
  const { ended } = world.seen;
  const key = `${migration.ledger} ${migration.id} ${migration.status}`;
  if (!isFinal(migration) || ended.has(key)) return;
  ended.add(key);
  const { source, target, status, facts } = migration;
  if (source === target || facts === undefined) return;
  const left = status === 'committed' ? source : target;
  const state = world.app.tenants.peek(left, TENANT);
  // A realm that serves now has data that came since, or never left.
  const isLeft =
    state === undefined || (state.state === 'moved' && state.migration === migration.id);
  if (!isLeft) return;
  const rest = [...world.itemsIn(left, true).keys()];
  must(
    'nowhere else',
    rest.length === 0,
    () => `${status}, and ${left} still holds ${rest.join(', ')}`,
  );
  if (status === 'committed') {
    must(
      'nowhere else',
      state?.expiresAt !== undefined,
      () => `committed, and the stub in ${left} has no expiry`,
    );
    const receipt = world.app.receipts.peek(source, TENANT, migration.id);
    must(
      'nowhere else',
      receipt?.provenEmpty?.realm === source,
      () => `committed, and no receipt proves ${source} empty`,
    );
  }
}

/**
 * Whether nothing stands in the way of this schedule in this realm: the tenant serves there, and no
 * other move of its own is under way or has brought it without an end. Schedules that never started
 * and are being undone do not count (rule 19).
 */
export function isFreeFor({ app, migrations }: World, realm: Realm, id: string): boolean {
  const record = app.tenants.peek(realm, TENANT);
  if (record?.state !== 'active' || record.arrivedBy !== undefined) return false;
  return migrations().every(
    (other) =>
      other.id === id ||
      isFinal(other) ||
      (other.status === 'rolling-back' && other.startedAt === undefined),
  );
}

/** E0004 says that another move must end first. */
export function checkAccepted(code: string, id: string): void {
  must(
    'it ends',
    code !== 'E0004',
    () => `the schedule of migration ${id} was refused, and no other move was under way`,
  );
}

/** Called when Atlassian is done, the faults are over, and time has passed. */
export function checkEnd(world: World): void {
  const { app, site, wrongIn } = world;
  for (const migration of world.migrations()) {
    must(
      'it ends',
      isFinal(migration),
      () =>
        `migration ${migration.id} is ${migration.status}, phase ${migration.phase}, attempt ${migration.attempt}${migration.halted ? `, halted: ${migration.halted}` : ''}`,
    );
  }
  must('it ends', app.workflows.running().length === 0, () => 'an execution still runs');
  for (const realm of REALMS) {
    const slots = app.slots.peek(realm);
    must('it ends', slots.length === 0, () => `realm ${realm} still holds ${slots.length} windows`);
  }
  // The data of a retired tenant from before the story is kept for its time.
  const records = REALMS.map((realm) => ({
    realm,
    record: app.tenants.peek(realm, TENANT),
  })).filter(({ record }) => record?.credentials.sharedSecret !== PAST_SECRET);
  const serving = records.filter(
    ({ record }) => record?.state === 'active' || (record?.state === 'retired' && !record.keep),
  );
  const states = () =>
    records.map(({ realm, record }) => `${realm}: ${record?.state ?? 'none'}`).join(', ');
  must(
    'same answer again',
    serving.length === 1,
    () => `${serving.length} realms have the tenant (${states()})`,
  );
  const [here] = serving;
  if (here?.record === undefined) return;
  must(
    'same answer again',
    here.realm === site.home,
    () => `Atlassian sends to ${site.home}, and the tenant is in ${here.realm} (${states()})`,
  );
  must(
    'same answer again',
    (here.record.state === 'active') === site.isInstalled,
    () => `installed: ${site.isInstalled}, but ${states()}`,
  );
  must(
    'same answer again',
    here.record.credentials.sharedSecret === site.secret,
    () => 'the secret is not Atlassian’s',
  );
  must(
    'same answer again',
    world.door.isKnownTo(here.record),
    () => 'nobody would know the tenant by its next token',
  );
  const wrong = wrongIn(here.realm);
  must('nothing slips through', wrong.length === 0, () => `wrong at the end: ${wrong.join(', ')}`);
  for (const { realm, record } of records) {
    if (realm === here.realm) continue;
    must(
      'nowhere else',
      record === undefined || record.state === 'moved',
      () => `a record of ${realm} is left (${states()})`,
    );
    const rest = [...world.itemsIn(realm, true).keys()];
    must('nowhere else', rest.length === 0, () => `${realm} still holds ${rest.join(', ')}`);
  }
  checkSecrets(world);
  // A month later, DynamoDB has removed everything with an expiry.
  app.tenants.sweep(world.clock.now() + 40 * DAY);
  const still = app.tenants.peek(here.realm, TENANT);
  must(
    'complete somewhere',
    still?.state === here.record?.state,
    () => `the record of ${here.realm} had an expiry`,
  );
}

function checkSecrets({ app, secretMark }: World): void {
  const logged = JSON.stringify(app.log.lines);
  must('secrets stay secret', !logged.includes(secretMark), () => 'a secret is in the log');
  const inputs = JSON.stringify(app.workflows.runs());
  must(
    'secrets stay secret',
    !inputs.includes(secretMark),
    () => 'a secret is in the input of a workflow',
  );
  for (const realm of REALMS) {
    const kept = JSON.stringify(app.migrations.peekAll(realm));
    must(
      'secrets stay secret',
      !kept.includes(secretMark),
      () => `a secret is in the ledger of ${realm}`,
    );
  }
}

const describeWrong = (wrong: ReadonlyMap<Realm, readonly string[]>) =>
  [...wrong]
    .map(
      ([realm, keys]) => `${realm} (${keys.slice(0, 3).join(', ')}${keys.length > 3 ? ', …' : ''})`,
    )
    .join(', ');
