/**
 * `scan`: every tenant of a stage before anybody schedules a move: what it has, how long a move to
 * each realm would take, and what stands in the way.
 */
import { writeFile } from 'node:fs/promises';
import { concurrently } from '../../../lambdas/app/concurrently.ts';
import { keyValuesOf } from '../../../lambdas/domain/datasets/key-values.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import { DEFAULT_CONCURRENCY, type Settings } from '../../../lambdas/domain/operating/settings.ts';
import { isSmokeTenant } from '../../../lambdas/domain/operating/smoke.ts';
import { READ_UNIT_DOLLARS } from '../../../lambdas/domain/planning/estimate.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { type KeySample, sayStrange } from '../audit/key-sample.ts';
import { sampleKeys } from '../audit/strange-keys.ts';
import { type Operator, type PartCount, partCountsOf } from '../operator.ts';
import { forecast } from '../tenants/forecast.ts';
import { LARGEST_SHARE } from '../tenants/rehearse.ts';
import { lookedAt, NOT_ALL_LOOKED_AT } from '../tenants/storage-obstacles.ts';
import { Failure } from '../terminal/failure.ts';
import { lasting } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { type Obstacle, ofRecord, ofTargets, type Whereabouts } from './obstacles.ts';
import { scanCsv, scanText } from './scan-text.ts';

export interface ScannedTenant {
  readonly tenant: string;
  readonly realm: Realm;
  readonly host?: string;
  readonly cloudId?: string;
  readonly product?: string;
  readonly items: number;
  readonly bytes: number;
  readonly parts: readonly PartCount[];
  /** From `start` to `ready-to-commit`, without the drain time: planned, and not measured. */
  readonly moves: readonly { readonly to: Realm; readonly seconds: number }[];
  readonly obstacles: readonly Obstacle[];
}

export interface Scanned {
  /** Largest first. */
  readonly tenants: readonly ScannedTenant[];
  /** Tenants that no realm serves: uninstalled, or with records of moves alone. */
  readonly notServed: number;
  /** Parts whose tables or buckets hold keys of no tenant. */
  readonly samples: readonly KeySample[];
  readonly window: { readonly hours: number; readonly largestShare: number };
  readonly cost: { readonly readUnits: number; readonly dollars: number };
}

interface Seen {
  readonly samples: readonly KeySample[];
  readonly settings: ReadonlyMap<Realm, Partial<Settings>>;
}

export interface ScanOptions {
  readonly realm?: string;
  readonly csv?: string;
}

const UNIT_BYTES = 4096;

export async function scan(
  operator: Operator,
  { realm, csv }: ScanOptions,
  tell: (text: string) => void,
): Promise<Verdict> {
  const only = realm === undefined ? undefined : operator.realmNamed(realm);
  const [records, seen] = await Promise.all([recordsOf(operator), seenIn(operator)]);
  const homes = records.flatMap((those) => homeOf(those));
  const wanted = homes.filter((home) => only === undefined || home.realm === only);
  let counted = 0;
  const tenants = await concurrently(wanted, async (home) => {
    const found = await scanned(operator, home, seen);
    counted += 1;
    if (counted % TOLD_EACH === 0) tell(`  ${counted} of ${wanted.length} tenants are counted`);
    return found;
  });
  // Objects are listed, and only items of tables take read units.
  const tables = tablesOf(operator.residency.parts).map(({ name }) => name);
  const bytes = tenants
    .flatMap(({ parts }) => parts)
    .filter(({ part }) => tables.includes(part))
    .reduce((sum, part) => sum + part.bytes, 0);
  const readUnits = Math.ceil(bytes / UNIT_BYTES);
  const report: Scanned = {
    tenants: tenants.toSorted((a, b) => b.bytes - a.bytes || (a.tenant < b.tenant ? -1 : 1)),
    notServed: records.length - homes.length,
    samples: seen.samples.filter(({ strange }) => strange > 0),
    window: {
      hours: operator.residency.maxMigrationDurationHours,
      largestShare: LARGEST_SHARE,
    },
    cost: { readUnits, dollars: readUnits * READ_UNIT_DOLLARS },
  };
  if (csv !== undefined) await write(csv, scanCsv(report, operator.realms));
  const isFine = report.tenants.every(({ obstacles }) => obstacles.every(({ stops }) => !stops));
  return { report, text: scanText(report, operator.realms, csv), isFine };
}

const TOLD_EACH = 500;

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`${file} cannot be written: ${error.code ?? 'unknown error'}`);
  });
}

/** The records of each tenant, in all realms. */
async function recordsOf({ tenants, realms }: Operator) {
  const found = await Promise.all(
    realms.map(async (realm) => {
      const records: Pick<Whereabouts, 'realm' | 'record'>[] = [];
      for await (const row of tenants.all(realm))
        if ('record' in row && !isSmokeTenant(row.record.tenant))
          records.push({ realm, record: row.record });
      return records;
    }),
  );
  return [...Map.groupBy(found.flat(), ({ record }) => record.tenant).values()];
}

function homeOf(records: readonly Pick<Whereabouts, 'realm' | 'record'>[]): readonly Whereabouts[] {
  const home = ['active', 'frozen']
    .map((state) => records.find(({ record }) => record.state === state))
    .find((one) => one !== undefined);
  return home === undefined
    ? []
    : [{ ...home, others: records.filter(({ realm }) => realm !== home.realm) }];
}

/** What is looked at once for each realm. */
async function seenIn(operator: Operator): Promise<Seen> {
  const { realms, residency, records } = operator;
  const [samples, settings] = await Promise.all([
    Promise.all(
      realms.flatMap((realm) => residency.parts.map((part) => sampleKeys(operator, realm, part))),
    ),
    Promise.all(
      realms.map(async (realm) => [realm, (await records.settings(realm)).settings] as const),
    ),
  ]);
  return { samples, settings: new Map(settings) };
}

async function scanned(
  operator: Operator,
  home: Whereabouts,
  { samples, settings }: Seen,
): Promise<ScannedTenant> {
  const { realm, record } = home;
  const { residency, records, localPort } = operator;
  const { parts } = residency;
  const values = keyValuesOf(record);
  const [sizes, own, looked] = await Promise.all([
    partCountsOf(operator, realm, values),
    records.settings(realm, record.tenant),
    lookedAt(operator, realm, record.tenant),
  ]);
  const moves = operator.realms
    .filter((to) => to !== realm)
    .map((to) => {
      const concurrency = settings.get(to)?.concurrency ?? DEFAULT_CONCURRENCY;
      const isLocal = localPort !== undefined;
      return { to, seconds: forecast({ parts, sizes, concurrency, isLocal }).seconds };
    });
  const noNewMoves = own.settings.noNewMoves ?? settings.get(realm)?.noNewMoves ?? false;
  const strange = samples.filter((sample) => sample.realm === realm && sample.strange > 0);
  const most = residency.maxMigrationDurationHours * 3600 * LARGEST_SHARE;
  const total = (what: 'items' | 'bytes') => sizes.reduce((sum, part) => sum + part[what], 0);
  return {
    tenant: record.tenant,
    realm,
    ...defined({ host: record.host, cloudId: record.cloudId, product: record.product }),
    items: total('items'),
    bytes: total('bytes'),
    parts: sizes,
    moves,
    obstacles: [
      ...ofRecord(home, values, parts, residency.app.forge !== undefined),
      ...ofTargets(home),
      ...moves
        .filter(({ seconds }) => seconds > most)
        .map(({ to, seconds }) => ({
          kind: 'too-large' as const,
          to,
          stops: true,
          says: `a move to ${to} takes ${lasting(seconds)}, and ${LARGEST_SHARE * 100} % of the declared window are ${lasting(most)}`,
        })),
      ...(noNewMoves
        ? [
            {
              kind: 'new-moves-off' as const,
              stops: true,
              says: 'new moves are switched off, for its realm or for it',
            },
          ]
        : []),
      ...looked.says.map((says) => ({ kind: 'objects' as const, stops: true, says })),
      ...(looked.complete
        ? []
        : [{ kind: 'objects-not-looked-at' as const, stops: false, says: NOT_ALL_LOOKED_AT }]),
      ...strange.map((sample) => ({
        kind: 'undeclared-keys' as const,
        stops: true,
        says: `part ${sample.part}: ${sayStrange(sample)}`,
      })),
    ],
  };
}
