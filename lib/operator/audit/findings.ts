/** Pure: the rules of an audit. Each rule says what must hold; what breaks it is a finding. */

import { type Part, rangesOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { isNoTenants } from '../../../lambdas/domain/datasets/key-declaration.ts';
import { makersOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { keyValuesOf } from '../../../lambdas/domain/datasets/key-values.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import { isFinal, type Migration } from '../../../lambdas/domain/moving/migration.ts';
import type { Receipt, ReceiptLink } from '../../../lambdas/domain/moving/receipt.ts';
import type { Slot } from '../../../lambdas/domain/moving/slots.ts';
import { isRehearsalKey } from '../../../lambdas/domain/operating/rehearsal.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { DAY_SECONDS } from '../../../lambdas/domain/time.ts';
import { breaksIn, forgeryIn } from '../receipts/receipt-signature.ts';
import type { TenantFacts } from '../tenants/tenant-reader.ts';
import { type KeySample, sayStrange } from './key-sample.ts';

export type FindingKind =
  | 'items-without-active-record'
  | 'keys-of-no-tenant'
  | 'active-twice'
  | 'stub-past-expiry'
  | 'retired-past-purge-date'
  | 'receipt-without-counterpart'
  | 'receipt-not-as-signed'
  | 'receipt-chain-broken'
  | 'slot-without-migration'
  | 'rehearsal-leftover'
  | 'record-of-final-migration'
  | 'alias-without-record';

export interface Finding {
  readonly kind: FindingKind;
  readonly realm: Realm;
  readonly tenant?: string;
  readonly migration?: string;
  readonly part?: string;
  readonly items?: number;
  readonly says: string;
}

/** Everything that an audit has read, from all realms that it looked at. */
export interface Evidence {
  readonly parts: readonly Part[];
  readonly records: readonly { readonly realm: Realm; readonly record: TenantFacts }[];
  readonly migrations: readonly Migration[];
  readonly receipts: readonly { readonly realm: Realm; readonly receipt: Receipt }[];
  /** The chain of each realm's receipts, and the public key that verifies them. */
  readonly chains: readonly {
    readonly realm: Realm;
    readonly links: readonly ReceiptLink[];
    readonly publicKey: string;
  }[];
  /** The one tenant that the audit is about; `undefined` for all tenants. */
  readonly tenant?: string | undefined;
  readonly slots: readonly { readonly realm: Realm; readonly slot: Slot }[];
  readonly aliases: readonly {
    readonly realm: Realm;
    readonly alias: string;
    readonly tenant: string;
    readonly expiresAt?: number;
  }[];
  /** Partition keys that hold items. */
  readonly partitions: readonly Partition[];
  /** Samples of keys; empty where whole tables were read. */
  readonly samples: readonly KeySample[];
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface Partition {
  readonly realm: Realm;
  readonly part: string;
  readonly partition: string;
  readonly items: number;
}

/** DynamoDB removes expired items within a few days, not at once. */
const TTL_SLACK_SECONDS = 3 * DAY_SECONDS;

export function findingsIn(evidence: Evidence): readonly Finding[] {
  return [
    ...ofRecords(evidence),
    ...ofReceipts(evidence),
    ...ofChains(evidence),
    ...ofSlots(evidence),
    ...ofAliases(evidence),
    ...ofPartitions(evidence),
    ...ofSamples(evidence),
  ];
}

const migrationName = (ledger: Realm, tenant: string, id: string): string =>
  JSON.stringify([ledger, tenant, id]);

const byName = (migrations: readonly Migration[]): ReadonlyMap<string, Migration> =>
  new Map(migrations.map((one) => [migrationName(one.ledger, one.tenant, one.id), one]));

function ofRecords({ records, migrations, now }: Evidence): readonly Finding[] {
  const known = byName(migrations);
  const findings: Finding[] = [];
  const activeIn = new Map<string, Realm[]>();
  for (const { realm, record } of records) {
    const { tenant, state, migration: id, ledger, expiresAt, purgeDueAt } = record;
    const about = { realm, tenant, ...defined({ migration: id }) };
    if (state === 'active') activeIn.set(tenant, [...(activeIn.get(tenant) ?? []), realm]);
    if (expiresAt !== undefined && expiresAt + TTL_SLACK_SECONDS < now / 1000)
      findings.push({
        ...about,
        kind: 'stub-past-expiry',
        says: 'its stub has expired, and is still there',
      });
    if (
      state === 'retired' &&
      purgeDueAt !== undefined &&
      purgeDueAt + TTL_SLACK_SECONDS < now / 1000
    )
      findings.push({
        ...about,
        kind: 'retired-past-purge-date',
        says: 'it was uninstalled, and its data should be gone',
      });
    if (id === undefined) continue;
    const owner = known.get(migrationName(ledger ?? realm, tenant, id));
    if (owner === undefined || (isFinal(owner) && !isStub(record, owner))) {
      const status = owner?.status ?? 'not on record';
      findings.push({
        ...about,
        kind: 'record-of-final-migration',
        says: `its record is ${state}, and the migration that owns it is ${status}`,
      });
    }
  }
  for (const [tenant, realms] of activeIn) {
    const [realm, ...others] = realms;
    if (realm !== undefined && others.length > 0)
      findings.push({
        kind: 'active-twice',
        realm,
        tenant,
        says: `it is active in ${realms.join(' and ')}`,
      });
  }
  return findings;
}

/** The record that a committed migration leaves in its source. */
const isStub = ({ state, expiresAt }: TenantFacts, { status }: Migration): boolean =>
  state === 'moved' && status === 'committed' && expiresAt !== undefined;

function ofReceipts({ receipts, migrations }: Evidence): readonly Finding[] {
  const known = byName(migrations);
  return receipts.flatMap(({ realm, receipt }): Finding[] => {
    const { tenant, id, source, target, state } = receipt;
    const about = { kind: 'receipt-without-counterpart' as const, realm, tenant, migration: id };
    const migration = known.get(migrationName(source, tenant, id));
    if (migration === undefined)
      return [
        {
          ...about,
          says: `its receipt says ${state}, and no such migration is on record in ${source}`,
        },
      ];
    // Until the migration has ended, the first receipt is in the target only, and a move may write
    // any receipt.
    if (!isFinal(migration)) return [];
    if (state !== migration.status)
      return [
        { ...about, says: `its receipt says ${state}, and the migration is ${migration.status}` },
      ];
    const other = realm === source ? target : source;
    const has = receipts.some(
      (one) => one.realm === other && one.receipt.tenant === tenant && one.receipt.id === id,
    );
    return has ? [] : [{ ...about, says: `its receipt is not kept in ${other}` }];
  });
}

/**
 * Checks that each realm's chain is whole, that each final receipt is the one that was signed, and
 * that no issued receipt is missing.
 */
function ofChains({ chains, receipts, migrations, tenant: only }: Evidence): readonly Finding[] {
  const known = byName(migrations);
  return chains.flatMap(({ realm, links, publicKey }) => {
    const findings: Finding[] = breaksIn(links).map((says) => ({
      kind: 'receipt-chain-broken' as const,
      realm,
      says,
    }));
    for (const { realm: keeper, receipt } of receipts) {
      const { tenant, id, source, state, link } = receipt;
      const isFinalReceipt = state !== 'ready-to-commit';
      const isOfThis = link === undefined ? keeper === realm : link.realm === realm;
      if (!isFinalReceipt || !isOfThis) continue;
      const says = forgeryIn(receipt, links, publicKey);
      if (says !== undefined && known.has(migrationName(source, tenant, id)))
        findings.push({
          kind: 'receipt-not-as-signed',
          realm: keeper,
          tenant,
          migration: id,
          says,
        });
    }
    for (const { tenant, id, number } of links) {
      if (only !== undefined && tenant !== only) continue;
      const isKept = receipts.some(
        ({ realm: keeper, receipt }) =>
          keeper === realm && receipt.tenant === tenant && receipt.id === id && receipt.link,
      );
      const migration = migrations.find((one) => one.tenant === tenant && one.id === id);
      if (isKept || (migration !== undefined && !isFinal(migration))) continue;
      findings.push({
        kind: 'receipt-chain-broken',
        realm,
        tenant,
        migration: id,
        says: `its receipt is number ${number} of the chain, and is missing`,
      });
    }
    return findings;
  });
}

function ofSlots({ slots, migrations }: Evidence): readonly Finding[] {
  const known = byName(migrations);
  return slots.flatMap(({ realm, slot: { tenant, id } }): Finding[] => {
    const migration = known.get(migrationName(realm, tenant, id));
    if (migration !== undefined && !isFinal(migration)) return [];
    const says = `it holds a window, and its migration is ${migration?.status ?? 'not on record'}`;
    return [{ kind: 'slot-without-migration', realm, tenant, migration: id, says }];
  });
}

function ofAliases({ aliases, records }: Evidence): readonly Finding[] {
  const known = new Set(records.map(({ realm, record }) => JSON.stringify([realm, record.tenant])));
  return (
    aliases
      // An alias without a record is legal while it has an expiry: it was written just before the
      // record, or it points to a stub.
      .filter(({ expiresAt }) => expiresAt === undefined)
      .filter(({ realm, tenant }) => !known.has(JSON.stringify([realm, tenant])))
      .map(({ realm, alias, tenant }) => ({
        kind: 'alias-without-record' as const,
        realm,
        tenant,
        says: `the alias ${alias} names it, and it has no record here`,
      }))
  );
}

function ofPartitions(evidence: Evidence): readonly Finding[] {
  const { parts, partitions, records, migrations } = evidence;
  const known = byName(migrations);
  const ownerOf = ownersIn(evidence);
  const recordOf = new Map(
    records.map(({ realm, record }) => [JSON.stringify([realm, record.tenant]), record]),
  );
  const found = new Map<string, Finding>();
  for (const { realm, part, partition, items } of partitions) {
    const shape = parts.find(({ name }) => name === part);
    if (isNoTenants(shape?.notOfTenants, partition)) continue;
    const owner = ownerOf(part, partition);
    const tenant = owner ?? partition;
    const record = owner === undefined ? undefined : recordOf.get(JSON.stringify([realm, owner]));
    const isMade = shape !== undefined && makersOf(shape, partition).length > 0;
    const isRehearsal = shape !== undefined && isRehearsalKey(shape, partition);
    const reason = isRehearsal
      ? 'a rehearsal has left items behind'
      : strangeness(record, known, realm, isMade);
    if (reason === undefined) continue;
    const kind = isRehearsal ? 'rehearsal-leftover' : 'items-without-active-record';
    const key = JSON.stringify([kind, realm, part, tenant]);
    const all = (found.get(key)?.items ?? 0) + items;
    const who = kind === 'rehearsal-leftover' ? {} : { tenant };
    found.set(key, { kind, realm, ...who, part, items: all, says: reason });
  }
  return [...found.values()];
}

function ofSamples({ samples }: Evidence): readonly Finding[] {
  return samples
    .filter(({ strange }) => strange > 0)
    .map((sample) => ({
      kind: 'keys-of-no-tenant',
      realm: sample.realm,
      part: sample.part,
      says: sayStrange(sample),
    }));
}

/** Why there should be no items beside this record; `undefined` where there may be. */
function strangeness(
  record: TenantFacts | undefined,
  known: ReadonlyMap<string, Migration>,
  realm: Realm,
  isMade: boolean,
): string | undefined {
  if (record === undefined)
    return isMade
      ? 'it has items here, and no record'
      : 'no declared template makes such a key: a move leaves its items behind';
  const { state, tenant, migration: id, ledger, purgeDueAt, keep } = record;
  const owner =
    id === undefined ? undefined : known.get(migrationName(ledger ?? realm, tenant, id));
  const isUnderWay = owner !== undefined && !isFinal(owner);
  switch (state) {
    case 'active':
    case 'frozen':
    case 'retired':
    case 'purging':
      return undefined;
    case 'opening':
      return purgeDueAt !== undefined || keep
        ? undefined
        : 'it has items here before it was ever opened';
    default:
      return isUnderWay ? undefined : `it has items here, where its record is ${state}`;
  }
}

/**
 * The tenant that a partition key belongs to: the one whose record, in whichever realm, makes it;
 * else the one that the part's templates name. `undefined` where no tenant is found.
 */
function ownersIn({ parts, partitions, records }: Evidence) {
  const nameOf = (part: string, partition: string) => JSON.stringify([part, partition]);
  const wanted = new Set(partitions.map(({ part, partition }) => nameOf(part, partition)));
  const owners = new Map<string, string>();
  for (const { record } of wanted.size === 0 ? [] : records)
    for (const { part, partition } of rangesOf(parts, keyValuesOf(record))) {
      const name = nameOf(part, partition);
      if (wanted.has(name)) owners.set(name, record.tenant);
    }
  return (part: string, partition: string): string | undefined =>
    owners.get(nameOf(part, partition)) ?? tenantIn(parts, part, partition);
}

function tenantIn(parts: readonly Part[], part: string, partition: string): string | undefined {
  const shape = parts.find(({ name }) => name === part);
  const makers = shape === undefined ? [] : makersOf(shape, partition);
  return makers.find(({ of }) => of === 'tenant')?.value;
}
