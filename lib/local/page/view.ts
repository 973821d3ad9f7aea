/** What the watch page shows: the realms and what is in them, the migrations and their history, the executions at hand. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { mayHoldItems } from '../../../lambdas/domain/operating/strays.ts';
import { type Realm, stackRows } from '../../../lambdas/domain/realm.ts';
import { namesOf } from '../../../lambdas/domain/residency.ts';
import { residency } from '../../../residency.config.ts';
import { type LocalHost, STAGE } from '../host.ts';
import type { Execution } from '../workflows/execution.ts';
import { type Holding, itemCounts, seldom, type Writes } from './counts.ts';
import { graphIdOf } from './graph.ts';

export interface RealmView {
  readonly realm: Realm;
  readonly region: string;
  readonly url: string;
  readonly tenants: readonly TenantView[];
}

export interface TenantView {
  readonly tenant: string;
  /** Of its record; `none` where there is none. */
  readonly state: string;
  readonly movedTo?: string;
  /** Items, in the order of the parts; `null` while they have not been counted. */
  readonly items: readonly (number | null)[];
  /** It has items here, and neither its record nor a move under way has business with them. */
  readonly isStray: boolean;
}

export interface MigrationView {
  readonly tenant: string;
  readonly id: string;
  readonly source: Realm;
  readonly target: Realm;
  readonly status: string;
  readonly endTime?: string;
  readonly trouble?: string;
  readonly scheduledAt: string;
  readonly timeline: readonly Entry[];
}

/** A line of the ledger's history. */
export interface Entry {
  readonly status: string;
  readonly at: string;
  readonly actor: string;
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
  /** Where it is, and where it has been: `id` is the state's group in the graph. */
  readonly states: readonly StateView[];
  readonly visited: readonly string[];
  readonly retries: number;
}

interface StateView {
  readonly id: string;
  readonly name: string;
}

export interface View {
  readonly parts: readonly { readonly name: string; readonly isCache: boolean }[];
  readonly realms: readonly RealmView[];
  readonly migrations: readonly MigrationView[];
  readonly executions: readonly ExecutionView[];
  /** Tenants that there are beside those that are shown. */
  readonly more: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** A page that shows more of them shows nothing. */
const MOST_TENANTS = 40;
const MOST_MIGRATIONS = 12;
const MOST_EXECUTIONS = 8;
/** Where other processes write too, what was counted is good for this long. */
const GOOD_FOR_MS = 5_000;

export function pageView(host: LocalHost, written: Writes, isHeard: boolean) {
  const rows = stackRows(residency.realms);
  const clients = new Map(
    rows.map(({ realm, region }) => [
      realm,
      DynamoDBDocumentClient.from(new DynamoDBClient({ region, endpoint: host.dynamoDbUrl })),
    ]),
  );
  const counts = itemCounts(written);
  const records = new Map<Realm, readonly Fields[]>();
  const ledgers = new Map<Realm, readonly Fields[]>();
  let tenants: readonly string[] = [];
  let forgottenAt = 0;

  const clientOf = (realm: Realm): DynamoDBDocumentClient => {
    const client = clients.get(realm);
    if (!client) throw new Error(`there is no realm ${realm}`);
    return client;
  };

  const readRecords = seldom(async () => {
    if (!isHeard && performance.now() - forgottenAt > GOOD_FOR_MS) {
      written.forget();
      forgottenAt = performance.now();
    }
    for (const { realm } of rows) {
      const { tenants: table, migrations } = namesOf(residency, STAGE, realm);
      await readInto(records, realm, table, RECORD);
      await readInto(ledgers, realm, migrations, HISTORY);
    }
    const known = new Set([...records.values()].flat().map(({ tenant }) => String(tenant)));
    tenants = [...known].sort();
  }, 200);

  async function readInto(
    known: Map<Realm, readonly Fields[]>,
    realm: Realm,
    table: string,
    what: typeof RECORD | typeof HISTORY,
  ): Promise<void> {
    if (!written.has(table)) return;
    written.take(table);
    known.set(realm, await scan(clientOf(realm), table, what));
  }

  const countItems = seldom(() => counts.recount(rows.flatMap(holdingsIn), 300));

  const holdingsIn = ({ realm }: { readonly realm: Realm }): Holding[] =>
    tenants.slice(0, MOST_TENANTS).flatMap((tenant) => holdingsOf(tenant, realm));

  const holdingsOf = (tenant: string, realm: Realm): Holding[] =>
    residency.parts.map((part) => ({
      client: clientOf(realm),
      table: namesOf(residency, STAGE, realm).part(part),
      part,
      tenant,
    }));

  function tenantsIn(realm: Realm): TenantView[] {
    return tenants.slice(0, MOST_TENANTS).flatMap((tenant) => {
      const record = records.get(realm)?.find((candidate) => candidate['tenant'] === tenant);
      const items = holdingsOf(tenant, realm).map((holding) => counts.of(holding) ?? null);
      // A realm that a tenant is not in, and has nothing in, does not show it.
      if (record === undefined && !items.some(Boolean)) return [];
      const movedTo = record?.['movedTo'];
      return {
        tenant,
        state: record === undefined ? 'none' : String(record['state']),
        ...(movedTo !== undefined && { movedTo: String(movedTo) }),
        items,
        isStray: isStray(realm, tenant, record, items),
      };
    });
  }

  /** Said only of what was read since it was last written to: halves of two moments are no finding. */
  function isStray(
    realm: Realm,
    tenant: string,
    record: Fields | undefined,
    items: readonly (number | null)[],
  ): boolean {
    const isFresh = holdingsOf(tenant, realm).every(counts.isFresh);
    const { tenants: table } = namesOf(residency, STAGE, realm);
    if (!items.some(Boolean) || !isFresh || written.has(table)) return false;
    const state = String(record?.['state'] ?? 'none');
    const ledger = ledgers.get(String(record?.['ledger'] ?? realm)) ?? [];
    const migrationStatus = statusIn(ledger, tenant, record?.['migration']);
    return !mayHoldItems({ state, ...(migrationStatus !== undefined && { migrationStatus }) });
  }

  return {
    /** Reads what there is to read again, if anything and if it is time. */
    async refresh(): Promise<void> {
      await readRecords();
      await countItems();
    },
    view: (): View => ({
      parts: residency.parts.map(({ name, policy }) => ({ name, isCache: policy === 'drop' })),
      realms: rows.map(({ realm, region }) => ({
        realm,
        region,
        url: host.urls[realm] ?? '',
        tenants: tenantsIn(realm),
      })),
      migrations: migrationsIn([...ledgers.values()].flat()).slice(0, MOST_MIGRATIONS),
      executions: rows
        .flatMap(({ realm }) => host.executions(realm))
        .sort((one, other) => other.startDate - one.startDate)
        .slice(0, MOST_EXECUTIONS)
        .map(executionView),
      more: Math.max(0, tenants.length - MOST_TENANTS),
    }),
    close(): void {
      for (const client of clients.values()) client.destroy();
    },
  };
}

/** Never the secret: it does not even leave the store. */
const RECORD = {
  // Without a state, it is a name by which a tenant is found.
  FilterExpression: 'attribute_exists(#state)',
  ProjectionExpression: '#tenant, #state, #movedTo, #migration, #ledger',
  ExpressionAttributeNames: {
    '#tenant': 'tenant',
    '#state': 'state',
    '#movedTo': 'movedTo',
    '#migration': 'migration',
    '#ledger': 'ledger',
  },
};
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

/** Newest first. */
function migrationsIn(items: readonly Fields[]): MigrationView[] {
  const isOf = (kind: string) => (item: Fields) => String(item['id']).startsWith(kind);
  const history = items.filter(isOf('history#'));
  return items
    .filter(isOf('status#'))
    .map((item): MigrationView => {
      const [tenant, id] = [String(item['tenant']), String(item['migration'])];
      const facts: Fields = { ...Object(item['facts']) };
      const error: Fields = { ...Object(item['error']) };
      const trouble = item['halted'] ?? error['reason'];
      return {
        tenant,
        id,
        source: String(item['source']),
        target: String(item['target']),
        status: String(item['status']),
        scheduledAt: String(item['scheduledAt']),
        ...(facts['endTime'] !== undefined && { endTime: String(facts['endTime']) }),
        ...(trouble !== undefined && { trouble: String(trouble) }),
        timeline: history
          .filter((entry) => entry['tenant'] === tenant && isOf(`history#${id}#`)(entry))
          .map(({ status, at, actor }) => ({
            status: String(status),
            at: String(at),
            actor: String(actor),
          }))
          .sort((one, other) => one.at.localeCompare(other.at)),
      };
    })
    .sort((one, other) => other.scheduledAt.localeCompare(one.scheduledAt));
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
    ...(execution.stopDate !== undefined && { endedAt: execution.stopDate }),
    states: execution.states.map((name) => ({ id: graphIdOf(name), name })),
    visited: [...new Set(entered.map(({ state }) => graphIdOf(state)))],
    retries: execution.history.filter(({ what }) => what === 'retried').length,
  };
}
