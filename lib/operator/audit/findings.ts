/** Pure: the rules of an audit. Each rule says what must hold; what breaks it is a finding. */

import { defined } from '../../../lambdas/domain/defined.ts';
import { isFinal, type Migration } from '../../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { DAY_SECONDS } from '../../../lambdas/domain/time.ts';
import { breaksIn, forgeryIn } from '../receipts/receipt-signature.ts';
import type { TenantFacts } from '../tenants/tenant-reader.ts';
import { byName, type Evidence, type Finding, migrationName } from './evidence.ts';
import { sayStrange } from './key-sample.ts';
import { ofPartitions } from './partition-findings.ts';

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
