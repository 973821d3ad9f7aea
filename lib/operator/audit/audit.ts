/** `audit`: reads every record, and finds records and items that are where they should not be. */

import { setTimeout as pause } from 'node:timers/promises';
import { paginateScan } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDbPart,
  type Range,
  rangesOf,
} from '../../../lambdas/domain/datasets/dataset.ts';
import { bucketsOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Migration } from '../../../lambdas/domain/moving/migration.ts';
import { REHEARSAL, rehearsalRanges } from '../../../lambdas/domain/operating/rehearsal.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import { READ_UNIT_DOLLARS } from '../../../lambdas/domain/planning/estimate.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { declaredBuckets } from '../doctor/bucket-form.ts';
import { keyValuesIn, type Operator } from '../operator.ts';
import { unknownTenant } from '../tenants/known-tenant.ts';
import { UsageError } from '../terminal/failure.ts';
import { printable, table } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { everyBeginning } from './bucket-keys.ts';
import { type Evidence, type Finding, type Partition, WITHOUT_PREFIX } from './evidence.ts';
import { findingsIn } from './findings.ts';
import { ownerAttribute, ownerIn } from './scanned-tables.ts';
import { sampleKeys } from './strange-keys.ts';
import { partOfKey, partsByTable } from './table-keys.ts';

export interface AuditOptions {
  readonly tenant?: string | undefined;
  readonly all?: boolean | undefined;
}

export interface AuditReport {
  readonly scope: 'tenant' | 'records' | 'everything';
  readonly tenant?: string;
  readonly findings: readonly Finding[];
  readonly looked: {
    readonly records: number;
    readonly migrations: number;
    readonly receipts: number;
    /** How many of the partition keys that were read hold items. */
    readonly partitions: number;
  };
  /** The cost of reading whole tables. Reads by key cost little beside it. */
  readonly cost: { readonly readUnits: number; readonly dollars: number };
  /** Parts in buckets. */
  readonly buckets: readonly string[];
}

const SECOND_LOOK_MS = 1_000;

export async function audit(operator: Operator, options: AuditOptions): Promise<Verdict> {
  if (options.tenant !== undefined && options.all)
    throw new UsageError('--tenant and --all exclude each other');
  const first = await evidence(operator, options);
  // A tenant of which only items are found is known too: the items are a finding.
  const isAnywhere = [first.records, first.migrations, first.receipts, first.partitions].some(
    (found) => found.length > 0,
  );
  if (options.tenant !== undefined && !isAnywhere) throw unknownTenant(options.tenant);
  let findings = findingsIn(first);
  // Reads that follow each other during a move can contradict each other. So only a finding that a
  // second look confirms counts.
  if (findings.length > 0) {
    await pause(SECOND_LOOK_MS);
    const again = new Set(findingsIn(await evidence(operator, options)).map(keyOf));
    findings = findings.filter((finding) => again.has(keyOf(finding)));
  }
  const report: AuditReport = {
    scope: scopeOf(options),
    ...defined({ tenant: options.tenant }),
    findings,
    looked: {
      records: first.records.length,
      migrations: first.migrations.length,
      receipts: first.receipts.length,
      partitions: first.partitions.length,
    },
    buckets: bucketsOf(operator.residency.parts).map(({ name }) => name),
    cost: { readUnits: first.readUnits, dollars: first.readUnits * READ_UNIT_DOLLARS },
  };
  return { report, text: auditText(report), isFine: findings.length === 0 };
}

function scopeOf({ tenant, all }: AuditOptions): AuditReport['scope'] {
  if (tenant !== undefined) return 'tenant';
  return all ? 'everything' : 'records';
}

/**
 * The number of strange keys in a sample may change between two looks, so the comparison leaves it
 * out.
 */
const keyOf = ({ kind, realm, tenant, migration, part, says }: Finding): string =>
  JSON.stringify([kind, realm, tenant, migration, part, kind === 'keys-of-no-tenant' ? '' : says]);

type Read = Evidence & { readonly readUnits: number };

async function evidence(operator: Operator, options: AuditOptions): Promise<Read> {
  const ofRealms = await Promise.all(
    operator.realms.map((realm) => evidenceOf(operator, realm, options)),
  );
  return {
    parts: operator.residency.parts,
    records: ofRealms.flatMap(({ records }) => records),
    migrations: ofRealms.flatMap(({ migrations }) => migrations),
    receipts: ofRealms.flatMap(({ receipts }) => receipts),
    chains: ofRealms.map(({ chain }) => chain),
    tenant: options.tenant,
    slots: ofRealms.flatMap(({ slots }) => slots),
    aliases: ofRealms.flatMap(({ aliases }) => aliases),
    partitions: ofRealms.flatMap(({ partitions }) => partitions),
    samples: ofRealms.flatMap(({ samples }) => samples),
    readUnits: ofRealms.reduce((sum, { readUnits }) => sum + readUnits, 0),
    now: operator.clock.now(),
  };
}

/**
 * Reads receipts and records before migrations: of a move that ends in between, the last status is
 * then in what is read last.
 */
async function evidenceOf(operator: Operator, realm: Realm, { tenant, all }: AuditOptions) {
  const { ledger, records: reader, tenants } = operator;
  const records: Evidence['records'][number][] = [];
  const aliases: Evidence['aliases'][number][] = [];
  const receipts: Evidence['receipts'][number][] = [];
  const migrations: Migration[] = [];
  if (tenant === undefined) {
    for await (const row of tenants.all(realm)) {
      if ('record' in row) records.push({ realm, record: row.record });
      else for (const holder of row.holders) aliases.push({ realm, alias: row.alias, ...holder });
    }
  } else {
    const record = await tenants.read(realm, tenant);
    if (record) records.push({ realm, record });
  }
  // Reads the chain after the receipts, so that a receipt issued in between has its link.
  for await (const receipt of reader.receipts(realm, tenant)) receipts.push({ realm, receipt });
  const chain = {
    realm,
    links: await ledger.receipts.links(realm),
    publicKey: await operator.clients.publicKey(realm, operator.names(realm).receiptKey),
  };
  for await (const migration of reader.migrations(realm, tenant)) migrations.push(migration);
  const slots = (await ledger.slots.list(realm))
    .filter((slot) => tenant === undefined || slot.tenant === tenant)
    .map((slot) => ({ realm, slot }));
  const { partitions, readUnits } = all
    ? await everyPartition(operator, realm)
    : await partitionsOfTenants(operator, realm, [
        REHEARSAL,
        ...(tenant === undefined ? leftBy(records) : [tenant]),
      ]);
  const parts = all || tenant !== undefined ? [] : operator.residency.parts;
  const samples = await Promise.all(parts.map((part) => sampleKeys(operator, realm, part)));
  return { records, aliases, receipts, chain, migrations, slots, partitions, samples, readUnits };
}

/**
 * Tenants that have left the realm for another. Nothing of them may be left, and a read by key is
 * cheap.
 */
const leftBy = (records: Evidence['records']): readonly string[] =>
  records.flatMap(({ record }) => (record.state === 'moved' ? [record.tenant] : []));

async function everyPartition(operator: Operator, realm: Realm) {
  const rehearsed = await partitionsOfTenants(operator, realm, [REHEARSAL]);
  const partitions: Partition[] = [
    ...rehearsed.partitions.filter(({ part }) => isInBucket(operator, part)),
    ...(await everyPrefix(operator, realm)),
  ];
  let readUnits = 0;
  for (const parts of partsByTable(operator, realm).values()) {
    const scanned = await keysOf(operator, realm, parts[0]);
    readUnits += scanned.readUnits;
    for (const [partition, items] of scanned.items)
      partitions.push({ realm, part: partOfKey(parts, partition).name, partition, items });
  }
  return { partitions, readUnits };
}

/** The items under these tenants' keys, one tenant after the other. */
async function partitionsOfTenants(operator: Operator, realm: Realm, whose: readonly string[]) {
  const { parts } = operator.residency;
  const partitions: Partition[] = [];
  // What a count does not see: old versions, delete markers and open uploads.
  const isEmpty = (range: Range) => operator.partKind.isEmpty(range, realm);
  for (const tenant of whose) {
    const ranges =
      tenant === REHEARSAL
        ? rehearsalRanges(parts)
        : rangesOf(parts, await keyValuesIn(operator, tenant));
    const counts = await Promise.all(ranges.map((range) => countOf(operator, realm, range)));
    // The segments of one table have one partition.
    const found = Map.groupBy(
      ranges.map((range, at) => ({ ...range, items: counts[at] ?? 0 })),
      ({ part, partition }) => JSON.stringify([part, partition]),
    );
    for (const shares of found.values()) {
      const [first] = shares;
      const items = shares.reduce((sum, share) => sum + share.items, 0);
      if (first === undefined) continue;
      const { part, partition } = first;
      const isLeft = items === 0 && isInBucket(operator, part) && !(await isEmpty(first));
      if (items > 0 || isLeft) partitions.push({ realm, part, partition, items });
    }
  }
  return { partitions, readUnits: 0 };
}

/** Every prefix that has versions, delete markers or open uploads, with its current objects. */
async function everyPrefix(operator: Operator, realm: Realm): Promise<readonly Partition[]> {
  const partitions: Partition[] = [];
  for (const { name, parts } of await declaredBuckets(operator, realm)) {
    const { beginnings, loose } = await everyBeginning(operator, realm, { name, parts });
    for (const partition of beginnings) {
      const part = partOfKey(parts, partition).name;
      const range = { id: `${part}/00`, part, partition };
      partitions.push({ realm, part, partition, items: await countOf(operator, realm, range) });
    }
    if (loose > 0)
      partitions.push({ realm, part: parts[0].name, partition: WITHOUT_PREFIX, items: loose });
  }
  return partitions;
}

const isInBucket = ({ residency }: Pick<Operator, 'residency'>, part: string): boolean =>
  bucketsOf(residency.parts).some(({ name }) => name === part);

async function countOf({ partKind }: Operator, realm: Realm, range: Range) {
  const { items, expired } = await partKind.size(range, realm, Number.POSITIVE_INFINITY);
  return items + expired;
}

/**
 * Items by partition key over the whole table. AWS charges for the whole table; only keys travel.
 */
async function keysOf({ clients, names }: Operator, realm: Realm, part: DynamoDbPart) {
  const pages = paginateScan(
    { client: clients.dynamoDb(realm) },
    {
      TableName: names(realm).part(part),
      ConsistentRead: true,
      Select: 'SPECIFIC_ATTRIBUTES',
      ProjectionExpression: '#partition',
      ExpressionAttributeNames: { '#partition': ownerAttribute(part) },
      ReturnConsumedCapacity: 'TOTAL',
    },
  );
  const items = new Map<string, number>();
  let readUnits = 0;
  for await (const { Items: found = [], ConsumedCapacity: consumed } of pages) {
    readUnits += consumed?.CapacityUnits ?? 0;
    for (const item of found) {
      const partition = ownerIn(part, item);
      items.set(partition, (items.get(partition) ?? 0) + 1);
    }
  }
  return { items, readUnits };
}

const SCOPES: Readonly<Record<AuditReport['scope'], string>> = {
  tenant: 'of one tenant, with its items in every realm',
  records:
    'records, ledgers, windows, leftovers of rehearsals and moves, and a few keys of each table (--all reads every key)',
  everything: 'everything',
};

const OF_BUCKETS: Readonly<Record<AuditReport['scope'], string>> = {
  tenant: 'its prefixes',
  records: 'a few keys, and the prefixes of tenants that have moved away',
  everything: 'every prefix',
};

/** Pure: the text for a terminal. */
export function auditText(report: AuditReport): string {
  const { scope, tenant, findings, looked, cost, buckets } = report;
  const seen = `looked at ${SCOPES[scope]}: ${withCommas(looked.records)} records, ${withCommas(looked.migrations)} migrations, ${withCommas(looked.receipts)} receipts`;
  const ofBuckets =
    buckets.length === 0
      ? []
      : [
          `  ${buckets.join(', ')}: ${OF_BUCKETS[scope]}, with old versions, delete markers and open uploads`,
        ];
  const paid =
    scope === 'everything'
      ? [
          ...ofBuckets,
          `  read ${withCommas(looked.partitions)} partition keys, for ${withCommas(Math.ceil(cost.readUnits))} read units (about $${cost.dollars.toFixed(2)})`,
        ]
      : ofBuckets;
  const who = tenant === undefined ? '' : `${printable(tenant)}: `;
  if (findings.length === 0)
    return [`  ${seen}`, ...paid, '', `✓ ${who}nothing is where it should not be`].join('\n');
  return [
    table(
      ['realm', 'tenant', 'what', 'part', 'items', 'migration', ''],
      findings.map(({ realm, tenant: of, kind, part, items, migration, says }) => [
        realm,
        printable(of ?? '', 40),
        kind,
        part,
        items,
        printable(migration ?? '', 20),
        printable(says, 100),
      ]),
    ),
    '',
    `  ${seen}`,
    ...paid,
    '',
    `✗ ${who}${withCommas(findings.length)} found`,
  ].join('\n');
}
