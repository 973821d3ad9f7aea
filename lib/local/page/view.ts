/**
 * The content of the watch page: the realms with their items and objects, the migrations and their
 * history, the running executions.
 */

import { type DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import {
  extended,
  type KeyValues,
  keyValuesOf,
} from '../../../lambdas/domain/datasets/key-values.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import { mayHoldItems } from '../../../lambdas/domain/operating/strays.ts';
import { type Realm, stackRows } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import type { LocalHost } from '../host.ts';
import { STAGE } from '../host-setup.ts';
import type { Execution } from '../workflows/execution.ts';
import { type Holding, itemCounts, seldom, type Writes } from './counts.ts';
import { graphIdOf } from './graph.ts';
import { pageHoldings } from './holdings.ts';
import { type MigrationView, migrationsIn } from './migration-view.ts';
import { progressOf } from './progress.ts';
import { type UnservedView, unservedIn } from './unserved.ts';

export interface RealmView {
  readonly realm: Realm;
  readonly region: string;
  readonly url: string;
  readonly tenants: readonly TenantView[];
}

export interface PartView {
  readonly name: string;
  readonly isCache: boolean;
  /** True where it is in a bucket. */
  readonly ofObjects: boolean;
}

export interface TenantView {
  readonly tenant: string;
  /** The state in its record; `none` where there is no record. */
  readonly state: string;
  readonly movedTo?: string;
  /** Items and objects in the order of the parts; `null` while they are not counted. */
  readonly items: readonly (number | null)[];
  /** Bytes of objects in the same order; `null` for tables. */
  readonly bytes: readonly (number | null)[];
  /** It has items here although neither its record nor a move allows any. */
  readonly isStray: boolean;
  /** Indexes of the parts that were written to since they were counted. */
  readonly stale: readonly number[];
}

export interface ExecutionView {
  readonly realm: Realm;
  readonly name: string;
  readonly tenant: string;
  readonly migration: string;
  readonly phase: string;
  readonly status: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** The states in which it is, and was; `id` is the state's group in the graph. */
  readonly states: readonly StateView[];
  readonly visited: readonly string[];
  readonly retries: number;
}

interface StateView {
  readonly id: string;
  readonly name: string;
}

export interface View {
  readonly parts: readonly PartView[];
  readonly realms: readonly RealmView[];
  /**
   * Open migrations, then finished ones; `moreFinished` counts the finished ones that are left out.
   */
  readonly migrations: readonly MigrationView[];
  readonly moreFinished: number;
  readonly unserved: readonly UnservedView[];
  readonly executions: readonly ExecutionView[];
  /** How many tenants are left out. */
  readonly more: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** A page with more tenants could not be read. */
const MOST_TENANTS = 40;
const MOST_OPEN = 100;
const MOST_FINISHED = 40;
const MOST_EXECUTIONS = 8;
/** Where other processes write too, counts are kept for this long. */
const GOOD_FOR_MS = 5_000;

export function pageView(host: LocalHost, written: Writes, isHeard: boolean) {
  const { residency } = host;
  const rows = stackRows(host.realms);
  const held = pageHoldings(host);
  const { clientOf } = held;
  const counts = itemCounts(written);
  const progress = progressOf(residency, clientOf);
  const records = new Map<Realm, readonly Fields[]>();
  const ledgers = new Map<Realm, readonly Fields[]>();
  let tenants: readonly string[] = [];
  let values: ReadonlyMap<string, KeyValues> = new Map();
  let migrations: readonly MigrationView[] = [];
  let forgottenAt = 0;

  function forget(): void {
    written.forget();
    forgottenAt = performance.now();
  }

  let reading: Promise<void> = Promise.resolve();
  /**
   * Reads one after the other, so that a later caller sees everything that an earlier one has
   * marked as read.
   */
  const readRecords = seldom(() => {
    reading = reading.catch(() => undefined).then(readAll);
    return reading;
  }, 200);

  async function readAll(): Promise<void> {
    if (!isHeard && performance.now() - forgottenAt > GOOD_FOR_MS) forget();
    for (const { realm } of rows) {
      const { tenants: table, migrations } = physicalNames(residency, STAGE, realm);
      await readInto(records, realm, table, RECORD);
      await readInto(ledgers, realm, migrations, HISTORY);
    }
    const known = new Set([...records.values()].flat().map(({ tenant }) => String(tenant)));
    tenants = [...known].sort();
    values = valuesIn([...records.values()].flat());
    migrations = migrationsIn([...ledgers.values()].flat());
  }

  async function readInto(
    known: Map<Realm, readonly Fields[]>,
    realm: Realm,
    table: string,
    what: typeof RECORD | typeof HISTORY,
  ): Promise<void> {
    if (!written.has(table)) return;
    written.take(table);
    try {
      known.set(realm, await scan(clientOf(realm), table, what));
    } catch (error) {
      written.giveBack(table);
      throw error;
    }
  }

  const lookAtCopies = seldom(() => progress.look(migrations, itemsMovedBy), 500);

  /** The items and objects of the source in parts that move. */
  function itemsMovedBy({ tenant, source }: MigrationView): number | undefined {
    if (!held.has(source)) return undefined;
    const moved = holdingsOf(tenant, source).filter(({ part }) => part.policy === 'move');
    const items = moved.map((holding) => counts.of(holding));
    return items.includes(undefined)
      ? undefined
      : items.reduce<number>((sum, one = 0) => sum + one, 0);
  }

  const countItems = seldom(() => counts.recount(rows.flatMap(holdingsIn), 300));

  const holdingsIn = ({ realm }: { readonly realm: Realm }): Holding[] =>
    tenants.slice(0, MOST_TENANTS).flatMap((tenant) => holdingsOf(tenant, realm));

  const holdingsOf = (tenant: string, realm: Realm): readonly Holding[] =>
    held.of(values.get(tenant) ?? { tenant }, realm);

  function tenantsIn(realm: Realm): TenantView[] {
    return tenants.slice(0, MOST_TENANTS).flatMap((tenant) => {
      const record = records.get(realm)?.find((candidate) => candidate['tenant'] === tenant);
      const holdings = holdingsOf(tenant, realm);
      const items = holdings.map((holding) => counts.of(holding) ?? null);
      // A realm does not list a tenant that has neither record nor items in it.
      if (record === undefined && !items.some(Boolean)) return [];
      const movedTo = record?.['movedTo'];
      return {
        tenant,
        state: record === undefined ? 'none' : String(record['state']),
        ...(movedTo !== undefined && { movedTo: String(movedTo) }),
        items,
        bytes: holdings.map((holding) => counts.bytesOf(holding) ?? null),
        isStray: isStray(realm, tenant, record, items),
        stale: holdings.flatMap((holding, at) => (counts.isStale(holding) ? [at] : [])),
      };
    });
  }

  /**
   * True only for places that were read since their last write: reads of two different moments
   * prove nothing.
   */
  function isStray(
    realm: Realm,
    tenant: string,
    record: Fields | undefined,
    items: readonly (number | null)[],
  ): boolean {
    const isFresh = holdingsOf(tenant, realm).every(counts.isFresh);
    const { tenants: table } = physicalNames(residency, STAGE, realm);
    if (!items.some(Boolean) || !isFresh || written.has(table)) return false;
    const state = String(record?.['state'] ?? 'none');
    const ledger = ledgers.get(String(record?.['ledger'] ?? realm)) ?? [];
    const migrationStatus = statusIn(ledger, tenant, record?.['migration']);
    return !mayHoldItems({ state, ...defined({ migrationStatus }) });
  }

  const realmViews = (): RealmView[] =>
    rows.map(({ realm, region }) => ({
      realm,
      region,
      url: host.urls[realm] ?? '',
      tenants: tenantsIn(realm),
    }));

  function shownMigrations() {
    const [open, finished] = [false, true].map((isFinal) =>
      migrations.filter((migration) => migration.isFinal === isFinal),
    ) as [MigrationView[], MigrationView[]];
    const shown = [...open.slice(0, MOST_OPEN), ...finished.slice(0, MOST_FINISHED)];
    return {
      migrations: shown.map((migration) => {
        const copied = progress.of(migration);
        return copied ? { ...migration, progress: copied } : migration;
      }),
      moreFinished: Math.max(0, finished.length - MOST_FINISHED),
    };
  }

  return {
    /** Reads again what was written to, as often as `seldom` allows. */
    async refresh(): Promise<void> {
      await readRecords();
      await countItems();
      await lookAtCopies();
    },
    /** Reads records and ledgers at once: the next action depends on them. */
    async refreshNow(): Promise<void> {
      if (!isHeard) forget();
      await readRecords('now');
    },
    /** All migrations, also those that the view leaves out. */
    migrations: (): readonly MigrationView[] => migrations,
    view(): View {
      const realms = realmViews();
      return {
        parts: held.parts.map(({ name, policy, kind }) => ({
          name,
          isCache: policy === 'drop',
          ofObjects: kind === 's3',
        })),
        realms,
        unserved: unservedIn(realms),
        ...shownMigrations(),
        executions: rows
          .flatMap(({ realm }) => host.executions(realm))
          .sort((one, other) => other.startDate - one.startDate)
          .slice(0, MOST_EXECUTIONS)
          .map(executionView),
        more: Math.max(0, tenants.length - MOST_TENANTS),
      };
    },
    close(): void {
      held.close();
    },
  };
}

/** Never reads the secret. */
const RECORD = {
  // An item without a state is an alias.
  FilterExpression: 'attribute_exists(#state)',
  ProjectionExpression:
    '#tenant, #state, #movedTo, #migration, #ledger, #cloudId, #installations, #former, #tenantKey',
  ExpressionAttributeNames: {
    '#tenant': 'tenant',
    '#state': 'state',
    '#movedTo': 'movedTo',
    '#migration': 'migration',
    '#ledger': 'ledger',
    '#cloudId': 'cloudId',
    '#installations': 'installations',
    '#former': 'formerInstallations',
    '#tenantKey': 'tenantKey',
  },
};

/** What the keys of each tenant are made of, by what all realms know of it. */
function valuesIn(records: readonly Fields[]): ReadonlyMap<string, KeyValues> {
  const all = new Map<string, KeyValues>();
  for (const fields of records) {
    // Written by the tenant store alone.
    const own = keyValuesOf(fields as unknown as TenantRecord);
    const known = all.get(own.tenant);
    all.set(own.tenant, known === undefined ? own : extended(known, own));
  }
  return all;
}

const HISTORY = {
  FilterExpression: 'begins_with(#id, :status) OR begins_with(#id, :history)',
  ExpressionAttributeNames: { '#id': 'id' },
  ExpressionAttributeValues: { ':status': 'status#', ':history': 'history#' },
};

async function scan(
  client: DynamoDBDocumentClient,
  TableName: string,
  more: typeof RECORD | typeof HISTORY,
): Promise<Fields[]> {
  const found: Fields[] = [];
  const pages = paginateScan({ client }, { TableName, ConsistentRead: true, ...more });
  for await (const page of pages) found.push(...(page.Items ?? []));
  return found;
}

function statusIn(ledger: readonly Fields[], tenant: string, id: unknown): string | undefined {
  const found = ledger.find((item) => item['tenant'] === tenant && item['id'] === `status#${id}`);
  return found && String(found['status']);
}

function executionView(execution: Execution): ExecutionView {
  const input: Fields = { ...Object(JSON.parse(execution.input)) };
  const entered = execution.history.filter(({ what }) => what === 'entered');
  return {
    realm: execution.realm,
    name: execution.name,
    tenant: String(input['tenant']),
    migration: String(input['migration']),
    phase: String(input['phase']),
    status: execution.status,
    startedAt: execution.startDate,
    ...defined({ endedAt: execution.stopDate }),
    states: execution.states.map((name) => ({ id: graphIdOf(name), name })),
    visited: [...new Set(entered.map(({ state }) => graphIdOf(state)))],
    retries: execution.history.filter(({ what }) => what === 'retried').length,
  };
}
