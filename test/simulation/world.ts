/**
 * The real apps of three realms over ports in memory, in a world whose time and chance the
 * scheduler decides.
 */
import type { Invocation } from '../../lambdas/app/phases/range-turn.ts';
import { partitionsOf } from '../../lambdas/domain/datasets/dataset.ts';
import type { Migration } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { PermanentError } from '../../lambdas/domain/refusal.ts';
import type { Run } from '../../lambdas/ports.ts';
import { itemOf } from '../support/builders.ts';
import { MINUTE, manualClock, SECOND } from '../support/clock.ts';
import type { Operation } from '../support/in-memory-cells.ts';
import { type MemoryApp, memoryApp } from '../support/memory-app.ts';
import { inputOf } from '../support/memory-workflow.ts';
import { Coverage } from './coverage.ts';
import { type DoorName, door } from './doors.ts';
import { type Content, oracle } from './oracle.ts';
import type { Random } from './random.ts';
import { type FaultKind, type FaultPlan, scheduler } from './scheduler.ts';

export const TENANT = 'tenant-1';
/** Keys that begin like the tenant's, and belong to other tenants. */
export const NEIGHBOURS = ['tenant-10', 'tenant-1#00'];
export const REALMS: readonly Realm[] = ['us', 'de', 'eu'];

const PARTS = [
  { name: 'templates', policy: 'move' },
  { name: 'exports', policy: 'move', shards: 2 },
  { name: 'previews', policy: 'drop' },
].map((part) => ({
  ...part,
  kind: 'dynamodb' as const,
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' as const },
  policy: part.policy === 'move' ? ('move' as const) : ('drop' as const),
}));

export const DRAIN_SECONDS = 20;
/** All are shorter than the drain time, as CDK computes it. */
const WRITER_TIMEOUT = 10 * SECOND;
const LONGEST_WRITER_TIMEOUT = 19 * SECOND;
const HOOK_TIMEOUT = 10 * SECOND;
const TURN_TIMEOUT = 300 * SECOND;
/** After about so many operations, a worker of phase ahead has read its first page. */
const LATE_OPERATIONS = 7;
const SECRET = 'canary-secret';
/** The secret of the old residency: a realm that still has it has seen no hook since. */
export const PAST_SECRET = 'canary-secret of the past';

export interface WorldOptions {
  readonly random: Random;
  readonly faults: FaultPlan;
  readonly isFair?: boolean;
  /** Items per partition. */
  readonly items?: number;
  /** The tenant once lived in `de`, was uninstalled there, and its data is still kept. */
  readonly hasPast?: boolean;
  /**
   * Tenants are copied ahead at the last moment before a start, by workers that are often paused
   * between the read and the writes of a page.
   */
  readonly isAheadLate?: boolean;
  /** Whether Atlassian sends by Connect or by Forge. */
  readonly through?: DoorName;
  /** Called with every task before it is invoked. */
  readonly sees?: (world: World, task: string, migration: Migration) => void;
  readonly check: (world: World, operation?: Operation) => void;
}

export type World = ReturnType<typeof world>;

export function world({
  random,
  faults,
  isFair = false,
  items = 2,
  hasPast = false,
  isAheadLate = false,
  through = 'connect',
  sees,
  check,
}: WorldOptions) {
  const clock = manualClock();
  const coverage = new Coverage();
  const timeline = scheduler({
    clock,
    random,
    faults,
    isFair,
    check: (operation) => check(self, operation),
  });
  const { step, after } = timeline;
  const app: MemoryApp = memoryApp({
    rows: REALMS.map((realm) => ({ realm, region: `${realm}-region` })),
    parts: PARTS,
    clock,
    hooks: { step, after },
    drainSeconds: DRAIN_SECONDS,
    commitGraceSeconds: 60,
    // Four ranges: most worlds have workers with more than one.
    concurrency: 1 + random.below(4),
    pageItems: 2,
    splitsPagesAhead: isAheadLate,
  });
  const truth = oracle();
  const itsDoor = door(through, app);

  /**
   * Atlassian's view: where the site's app lives, which secret it signs with, and the last answer.
   */
  const site = { home: 'us' as Realm, secret: `${SECRET}-0`, isInstalled: true };

  const neighbours = new Map<string, string>();
  for (const tenant of NEIGHBOURS) {
    app.fill('us', tenant, 2);
    neighbours.set(tenant, JSON.stringify(app.holdings('us', tenant)));
  }
  app.tenants.set('us', {
    tenant: TENANT,
    state: 'active',
    credentials: { sharedSecret: site.secret, iat: Math.floor(clock.now() / 1000) },
    installation: { clientKey: TENANT },
    ...itsDoor.identity,
  });
  for (const part of PARTS) {
    for (const partition of partitionsOf(part, { tenant: TENANT })) {
      for (let number = 0; number < items; number += 1) {
        const id = `item-${number}`;
        app.datasets.put('us', part.name, itemOf(partition, id, 'first'));
        if (part.policy === 'move') truth.acknowledged(`${part.name} ${partition} ${id}`, 'first');
      }
    }
  }

  if (hasPast) {
    app.tenants.set('de', {
      tenant: TENANT,
      state: 'retired',
      credentials: { sharedSecret: PAST_SECRET, iat: 1 },
      installation: { clientKey: TENANT },
      uninstalledIat: 2,
      purgeDueAt: Math.floor(clock.now() / 1000) + 20 * 24 * 60 * 60,
    });
    for (const part of PARTS) {
      for (const partition of partitionsOf(part, { tenant: TENANT })) {
        app.datasets.put(
          'de',
          part.name,
          itemOf(partition, 'item-0', 'stale'),
          itemOf(partition, 'old', 'stale'),
        );
      }
    }
  }

  /** Every item of a tenant in a realm, in the parts that move (or in all), by key. */
  function itemsIn(realm: Realm, isAll = false): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const part of PARTS) {
      if (part.policy === 'drop' && !isAll) continue;
      for (const partition of partitionsOf(part, { tenant: TENANT })) {
        for (const { id, text } of app.datasets.read(realm, part.name, partition)) {
          found.set(`${part.name} ${partition} ${id?.S}`, text?.S ?? '');
        }
      }
    }
    return found;
  }

  /**
   * The keys at which a realm differs from what the users were told; computed again only when
   * either has changed.
   */
  const looked = new Map<Realm, { readonly at: string; readonly wrong: readonly string[] }>();
  function wrongIn(realm: Realm): readonly string[] {
    const at = `${app.datasets.revision(realm)} ${truth.revision()}`;
    const last = looked.get(realm);
    if (last?.at === at) return last.wrong;
    const wrong = truth.wrongIn(itemsIn(realm));
    looked.set(realm, { at, wrong });
    return wrong;
  }

  const migrations = (): readonly Migration[] =>
    REALMS.flatMap((realm) => app.migrations.peekAll(realm));

  /** Atlassian signs an install, not the tenant. */
  function installed(
    realm: Realm,
    { sharedSecret, iat, number }: Install,
    suffered: Set<FaultKind>,
  ): Promise<void> {
    const tokens = [`a token of ${iat}, number ${number}`];
    const run = () => itsDoor.installed(realm, { sharedSecret, iat, tokens }, number);
    return timeline.invoke(`installed@${realm}`, HOOK_TIMEOUT, run, suffered);
  }

  /** An acknowledged write is one whose function has ended. */
  async function write(
    realm: Realm,
    part: string,
    partition: string,
    id: string,
    content: Content,
    /** Passes the guard, and writes at the last moment that the function has. */
    isLast = false,
  ): Promise<boolean> {
    const key = `${part} ${partition} ${id}`;
    const deadline = clock.now() + (isLast ? LONGEST_WRITER_TIMEOUT : WRITER_TIMEOUT);
    const actor = { name: `writer@${realm}`, isLambda: true, deadline, isDead: false };
    return timeline
      .invokeAs({ ...actor, suffered: new Set(), ...(isLast && { sleepsAt: 1 }) }, async () => {
        const verdict = await app.realm(realm).guard(TENANT, 'write');
        if (verdict.kind !== 'allowed') return false;
        await step({
          port: 'app',
          name: content === null ? 'remove' : 'put',
          realm,
          detail: key,
          access: 'write',
        });
        const item = itemOf(partition, id, content ?? '');
        if (content === null) app.datasets.remove(realm, part, item);
        else app.datasets.put(realm, part, item);
        truth.landed(key, content);
        timeline.checked();
        return true;
      })
      .then((isWritten) => {
        if (isWritten) truth.acknowledged(key, content);
        return isWritten;
      })
      .catch(() => false);
  }

  /**
   * Runs started executions, each as an actor of its own. A failed one is usually reported to
   * `settle`.
   */
  const begun = new Set<string>();
  function follow(): void {
    for (const { name, run, state } of app.workflows.runs()) {
      const key = `${run.realm} ${name}`;
      if (state !== 'running' || begun.has(key)) continue;
      begun.add(key);
      timeline.spawn(`workflow ${key}`, () => execution(run));
    }
  }

  const isRunning = (run: Run) =>
    app.workflows
      .running()
      .some(
        (other) =>
          other.realm === run.realm &&
          other.attempt === run.attempt &&
          other.phase === run.phase &&
          other.id === run.id,
      );

  async function execution(run: Run): Promise<void> {
    const ending = await app.runWorkflow(run, {
      parallel: true,
      wait: (milliseconds) => timeline.sleep(milliseconds),
      async invoke(task, call) {
        // Step Functions starts nothing more for an execution that has ended.
        if (!isRunning(run)) return new Promise(() => undefined);
        const migration = app.migrations.peek(run);
        const status = migration?.status;
        if (migration) sees?.(self, task, migration);
        const isPaused = isAheadLate && task === 'copyAheadRange' && random.chance(0.6);
        return coverage.watched(status, task, (suffered) =>
          timeline.invokeAs(
            {
              name: `${task} of ${run.phase}@${run.realm}`,
              isLambda: true,
              deadline: clock.now() + TURN_TIMEOUT,
              suffered,
              isDead: false,
              ...(isPaused && { sleepsAt: LATE_OPERATIONS + random.below(LATE_OPERATIONS) }),
            },
            call,
          ),
        );
      },
    });
    if (ending === 'failed') await settle(run);
  }

  /**
   * EventBridge calls up to three times, and sometimes not at all: then only the janitor finds it.
   */
  async function settle(run: Run): Promise<void> {
    if (!isFair && random.chance(0.05)) return;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        await timeline.invoke(`settle@${run.realm}`, 60 * SECOND, () =>
          app.realm(run.realm).settle(inputOf(run), 'FAILED'),
        );
        return;
      } catch (error) {
        if (error instanceof PermanentError) return;
        await timeline.sleep(MINUTE);
      }
    }
  }

  const janitor = (realm: Realm) =>
    timeline
      .invoke(`janitor@${realm}`, 60 * SECOND, () => app.realm(realm).janitor())
      .catch(() => undefined);

  const self = {
    app,
    clock,
    coverage,
    door: itsDoor,
    follow,
    /** Requests of Atlassian, doubled ones and lifecycle events included. */
    hooks: { sent: 0 },
    installed,
    itemsIn,
    janitor,
    migrations,
    neighbours,
    secretCalled: (number: number) => `${SECRET}-${number}`,
    parts: PARTS,
    random,
    site,
    timeline,
    /** Ids whose rollback was answered `rolled-back`: nothing may revive them. */
    buried: new Set<string>(),
    /** An item that was written without the guard into a source that was already verified. */
    rogue: undefined as { readonly realm: Realm; readonly key: string } | undefined,
    truth,
    write,
    wrongIn,
    /** What was checked in the realms, and of ended migrations, so that it is checked once. */
    seen: { neighbours: new Map<Realm, number>(), ended: new Set<string>() },
    secretMark: SECRET,
  };
  return self;
}

/** What one token of Atlassian's brings. */
export interface Install {
  readonly sharedSecret: string;
  readonly iat: number;
  /** Number of the secret; each try has a token of its own second. */
  readonly number: number;
}

/** 401, with one body for every reason. */
export class Unauthorized extends Error {
  override readonly name = 'Unauthorized';
}
export type { Invocation };
