/** Pure: the rules of an audit on partition keys and prefixes that hold something. */
import { type Part, rangesOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { isNoTenants } from '../../../lambdas/domain/datasets/key-declaration.ts';
import { makersOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { keyValuesOf } from '../../../lambdas/domain/datasets/key-values.ts';
import { isFinal, type Migration } from '../../../lambdas/domain/moving/migration.ts';
import { isRehearsalKey } from '../../../lambdas/domain/operating/rehearsal.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { TenantFacts } from '../tenants/tenant-reader.ts';
import {
  byName,
  type Evidence,
  type Finding,
  type FindingKind,
  migrationName,
} from './evidence.ts';

export function ofPartitions(evidence: Evidence): readonly Finding[] {
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
      : strangeness(record, known, realm, isMade, items === 0 ? VERSIONS : 'items');
    if (reason === undefined) continue;
    const kind = kindOf(isRehearsal, items);
    const key = JSON.stringify([kind, realm, part, tenant]);
    const all = (found.get(key)?.items ?? 0) + items;
    const who = kind === 'rehearsal-leftover' ? {} : { tenant };
    found.set(key, { kind, realm, ...who, part, items: all, says: reason });
  }
  return [...found.values()];
}

const VERSIONS = 'old versions, delete markers or open uploads';

function kindOf(isRehearsal: boolean, items: number): FindingKind {
  if (isRehearsal) return 'rehearsal-leftover';
  return items === 0 ? 'versions-without-active-record' : 'items-without-active-record';
}

/** Why there should be no items beside this record; `undefined` where there may be. */
function strangeness(
  record: TenantFacts | undefined,
  known: ReadonlyMap<string, Migration>,
  realm: Realm,
  isMade: boolean,
  what: string,
): string | undefined {
  if (record === undefined)
    return isMade
      ? `it has ${what} here, and no record`
      : `no declared template makes such a key: a move leaves its ${what} behind`;
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
        : `it has ${what} here before it was ever opened`;
    default:
      return isUnderWay ? undefined : `it has ${what} here, where its record is ${state}`;
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
