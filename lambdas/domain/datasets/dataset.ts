/** A tenant's dataset: everything of that tenant in one realm, declared once as a list of parts. */
import type { Realm } from '../realm.ts';

/** `move`: copied, later purged in the source. `drop`: a cache, never copied, purged in the source after commit. */
export type PartPolicy = 'move' | 'drop';

/** One table that holds tenants' items, and how a tenant's keys look in it. */
export interface DynamoDbPart {
  readonly kind: 'dynamodb';
  readonly name: string;
  readonly policy: PartPolicy;
  /** Name of the partition key attribute (a string): it is the tenant, or `tenant#NN` where `shards` is set. */
  readonly partitionKey: string;
  /** Name and type of the sort key attribute. */
  readonly sortKey: { readonly name: string; readonly type: 'S' | 'N' | 'B' };
  /** Number of partition keys per tenant, `tenant#00`… (2 to 100). Without it a tenant has one, its own id. */
  readonly shards?: number;
  /**
   * Attribute with the epoch second from which an item counts as absent, whether or not DynamoDB has removed it yet. What
   * DynamoDB would never remove (`expiry.ts`) is an item like any other.
   */
  readonly ttlAttribute?: string;
  /** The vendor's own table: we are granted access, and neither create nor configure it. */
  readonly tableName?: (realm: Realm, stage: string) => string;
  /**
   * ARN of the customer's key that encrypts the vendor's own table: the roles that read or write it may use that key, through
   * DynamoDB alone. Without it, the table is on a key that AWS keeps.
   */
  readonly encryptionKeyArn?: (realm: Realm, stage: string) => string | undefined;
}

/** What a vendor may declare; another kind of storage joins this union and `adapters/part-kinds.ts`. */
export type Part = DynamoDbPart;

/** A share of a part that one worker moves on its own. `id` is stable: it names the share in the ledger. */
export interface Range {
  readonly id: string;
  readonly part: string;
  readonly partition: string;
}

/** The partition keys of one tenant in a part, and none of any other tenant. */
export function partitionsOf(part: Part, tenant: string): readonly string[] {
  if (part.shards === undefined) return [tenant];
  return Array.from(
    { length: part.shards },
    (_, shard) => `${tenant}#${String(shard).padStart(2, '0')}`,
  );
}

/** The tenant that has this key as a shard of a part, and the part; `undefined` where no tenant has. */
export function ownerOfShard(
  parts: readonly Part[],
  key: string,
): { readonly tenant: string; readonly part: string } | undefined {
  const tenant = key.replace(/#\d\d$/, '');
  if (tenant === '' || tenant === key) return undefined;
  const part = parts.find(
    (one) => one.shards !== undefined && partitionsOf(one, tenant).includes(key),
  );
  return part && { tenant, part: part.name };
}

/** Every key that is a shard of this tenant in some part. */
export const shardsOf = (parts: readonly Part[], tenant: string): readonly string[] => [
  ...new Set(
    parts
      .filter(({ shards }) => shards !== undefined)
      .flatMap((part) => partitionsOf(part, tenant)),
  ),
];

/** All ranges of a tenant in these parts, in a stable order. */
export function rangesOf(parts: readonly Part[], tenant: string): readonly Range[] {
  return parts.flatMap((part) =>
    partitionsOf(part, tenant).map((partition, index) => ({
      id: `${part.name}/${String(index).padStart(2, '0')}`,
      part: part.name,
      partition,
    })),
  );
}

/** Their ids alone. */
export const rangeIdsOf = (parts: readonly Part[], tenant: string): readonly string[] =>
  rangesOf(parts, tenant).map(({ id }) => id);
