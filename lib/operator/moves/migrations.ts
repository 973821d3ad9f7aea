/** `migrations`: what is under way, or everything that the ledgers have on record. */

import { defined } from '../../../lambdas/domain/defined.ts';
import {
  attemptOfPhase,
  isFinal,
  type Migration,
  STATUSES,
  type Status,
} from '../../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../lambdas/domain/time.ts';
import { factsIn, factText, type SettingFact } from '../acting/settings.ts';
import type { Operator } from '../operator.ts';
import { UsageError } from '../terminal/failure.ts';
import { moment, printable, table } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';

export interface MigrationsFilter {
  readonly realm?: string | undefined;
  readonly status?: string | undefined;
  readonly since?: string | undefined;
  readonly all?: boolean | undefined;
}

export interface MigrationRow {
  readonly tenant: string;
  readonly id: string;
  readonly source: Realm;
  readonly target: Realm;
  readonly status: Status;
  /** Attempts of the present phase. */
  readonly attempt: number;
  readonly scheduledAt: string;
  readonly updatedAt: string;
  readonly windowEnds?: string;
  readonly error?: Migration['error'];
  readonly halted?: string;
  /** How the last failed execution of the present phase ended. */
  readonly lastFailure?: string;
}

/** Reads only the index of open migrations, unless a filter can match final ones. */
export async function migrations(operator: Operator, filter: MigrationsFilter): Promise<Verdict> {
  const realms = filter.realm === undefined ? operator.realms : [operator.realmNamed(filter.realm)];
  const status = filter.status === undefined ? undefined : statusNamed(filter.status);
  const since = filter.since === undefined ? undefined : timeOf(filter.since);
  const needsAll =
    filter.all === true || since !== undefined || (status !== undefined && isFinal({ status }));
  // A migration is on record in its source; `--realm` matches both sides of it.
  const found = await Promise.all(
    operator.realms.map((ledger) => listed(operator, ledger, needsAll)),
  );
  const rows = found
    .flat()
    .filter(({ source, target }) => realms.includes(source) || realms.includes(target))
    .filter((migration) => status === undefined || migration.status === status)
    .filter(({ updatedAt }) => since === undefined || Date.parse(updatedAt) >= since)
    .toSorted((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1))
    .map(rowOf);
  const settings = (await Promise.all(realms.map((realm) => factsIn(operator, realm)))).flat();
  return {
    report: { migrations: rows, settings },
    text: [migrationsText(rows, needsAll), ...settingLines(settings)].join('\n'),
    isFine: true,
  };
}

async function listed(
  { ledger, records }: Operator,
  realm: Realm,
  all: boolean,
): Promise<readonly Migration[]> {
  if (!all) return ledger.migrations.open(realm);
  const found: Migration[] = [];
  for await (const migration of records.migrations(realm)) found.push(migration);
  return found;
}

export function rowOf(migration: Migration): MigrationRow {
  const { tenant, id, source, target, status, scheduledAt, updatedAt } = migration;
  const { facts, error, halted, lastFailure } = migration;
  return {
    tenant,
    id,
    source,
    target,
    status,
    attempt: attemptOfPhase(migration),
    scheduledAt,
    updatedAt,
    ...(facts && { windowEnds: facts.endTime }),
    ...defined({ error, halted, lastFailure }),
  };
}

export function migrationsText(rows: readonly MigrationRow[], all: boolean): string {
  if (rows.length === 0) return all ? 'no migration is on record' : 'no migration is open';
  return table(
    ['tenant', 'migration', 'from', 'to', 'status', 'since', 'window ends', ''],
    rows.map(({ tenant, id, source, target, status, updatedAt, windowEnds, error, halted }) => [
      printable(tenant, 40),
      printable(id, 20),
      source,
      target,
      status,
      moment(updatedAt),
      windowEnds === undefined ? '' : moment(windowEnds),
      printable(halted === undefined ? (error?.reason ?? '') : `halted: ${halted}`, 60),
    ]),
  );
}

/** The settings that explain why there is no move. */
const settingLines = (settings: readonly SettingFact[]): readonly string[] =>
  settings.length === 0 ? [] : ['', ...settings.map((fact) => `  ${factText(fact)}`)];

function statusNamed(text: string): Status {
  const status = STATUSES.find((candidate) => candidate === text);
  if (status === undefined)
    throw new UsageError(`no status is called "${text}": there are ${STATUSES.join(', ')}`);
  return status;
}

const UNITS: Readonly<Record<string, number>> = { m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** Parses an ISO time, or an age: 90m, 12h, 7d. Returns epoch milliseconds. */
export function timeOf(text: string, now = Date.now()): number {
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (amount !== undefined) return now - Number(amount) * (UNITS[unit] ?? 0);
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new UsageError(
      `"${text}" is neither a time (2026-11-25T02:00Z) nor an age (90m, 12h, 7d)`,
    );
  return time;
}
