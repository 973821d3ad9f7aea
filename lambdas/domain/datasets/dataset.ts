/** A tenant's dataset: everything of that tenant in one realm, declared once as a list of parts. */
import { defined } from '../defined.ts';
import type { Realm } from '../realm.ts';
import { type Segment, segmentsOf } from './discovery.ts';
import { formsOf, type KeyDeclaration, keysOf } from './key-template.ts';
import { ANYBODY, type KeyValues } from './key-values.ts';
import type { S3Part } from './s3-part.ts';

/**
 * `move`: copied, later purged in the source. `drop`: a cache, never copied, purged in the source
 * after commit.
 */
export type PartPolicy = 'move' | 'drop';

/** One table that holds tenants' items, and the form of a tenant's keys in it. */
export interface DynamoDbPart extends Omit<KeyDeclaration, 'prefix'> {
  readonly kind: 'dynamodb';
  readonly name: string;
  readonly policy: PartPolicy;
  /** Name of the partition key attribute. Its type and form are in `KeyDeclaration`. */
  readonly partitionKey: string;
  readonly prefix?: never;
  /** Name and type of the sort key attribute; absent where the table has none. */
  readonly sortKey?: { readonly name: string; readonly type: 'S' | 'N' | 'B' };
  /**
   * Partition keys of the table that belong to no tenant: `SETTINGS`, or `VERSION#*` for all with
   * this prefix. They are never touched.
   */
  readonly notOfTenants?: readonly string[];
  /**
   * Attribute with the epoch second from which an item counts as absent, whether or not DynamoDB
   * has removed it yet. An item that DynamoDB would never remove (`expiry.ts`) counts as any other.
   */
  readonly ttlAttribute?: string;
  /** The vendor's own table: we are granted access, and neither create nor configure it. */
  readonly tableName?: (realm: Realm, stage: string) => string;
  /**
   * ARN of the customer-managed key that encrypts the vendor's own table: the roles that read or
   * write it may use that key, only through DynamoDB. Without it, the table is on a key that AWS
   * keeps.
   */
  readonly encryptionKeyArn?: (realm: Realm, stage: string) => string | undefined;
}

/**
 * What a vendor may declare. `kinds.ts` has what follows from the kind; `compose.ts` chooses the
 * `PartKind` (`ports.ts`) by it. Nothing else in the domain or the app knows a kind.
 */
export type Part = DynamoDbPart | S3Part;

/**
 * A share of a part that one worker moves on its own. `id` is stable: it names the share in the
 * ledger.
 */
export interface Range {
  readonly id: string;
  readonly part: string;
  /**
   * The partition key: text, the digits of a number, or bytes in base64. In a table that is scanned
   * the text in the attribute that holds the tenant, or what the partition keys begin with. In a
   * bucket the prefix.
   */
  readonly partition: string;
  /** In a table that is scanned: the share of the table that this is. */
  readonly segment?: Segment;
  /** In a table that is scanned: this partition and the tenant's others. */
  readonly partitions?: readonly string[];
}

/**
 * The partition keys of one tenant in a part, as far as the tenant is known, and none of any other
 * tenant.
 */
export const partitionsOf = (part: Part, values: KeyValues): readonly string[] =>
  keysOf(part, values);

/** The number for a tenant with one installation. */
export const rangesPerTenant = (part: Part): number => rangesOf([part], ANYBODY).length;

/**
 * The tenant for which this key is a shard of a part, and the part; `undefined` where there is
 * none.
 */
export function ownerOfShard(
  parts: readonly Part[],
  key: string,
): { readonly tenant: string; readonly part: string } | undefined {
  const tenant = key.replace(/#\d\d$/, '');
  if (tenant === '' || tenant === key) return undefined;
  const part = parts.find(
    (one) => isInShortShards(one) && partitionsOf(one, { tenant }).includes(key),
  );
  return part && { tenant, part: part.name };
}

/** Every key that is a shard of this tenant in some part. */
export const shardsOf = (parts: readonly Part[], tenant: string): readonly string[] => [
  ...new Set(parts.filter(isInShortShards).flatMap((part) => partitionsOf(part, { tenant }))),
];

/** `tenant#00`, `tenant#01` … */
const isInShortShards = ({ key, shards }: Part): boolean =>
  key === undefined && shards !== undefined;

/** All ranges of a tenant in these parts, in a stable order. */
export function rangesOf(parts: readonly Part[], values: KeyValues): readonly Range[] {
  return parts.flatMap((part) =>
    sharesOf(part, values).map((share, index) => ({
      ...share,
      id: `${part.name}/${String(index).padStart(2, '0')}`,
      part: part.name,
    })),
  );
}

/** A partition key that is known later comes last, with all its segments. */
function sharesOf(part: Part, values: KeyValues): readonly Omit<Range, 'id' | 'part'>[] {
  const { discover } = part;
  const partitions = partitionsOf(part, values);
  if (discover === undefined) return partitions.map((partition) => ({ partition }));
  const of = segmentsOf(discover);
  return partitions.flatMap((partition) =>
    Array.from({ length: of }, (_, at) => ({ partition, partitions, segment: { at, of } })),
  );
}

/**
 * Those of a tenant's values that keys of these parts are made of. A migration keeps no
 * others: what no key names has no business in a ledger.
 */
export function namedValues(parts: readonly Part[], values: KeyValues): KeyValues {
  const named = new Set(parts.flatMap((part) => formsOf(part).map(({ of }) => of)));
  const { tenant, cloudId, installations, tenantKey } = values;
  const isOfInstallations = named.has('installation') || named.has('installationUuid');
  return {
    tenant,
    ...defined({
      cloudId: named.has('cloudId') ? cloudId : undefined,
      installations: isOfInstallations ? installations : undefined,
      tenantKey: named.has('tenantKey') ? tenantKey : undefined,
    }),
  };
}

/** True where some key is made of more than our own id of the tenant. */
export const isKeyedByMore = (parts: readonly Part[]): boolean =>
  parts.some((part) => formsOf(part).some(({ of }) => of !== 'tenant'));

/** Where the tenant can have items by what is `later` known of it, and not by what was `fixed`. */
export function strayRanges(
  parts: readonly Part[],
  fixed: KeyValues,
  later: KeyValues,
): readonly Range[] {
  const keysIn = new Map(parts.map((part) => [part.name, new Set(partitionsOf(part, fixed))]));
  return rangesOf(parts, later).filter(({ part, partition }) => !keysIn.get(part)?.has(partition));
}

/** The ids of these ranges. */
export const rangeIdsOf = (parts: readonly Part[], values: KeyValues): readonly string[] =>
  rangesOf(parts, values).map(({ id }) => id);
