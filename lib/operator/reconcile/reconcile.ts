/**
 * `reconcile`: compares our tenants with the list of installations that Atlassian lets a vendor
 * download. A lost event of an uninstallation does not come again; with `--apply` such a tenant is
 * retired as the event would have done.
 */

import { isSmokeTenant } from '../../../lambdas/domain/operating/smoke.ts';
import type { RetireAnswer } from '../../../lambdas/domain/operating/tenant-operations.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { actorOf, type Confirm, invoked } from '../acting/act.ts';
import { fileText } from '../files/file-text.ts';
import { timeOf } from '../moves/migrations.ts';
import type { Operator } from '../operator.ts';
import type { TenantFacts } from '../tenants/tenant-reader.ts';
import { Failure, UsageError } from '../terminal/failure.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { type Entry, installationsIn } from './installations-file.ts';
import { type Matcher, matcher } from './matching.ts';
import { type Reconciled, type Row, reconcileText } from './reconcile-text.ts';

export interface ReconcileOptions {
  readonly installations: string;
  readonly asOf?: string;
  readonly atMost?: string;
  readonly apply?: boolean;
}

/** More than these look like a list of another app, or half a list. */
const AT_MOST = 10;

/** A tenant in the realm that serves it, or from which it moves. */
export interface Home {
  readonly realm: Realm;
  readonly record: TenantFacts;
}

export function assertReconcilable(
  _: Operator,
  { asOf, atMost, apply }: ReconcileOptions,
  now = Date.now(),
): void {
  if (apply && asOf === undefined)
    throw new UsageError(
      'when was the list made? Say --as-of: a tenant that was installed later is left alone',
    );
  if (asOf !== undefined && momentOf(asOf, now) > now)
    throw new UsageError('--as-of is in the future');
  if (atMost !== undefined && !/^[1-9]\d{0,4}$/.test(atMost))
    throw new UsageError(`--at-most is a whole number, not "${atMost}"`);
}

export async function reconcile(
  operator: Operator,
  options: ReconcileOptions,
  confirm: Confirm,
): Promise<Verdict> {
  const file = options.installations;
  const now = operator.clock.now();
  const asOf = options.asOf === undefined ? now : momentOf(options.asOf, now);
  const listed = installationsIn(await fileText(file), file);
  const environment = (operator.residency.app.forge?.environment ?? 'PRODUCTION').toLowerCase();
  const entries = listed.filter((one) => (one.environment ?? environment) === environment);
  if (entries.length === 0)
    throw new Failure(`${file} lists no installation of the environment ${environment}`);
  const records = await recordsOf(operator);
  const homes = homesIn(records);
  const matched = matcher(entries);
  const later = homes.filter(({ record }) => (record.installedIat ?? 0) * 1000 > asOf);
  const compared = homes.filter((home) => !later.includes(home));
  const rows: readonly Row[] = [
    ...rowsOfTenants(compared, matched),
    ...rowsOfEntries(entries, matched, records, homes),
  ];
  const report = (found: readonly Row[]): Reconciled => ({
    file,
    asOf: new Date(asOf).toISOString(),
    applied: options.apply === true,
    listed: entries.length,
    otherEnvironments: listed.length - entries.length,
    tenants: homes.length,
    installedLater: later.length,
    rows: found,
  });
  const gone = rows.filter(({ found }) => found === 'gone');
  if (!options.apply || gone.length === 0) return verdictOn(report(rows));
  const most = options.atMost === undefined ? AT_MOST : Number(options.atMost);
  if (gone.length > most)
    throw new Failure(
      `${gone.length} of ${homes.length} tenants are not in the list, and at most ${most} are retired at once: is it the whole list, of this app? If so, say --at-most ${gone.length}`,
    );
  await confirm(
    `Retire ${gone.map(({ tenant }) => tenant).join(', ')}? The app serves them no more, moves of them are undone, and their data is purged in 30 days unless they are installed again.`,
  );
  const retired: Row[] = [];
  for (const row of gone) retired.push(await retire(operator, row, asOf));
  return verdictOn(
    report(rows.map((row) => retired.find((one) => one.tenant === row.tenant) ?? row)),
  );
}

function verdictOn(report: Reconciled): Verdict {
  const isFine = report.rows.every(({ outcome }) => outcome !== undefined && outcome !== 'refused');
  return { report, text: reconcileText(report), isFine };
}

/**
 * A time without an offset would be taken for one of this machine: hours off, tenants that were
 * installed since would be missed.
 */
function momentOf(text: string, now: number): number {
  if (/[T ]\d{2}:\d{2}/.test(text) && !/(?:Z|[+-]\d{2}:?\d{2})$/.test(text))
    throw new UsageError('--as-of says its offset: 2026-11-25T02:00Z, or an age: 90m, 12h, 7d');
  return timeOf(text, now);
}

type Records = ReadonlyMap<string, readonly Home[]>;

async function recordsOf({ tenants, realms }: Operator): Promise<Records> {
  const found = await Promise.all(
    realms.map(async (realm) => {
      const homes: Home[] = [];
      for await (const row of tenants.all(realm))
        if ('record' in row && !isSmokeTenant(row.record.tenant))
          homes.push({ realm, record: row.record });
      return homes;
    }),
  );
  return Map.groupBy(found.flat(), ({ record }) => record.tenant);
}

/** The states in which a realm is asked to retire a tenant, best first. */
const SERVING: readonly TenantFacts['state'][] = [
  'active',
  'frozen',
  'moved',
  'standby',
  'withdrawn',
];

/** One home for each tenant that is installed as far as we know; a stub is no home. */
function homesIn(records: Records): readonly Home[] {
  return [...records.values()].flatMap((those) => {
    const serving = those
      .filter(({ record }) => SERVING.includes(record.state) && record.expiresAt === undefined)
      .toSorted((a, b) => SERVING.indexOf(a.record.state) - SERVING.indexOf(b.record.state));
    const [home] = serving;
    const isLeaving = serving.some(({ record }) => record.uninstalledIat !== undefined);
    return home === undefined || isLeaving ? [] : [home];
  });
}

function rowsOfTenants(homes: readonly Home[], { match }: Matcher): readonly Row[] {
  return homes.flatMap(({ realm, record }): readonly Row[] => {
    const { found, says } = match(record);
    return found === 'installed' ? [] : [{ found, tenant: record.tenant, realm, says }];
  });
}

/** The other way round: what Atlassian knows as installed, and we do not serve. */
function rowsOfEntries(
  entries: readonly Entry[],
  { entriesOf, entriesByHost }: Matcher,
  records: Records,
  homes: readonly Home[],
): readonly Row[] {
  const served = new Set(
    homes.flatMap(({ record }) => [...entriesOf(record), ...entriesByHost(record)]),
  );
  const retired = new Map(
    [...records.values()]
      .flat()
      .flatMap(({ realm, record }) =>
        entriesOf(record).map((entry) => [entry, { realm, record }] as const),
      ),
  );
  return entries
    .filter((entry) => !served.has(entry))
    .map((entry): Row => {
      const { line, installationId, clientKey, cloudId, host } = entry;
      const known = retired.get(entry);
      const installation = clientKey ?? installationId ?? cloudId ?? host ?? '';
      if (known !== undefined)
        return {
          found: 'not-served',
          line,
          installation,
          tenant: known.record.tenant,
          realm: known.realm,
          says: `it is ${known.record.state} here: ask the customer to reinstall or update the app`,
        };
      return {
        found: 'unknown',
        line,
        installation,
        says: 'no realm has a record of it: import it, or ask the customer to reinstall the app',
      };
    });
}

async function retire(operator: Operator, row: Row, asOf: number): Promise<Row> {
  const { tenant, realm = '' } = row;
  const actor = await actorOf(operator);
  const input = { verb: 'retire', realm, tenant, iat: Math.floor(asOf / 1000), actor };
  const answer = await invoked(operator, realm, 'tenants', input);
  if (!isAnswer(answer)) throw new Failure('the function tenants gave no answer');
  return { ...row, outcome: answer.outcome, says: answer.message };
}

const isAnswer = (value: unknown): value is RetireAnswer =>
  typeof value === 'object' && value !== null && 'outcome' in value && 'message' in value;
