/**
 * Our own copy: the task code of the Lambdas, composed from an environment as theirs, turn after
 * turn until a range is done.
 */

import { type App, compose } from '../../lambdas/compose.ts';
import { type Part, type Range, rangesOf } from '../../lambdas/domain/datasets/dataset.ts';
import type { Migration, Phase } from '../../lambdas/domain/moving/migration.ts';
import { workersFor } from '../../lambdas/domain/moving/workers.ts';
import { defineResidency } from '../../lambdas/domain/residency.ts';
import type { TenantRecord } from '../../lambdas/domain/tenants/tenant.ts';
import { HOUR_MS } from '../../lambdas/domain/time.ts';
import {
  CREDENTIALS,
  type Job,
  type PartName,
  SHARDS,
  SOURCE,
  STAGE,
  TARGET,
  TENANT,
  type Variant,
} from './job.ts';

const partOf = (name: PartName): Part => ({
  kind: 'dynamodb',
  name,
  policy: 'move',
  partitionKey: 'tenant',
  sortKey: { name: 'id', type: 'S' },
  ...(SHARDS[name] > 1 && { shards: SHARDS[name] }),
});

const MIGRATION = 'bench-1';
const INVOCATION_MS = 300_000;

export const run: Variant = async (job, begin) => {
  const app = appFor(job);
  const input = await onRecord(app, job);
  const ranges = rangesOf([partOf(job.part)], { tenant: TENANT });
  if (job.isAhead && job.work === 'copy') await markAhead(app, ranges);
  await begin();
  const workers = workersFor(ranges.length, ranges.length);
  await Promise.all(workers.map((worker) => untilDone(app, job, { ...input, worker })));
};

/** Writes the records of ranges that phase `ahead` has copied. */
async function markAhead(app: App, ranges: readonly Range[]): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const key = { ledger: SOURCE.realm, tenant: TENANT, id: MIGRATION };
  for (const { id } of ranges)
    await app.ports.rangeRecords.put(TARGET.realm, key, {
      range: id,
      revision: 0,
      work: 'copy-ahead',
      asOf: now,
      lastingUntil: now,
      tries: 0,
      done: true,
    });
}

function appFor({ endpoint, part, work }: Job): App {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  });
  const realm = work === 'purge' ? SOURCE.realm : TARGET.realm;
  const env = {
    REALM: realm,
    STAGE,
    ACCOUNT_ID: '000000000000',
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
  };
  const residency = defineResidency({
    name: 'bench',
    app: {
      key: 'bench',
      name: 'Bench',
      description: '',
      vendor: { name: '', url: '' },
      scopes: [],
      products: ['confluence'],
    },
    realms: [SOURCE, TARGET],
    defaultRealm: SOURCE.realm,
    parts: [partOf(part)],
    maxMigrationDurationHours: 1,
    maxOverlappingMigrations: 1,
  });
  // A killed worker has left a lease. The bench knows that the worker is dead.
  return compose(env, { residency, isGone: () => true, metrics: { record: () => {} } });
}

/**
 * Writes the records that `start` or `commit` would have written: a migration under way, one side
 * closed, the other claimed or open.
 */
async function onRecord(app: App, { work }: Job) {
  const phase: Phase = (
    { ahead: 'ahead', copy: 'copy', verify: 'copy', purge: 'commit', discard: 'rollback' } as const
  )[work];
  const at = new Date().toISOString();
  const migration: Migration = {
    ledger: SOURCE.realm,
    tenant: TENANT,
    id: MIGRATION,
    source: SOURCE.realm,
    target: TARGET.realm,
    status: (
      {
        ahead: 'scheduled',
        copy: 'copying',
        commit: 'committing',
        restore: 'rolling-back',
        rollback: 'rolling-back',
      } as const
    )[phase],
    facts: { location: 'DE', startTime: at, endTime: new Date(Date.now() + HOUR_MS).toISOString() },
    scheduledAt: at,
    scheduledIat: 0,
    updatedAt: at,
    phase,
    attempt: 1,
    pointOfNoReturn: at,
  };
  const tenant = {
    tenant: TENANT,
    credentials: { sharedSecret: 'bench', iat: 0 },
    installation: {},
  };
  const owned = { ...tenant, migration: MIGRATION, ledger: SOURCE.realm };
  const [source, target] = sidesIn(phase, tenant, owned);
  const { tenants, migrations } = app.ports;
  await tenants.change(SOURCE.realm, TENANT, () => source);
  await tenants.change(TARGET.realm, TENANT, () => target);
  await migrations.change(migration, 'bench', () => migration);
  return {
    ledger: SOURCE.realm,
    tenant: TENANT,
    migration: MIGRATION,
    phase,
    attempt: 1,
    turns: 1_000,
  };
}

type Plain = Pick<TenantRecord, 'tenant' | 'credentials' | 'installation'>;
type Owned = Plain & { readonly migration: string; readonly ledger: string };

function sidesIn(phase: Phase, plain: Plain, owned: Owned): readonly [TenantRecord, TenantRecord] {
  if (phase === 'ahead')
    return [
      { ...plain, state: 'active' },
      { ...owned, state: 'standby' },
    ];
  if (phase === 'copy')
    return [
      { ...owned, state: 'frozen' },
      { ...owned, state: 'standby' },
    ];
  if (phase === 'commit')
    return [
      { ...owned, state: 'moved' },
      { ...plain, state: 'active', arrivedBy: MIGRATION },
    ];
  return [
    { ...plain, state: 'active', released: [MIGRATION] },
    { ...owned, state: 'withdrawn' },
  ];
}

async function untilDone(
  app: App,
  { work }: Job,
  input: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { copyAheadRange, copyRange, verifyRange, purgeSourceRange, discardTargetRange } =
    app.tasks;
  const task = {
    ahead: copyAheadRange,
    copy: copyRange,
    verify: verifyRange,
    purge: purgeSourceRange,
    discard: discardTargetRange,
  }[work];
  let turn = { number: 0, over: false, waitSeconds: 0 };
  while (!turn.over) {
    const invocation = {
      id: `${process.pid}-${turn.number}`,
      deadline: Date.now() + INVOCATION_MS,
    };
    turn = await task({ ...input, turn }, invocation);
    if (turn.waitSeconds > 0)
      await new Promise((resolve) => setTimeout(resolve, turn.waitSeconds * 1000));
  }
}
