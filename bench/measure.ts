/**
 * One measurement: builds a world in the stub, runs a worker process in it, and collects the
 * counters of both.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { AWS_CAPS, type Caps, type Count, NO_COUNT } from './stub/capacity.ts';
import type { Stub } from './stub/handle.ts';
import type { Latency } from './stub/server.ts';
import {
  type Job,
  type Outcome,
  type PartName,
  SHARDS,
  SOURCE,
  STAGE,
  TARGET,
  TENANT,
} from './variants/job.ts';

export interface World {
  /** Latency of the source's region and of the target's. */
  readonly source: Latency;
  readonly target: Latency;
  /** Caps of the part's table, in either region. */
  readonly caps?: Caps;
  /** Without it, the tables of the ledger and of the tenants have AWS's caps. */
  readonly isLedgerUncapped?: true;
  readonly part: PartName;
  /** Under each partition key. */
  readonly items: number;
  readonly itemBytes: number;
  /**
   * The target holds everything from before the window, and each so-many-th item has changed since.
   */
  readonly changedEvery?: number;
  /** The source has as many items of another tenant, under `NEIGHBOUR`. */
  readonly hasNeighbour?: true;
}

/** A tenant that is not moved. */
export const NEIGHBOUR = 'tenant-2';

export interface Measurement extends Outcome {
  readonly items: number;
  /** Counters of the two item tables; `ledger` sums all other tables. */
  readonly source: Count;
  readonly target: Count;
  readonly ledger: Count;
  readonly targetBatches: Count;
  readonly equal: number;
  readonly different: number;
}

export const tableIn = (realm: string, name: string) => `bench-${STAGE}-${realm}-${name}`;
export const partitionsOf = (part: PartName): readonly string[] =>
  part === 'one'
    ? [TENANT]
    : Array.from(
        { length: SHARDS[part] },
        (_, shard) => `${TENANT}#${String(shard).padStart(2, '0')}`,
      );

/** Builds empty tables and a source full of items, and removes every earlier world. */
export async function build(
  stub: Stub,
  { source, target, part, items, itemBytes, changedEvery, isLedgerUncapped, hasNeighbour }: World,
): Promise<void> {
  await stub.order({ do: 'reset' });
  for (const [{ realm, region }, latency] of [
    [SOURCE, source],
    [TARGET, target],
  ] as const) {
    await stub.order({ do: 'latency', region, latency });
    const create = (name: string, schema: { partitionKey: string; sortKey?: string }) =>
      stub.order({ do: 'create', region, table: tableIn(realm, name), schema });
    await create('tenants', { partitionKey: 'tenant' });
    await create('migrations', { partitionKey: 'tenant', sortKey: 'id' });
    await create(part, { partitionKey: 'tenant', sortKey: 'id' });
    if (isLedgerUncapped) continue;
    for (const name of ['tenants', 'migrations'])
      await stub.order({ do: 'cap', region, table: tableIn(realm, name), caps: AWS_CAPS });
  }
  for (const partition of [...partitionsOf(part), ...(hasNeighbour ? [NEIGHBOUR] : [])]) {
    const seed = (
      { realm, region }: { readonly realm: string; readonly region: string },
      bytes: number,
      every = 1,
    ) =>
      stub.order({
        do: 'seed',
        region,
        table: tableIn(realm, part),
        partition,
        items,
        itemBytes: bytes,
        every,
      });
    await seed(SOURCE, itemBytes);
    if (changedEvery === undefined) continue;
    await seed(TARGET, itemBytes);
    await seed(TARGET, itemBytes - 1, changedEvery);
  }
}

/** The buckets start empty: capacity saved before the run would hide the cap. */
async function setCaps(stub: Stub, { caps, part }: World): Promise<void> {
  if (caps === undefined) return;
  for (const { realm, region } of [SOURCE, TARGET]) {
    await stub.order({ do: 'cap', region, table: tableIn(realm, part), caps });
  }
}

export interface Work {
  readonly variant: string;
  readonly work: Job['work'];
  readonly nodeOptions?: readonly string[];
  /** Kills the worker when it has written this many units. */
  readonly killAt?: number;
}

/** Runs one worker in the present world. `undefined` if it was killed. */
export async function measure(
  stub: Stub,
  world: World,
  work: Work,
): Promise<Measurement | undefined> {
  const { part, items } = world;
  const job: Job = {
    variant: work.variant,
    work: work.work,
    endpoint: stub.url,
    part,
    sourceRegion: SOURCE.region,
    sourceTable: tableIn(SOURCE.realm, part),
    targetRegion: TARGET.region,
    targetTable: tableIn(TARGET.realm, part),
    partitions: partitionsOf(part),
    ...(world.changedEvery !== undefined && { isAhead: true as const }),
  };
  const before = await requestCounts(stub, job);
  const isDue = async () => (await writtenUnits(stub, world)) >= (work.killAt ?? 0);
  const outcome = await perform(job, work, () => setCaps(stub, world), isDue);
  const after = await requestCounts(stub, job);
  const { equal = 0, different = 0 } = await stub.order({
    do: 'compare',
    table: [job.sourceTable, job.targetTable],
    regions: [SOURCE.region, TARGET.region],
  });
  if (outcome === undefined) return undefined;
  return {
    ...outcome,
    items: items * partitionsOf(part).length,
    equal,
    different,
    source: minus(after.source, before.source),
    target: minus(after.target, before.target),
    ledger: minus(after.ledger, before.ledger),
    targetBatches: minus(after.targetBatches, before.targetBatches),
  };
}

/** Units that the target's table has taken since the world was built. */
export async function writtenUnits(stub: Stub, { part }: World): Promise<number> {
  const { counts = {} } = await stub.order({ do: 'count', region: TARGET.region });
  return sum(Object.values(counts[tableIn(TARGET.realm, part)] ?? {})).wcu;
}

interface Message {
  readonly begins?: true;
  readonly outcome?: Outcome;
  readonly error?: string;
}

async function perform(
  job: Job,
  { nodeOptions = [], killAt }: Work,
  onBegin: () => Promise<void>,
  isDue: () => Promise<boolean>,
): Promise<Outcome | undefined> {
  const child = fork(new URL('./variants/worker.ts', import.meta.url), {
    execArgv: [...nodeOptions],
  });
  let message: Message = {};
  const begun = Promise.withResolvers<void>();
  child.on('message', async (said: Message) => {
    if (!said.begins) message = said;
    else {
      await onBegin();
      child.send('go');
      begun.resolve();
    }
  });
  const ended = once(child, 'exit');
  child.send(job);
  if (killAt !== undefined) {
    await Promise.race([begun.promise, ended]);
    while (child.exitCode === null && !(await isDue())) await pause(10);
    child.kill('SIGKILL');
  }
  await ended;
  if (message.error !== undefined)
    throw new Error(`${job.variant} cannot ${job.work}: ${message.error}`);
  if (message.outcome === undefined && killAt === undefined) {
    throw new Error(`${job.variant} ended in the middle of its ${job.work}`);
  }
  return message.outcome;
}

const combined = (one: Count, other: Count, sign: 1 | -1): Count => ({
  requests: one.requests + sign * other.requests,
  writes: one.writes + sign * other.writes,
  refused: one.refused + sign * other.refused,
  refusedReads: one.refusedReads + sign * other.refusedReads,
  rcu: one.rcu + sign * other.rcu,
  wcu: one.wcu + sign * other.wcu,
});
const minus = (one: Count, other: Count): Count => combined(one, other, -1);
const sum = (counts: Iterable<Count>): Count =>
  [...counts].reduce((one, other) => combined(one, other, 1), NO_COUNT);

async function requestCounts(stub: Stub, job: Job) {
  const [source = {}, target = {}] = await Promise.all(
    [SOURCE, TARGET].map(async ({ region }) => (await stub.order({ do: 'count', region })).counts),
  );
  const others = [source, target].flatMap((counts) =>
    Object.entries(counts)
      .filter(([table]) => table !== job.sourceTable && table !== job.targetTable)
      .flatMap(([, byOperation]) => Object.values(byOperation)),
  );
  return {
    source: sum(Object.values(source[job.sourceTable] ?? {})),
    target: sum(Object.values(target[job.targetTable] ?? {})),
    targetBatches: target[job.targetTable]?.['BatchWriteItem'] ?? NO_COUNT,
    ledger: sum(others),
  };
}
