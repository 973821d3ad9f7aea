/**
 * What follows from the kind of a part, beside how it is copied: one row for each kind of storage.
 * The rest of the domain, and the app, ask this table.
 */
import type { Realm } from '../realm.ts';
import { checkBucket } from './bucket-declaration.ts';
import type { DynamoDbPart, Part } from './dataset.ts';
import type { Refused } from './declared-fields.ts';
import { formsOf } from './key-template.ts';
import { nestedIn } from './prefix-overlaps.ts';
import type { S3Part } from './s3-part.ts';
import { checkTable } from './table-declaration.ts';

/** Where a part is: names of buckets have the account and the region in them. */
export interface Location {
  readonly stage: string;
  readonly realm: Realm;
  readonly account: string;
  readonly region: string;
}

export interface Kind<P extends Part> {
  /** What a part of this kind is called in sentences. */
  readonly place: 'table' | 'bucket';
  /** Throws a sentence where a declaration is wrong. */
  check(part: unknown, refused: Refused): void;
  /** The name of the vendor's own place; `undefined` where the place is ours. */
  ownName(part: P, location: Location): string | undefined;
  /** Our own place; `prefix` begins all our names in a realm. */
  ourName(part: P, prefix: string, location: Location): string;
  readonly isName: RegExp;
  /** Says what a name may be. */
  readonly nameRule: string;
  /** Of the field that names the vendor's own place. */
  readonly nameField: string;
  /** What two parts in one place must declare alike, and the words for it. */
  formOf(part: P): string;
  readonly formWords: string;
  /** How data of two tenants could mix in one place, beside equal keys; a sentence. */
  mixOf(one: P, other: P): string | undefined;
  /** Whether a rehearsal copies a sample of it. */
  readonly isSampled: boolean;
  /** Whether single items can stand in the way of a move, so that they are looked at. */
  readonly hasObstacles: boolean;
  /** An ARN behind its `arn:{partition}:`. */
  arnOf(name: string, location: Pick<Location, 'account' | 'region'>): string;
}

export const KINDS: {
  readonly [K in Part['kind']]: Kind<Extract<Part, { readonly kind: K }>>;
} = {
  dynamodb: {
    place: 'table',
    check: checkTable,
    ownName: ({ tableName }: DynamoDbPart, { realm, stage }) => tableName?.(realm, stage),
    ourName: ({ name }, prefix) => `${prefix}-${name}`,
    isName: /^[a-zA-Z0-9_.-]{3,255}$/,
    nameRule: 'the name of a table is 3 to 255 letters, digits, dashes, dots and underscores',
    nameField: 'tableName',
    formOf: ({ partitionKey, keyType = 'S', sortKey, ttlAttribute }) =>
      JSON.stringify([partitionKey, keyType, sortKey?.name, sortKey?.type, ttlAttribute]),
    formWords: "partitionKey, keyType, sortKey and ttlAttribute are the table's",
    mixOf: () => undefined,
    isSampled: true,
    hasObstacles: false,
    arnOf: (name, { account, region }) => `dynamodb:${region}:${account}:table/${name}`,
  },
  s3: {
    place: 'bucket',
    check: checkBucket,
    ownName: ({ bucket }: S3Part, { realm, stage, account }) => bucket?.(realm, stage, account),
    ourName: ({ name }, prefix, { account, region }) => `${prefix}-${name}-${account}-${region}`,
    isName: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    nameRule: 'the name of a bucket is 3 to 63 lower-case letters, digits and dashes',
    nameField: 'bucket',
    formOf: ({ keepsVersionsDays }) => JSON.stringify([keepsVersionsDays]),
    formWords: "keepsVersionsDays is the bucket's",
    mixOf: (one, other) => nestedIn(formsOf(one), formsOf(other)),
    isSampled: false,
    hasObstacles: true,
    arnOf: (name) => `s3:::${name}`,
  },
};

export const isKind = (kind: unknown): kind is Part['kind'] =>
  typeof kind === 'string' && Object.hasOwn(KINDS, kind);

export const kindOf = (part: Part): Kind<Part> => KINDS[part.kind];

/** The name of the table or bucket that a part is in. */
export function placeNameOf(part: Part, prefix: string, location: Location): string {
  const kind = kindOf(part);
  return kind.ownName(part, location) ?? kind.ourName(part, prefix, location);
}

/** An account for checks of names, where the real one is not known yet: it has as many digits. */
export const ANY_ACCOUNT = '000000000000';

/** Whether the place is the vendor's own. */
export const isOwn = (part: Part): boolean =>
  (part.kind === 's3' ? part.bucket : part.tableName) !== undefined;

export const tablesOf = (parts: readonly Part[]): readonly DynamoDbPart[] =>
  parts.filter((part): part is DynamoDbPart => part.kind === 'dynamodb');

export const bucketsOf = (parts: readonly Part[]): readonly S3Part[] =>
  parts.filter((part): part is S3Part => part.kind === 's3');
