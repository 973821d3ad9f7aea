/**
 * The apps of several realms over one shared set of ports in memory, composed as in `compose.ts`,
 * and a small interpreter of the workflow. A whole move takes milliseconds, and the clock moves
 * only when a task or a test waits.
 */

import { hash } from 'node:crypto';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import { appContext } from '../../lambdas/app/app-context.ts';
import type { Invocation } from '../../lambdas/app/phases/range-turn.ts';
import { realmApp as appOfRealm } from '../../lambdas/app/realm-app.ts';
import { logWithMetrics, portsWithMetrics } from '../../lambdas/app/with-metrics.ts';
import { type Part, partitionsOf } from '../../lambdas/domain/datasets/dataset.ts';
import { DEFAULT_CONCURRENCY } from '../../lambdas/domain/operating/settings.ts';
import type { CopyAhead } from '../../lambdas/domain/planning/copy-ahead.ts';
import { type Realm, type RealmRow, stackRows } from '../../lambdas/domain/realm.ts';
import type { Caller } from '../../lambdas/domain/requests.ts';
import type { Checkpoint, PartKind, Ports, Signer } from '../../lambdas/ports.ts';
import { itemOf, TENANT } from './builders.ts';
import { type ManualClock, manualClock } from './clock.ts';
import type { Hooks, Operation } from './in-memory-cells.ts';
import { inMemoryLedger } from './in-memory-ledger.ts';
import { inMemoryPartKind } from './in-memory-part-kind.ts';
import { inMemoryTenants } from './in-memory-tenants.ts';
import { inMemoryWorkflows } from './in-memory-workflows.ts';
import { collectedLog } from './log.ts';
import { workflowRunner } from './memory-workflow.ts';
import { collectedMetrics } from './metrics.ts';

const table = {
  kind: 'dynamodb',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
} as const;
/** One key and shards, move and drop, with and without an expiry. */
export const PARTS: readonly Part[] = [
  { ...table, name: 'templates', policy: 'move' },
  { ...table, name: 'exports', policy: 'move', shards: 2 },
  { ...table, name: 'previews', policy: 'drop', ttlAttribute: 'expiresAt' },
];

/** Realm `ch` is served by the stack of `de`. */
export const ROWS: readonly RealmRow[] = [
  { realm: 'us', region: 'us-east-1' },
  { realm: 'de', region: 'eu-central-1' },
  { realm: 'eu', region: 'eu-west-1' },
  { realm: 'ch', region: 'eu-central-1', servedBy: 'de' },
];

export interface MemoryAppOptions {
  readonly rows?: readonly RealmRow[];
  readonly parts?: readonly Part[];
  readonly clock?: ManualClock;
  readonly hooks?: Hooks;
  readonly maxOverlappingMigrations?: number;
  readonly drainSeconds?: number;
  readonly commitGraceSeconds?: number;
  /** Workers of a phase, where no setting says otherwise. */
  readonly concurrency?: number;
  /** Items between two checkpoints. */
  readonly pageItems?: number;
  readonly adoptByHost?: boolean;
  /** Which two tables are one. */
  readonly clash?: string;
  readonly copyAhead?: CopyAhead | undefined;
  /** A page that is copied ahead is read in one operation, and written in a later one. */
  readonly splitsPagesAhead?: boolean;
  /** Items that an eventually consistent read of both sides sees as equal. */
  readonly isStale?: (item: Item) => boolean;
}

/**
 * A stand-in whose signature shows what it signed. The tests of the local host use the real key.
 */
const memorySigner: Signer = {
  hash: (text) => hash('sha256', text),
  sign: async (realm, digits) => ({
    key: `key of ${realm}`,
    algorithm: 'ECDSA_SHA_256',
    value: digits,
  }),
};

export type RealmApp = ReturnType<typeof realmApp>;
export type MemoryApp = ReturnType<typeof memoryApp>;

export function memoryApp(options: MemoryAppOptions = {}) {
  const { rows = ROWS, parts = PARTS, clock = manualClock(), hooks = {}, pageItems = 3 } = options;
  const log = collectedLog();
  const metrics = collectedMetrics();
  const heard = logWithMetrics(log, metrics);
  const tenants = inMemoryTenants(hooks);
  const ledger = inMemoryLedger(clock, hooks, heard);
  const workflows = inMemoryWorkflows(hooks);
  const datasets = inMemoryPartKind({
    parts,
    clock,
    pageItems,
    isStale: options.isStale,
    ...(options.splitsPagesAhead && {
      beforeWritesAhead: async ({ partition }, realm) =>
        hooks.step?.({
          port: 'partKind',
          name: 'write ahead',
          realm,
          detail: partition,
          access: 'write',
        }),
    }),
  });
  const partKind = stepped(datasets.kind, hooks);
  const isGone = () => false;
  const ports: Ports = portsWithMetrics({
    tenants,
    ...ledger,
    partKind,
    workflows,
    signer: memorySigner,
    clock,
    log: heard,
    metrics,
    isGone,
  });
  const apps = new Map(
    stackRows(rows).map(({ realm }) => [
      realm,
      realmApp(ports, realm, { ...options, rows, parts }),
    ]),
  );

  /** The app of the stack that serves a realm. */
  function realm(name: Realm): RealmApp {
    const app = apps.get(name);
    if (app === undefined) throw new Error(`no stack is called ${name}`);
    return app;
  }

  const { runWorkflow, runAll } = workflowRunner(realm, workflows, clock);

  /** All items of a tenant in a realm, by part; empty parts are left out. */
  function holdings(
    at: Realm,
    tenant: string = TENANT,
  ): Readonly<Record<string, readonly string[]>> {
    const found = parts.map((part) => [
      part.name,
      partitionsOf(part, { tenant }).flatMap((partition) =>
        datasets.read(at, part.name, partition).map(({ id, text }) => `${id?.S}: ${text?.S}`),
      ),
    ]);
    return Object.fromEntries(found.filter(([, items]) => items?.length));
  }

  /** Writes items into every partition of every part. */
  function fill(at: Realm, tenant: string = TENANT, perPartition = 4, word: string = at): void {
    for (const part of parts) {
      for (const [shard, partition] of partitionsOf(part, { tenant }).entries()) {
        for (let number = 0; number < perPartition; number += 1) {
          const item = itemOf(partition, `${part.name}-${shard}-${number}`, `${word} ${number}`);
          datasets.put(at, part.name, item);
        }
      }
    }
  }

  /** A caller whose token is issued now. */
  const caller = (tenant: string = TENANT): Caller => ({
    tenant,
    iat: Math.floor(clock.now() / 1000),
  });

  return {
    clock,
    log,
    metrics,
    tenants,
    ...ledger,
    workflows,
    datasets,
    parts,
    ports,
    realms: [...apps.keys()],
    realm,
    runWorkflow,
    runAll,
    holdings,
    fill,
    caller,
  };
}

/** One realm's app over these ports. */
export function realmApp(
  ports: Ports,
  realm: Realm,
  options: MemoryAppOptions & {
    readonly rows: readonly RealmRow[];
    readonly parts: readonly Part[];
  },
) {
  const { rows, parts } = options;
  const { adoptByHost = false } = options;
  const context = appContext(ports, {
    realm,
    realms: rows,
    parts,
    baseUrls: Object.fromEntries(
      rows.map((row) => [row.realm, `https://${row.realm}.app.example`]),
    ),
    adoptByHost,
    maxOverlappingMigrations: options.maxOverlappingMigrations ?? 20,
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
    drainSeconds: options.drainSeconds ?? 60,
    commitGraceSeconds: options.commitGraceSeconds ?? 300,
    backupDays: 7,
    clash: options.clash,
    copyAhead: options.copyAhead,
    issuer: {
      app: 'com.example.app',
      account: '000000000000',
      stage: 'test',
      version: '1.0.0',
      outOfScope: ['search index'],
      placeArn: (part, at) => `${at}:${part.name}`,
    },
  });
  return { realm, steps: context.steps, ...appOfRealm(context) };
}

export type Tasks = RealmApp['tasks'];
export type { Invocation };

/** Makes every page an operation of its own, as it is for a database. */
function stepped(kind: PartKind, hooks: Hooks): PartKind {
  async function* pages(
    operation: Operation,
    checkpoints: AsyncIterable<Checkpoint>,
  ): AsyncGenerator<Checkpoint> {
    const iterator = checkpoints[Symbol.asyncIterator]();
    for (;;) {
      await hooks.step?.(operation);
      const { done, value } = await iterator.next();
      if (done) return;
      if (operation.access === 'write') await hooks.after?.(operation);
      yield value;
    }
  }
  const at = (
    name: string,
    realm: Realm,
    detail: string,
    access: Operation['access'],
  ): Operation => ({
    port: 'partKind',
    name,
    realm,
    detail,
    access,
  });
  return {
    copy: (range, source, target, ...rest) =>
      pages(
        at('copy', target, range.partition, 'write'),
        kind.copy(range, source, target, ...rest),
      ),
    digest: (range, realm, ...rest) =>
      pages(at('digest', realm, range.partition, 'read'), kind.digest(range, realm, ...rest)),
    restore: (range, source, target, ...rest) =>
      pages(
        at('restore', target, range.partition, 'write'),
        kind.restore(range, source, target, ...rest),
      ),
    purge: (range, realm, ...rest) =>
      pages(at('purge', realm, range.partition, 'write'), kind.purge(range, realm, ...rest)),
    async isEmpty(range, realm) {
      await hooks.step?.(at('isEmpty', realm, range.partition, 'read'));
      return kind.isEmpty(range, realm);
    },
    async size(range, realm, ...rest) {
      await hooks.step?.(at('size', realm, range.partition, 'read'));
      return kind.size(range, realm, ...rest);
    },
    async differences(range, source, target, horizon, limit) {
      await hooks.step?.(at('differences', target, range.partition, 'read'));
      return kind.differences(range, source, target, horizon, limit);
    },
  };
}
