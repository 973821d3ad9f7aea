/**
 * Checks of the vendor's own buckets, which no deployment makes or changes: each by its form, and
 * all of one part alike. Objects take on what the bucket has that they are moved to.
 */
import { bucketsOf, isOwn } from '../../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { BucketForm } from '../doctor/bucket-facts.ts';
import {
  bucketFound,
  declaredBuckets,
  type FoundBucket,
  lookedAt,
  vendorsKey,
} from '../doctor/bucket-form.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';

export const partsInOwnBuckets = ({ residency }: Pick<Operator, 'residency'>): readonly S3Part[] =>
  bucketsOf(residency.parts).filter(isOwn);

/** Looks at every own bucket of a realm. Throws the SDK's errors. */
export async function ownBuckets(
  operator: Operator,
  realm: Realm,
): Promise<readonly FoundBucket[]> {
  const declared = await declaredBuckets(operator, realm);
  return lookedAt(
    operator,
    realm,
    declared.filter(({ parts: [part] }) => isOwn(part)),
  );
}

/** Pure. */
export const bucketFormsFound = (buckets: readonly FoundBucket[]): readonly Found[] =>
  buckets.flatMap(({ declared, facts }) => bucketFound(declared, facts));

/**
 * Pure: in what the buckets of a part differ between realms, and what that means for a move. Access
 * and ownership are not compared: every bucket has to have the same.
 */
export function bucketDifferences(
  byRealm: ReadonlyMap<Realm, readonly FoundBucket[]>,
  part: S3Part,
): readonly Found[] {
  const known = [...byRealm].flatMap(([realm, buckets]) => {
    const bucket = buckets.find(({ declared }) =>
      declared.parts.some(({ name }) => name === part.name),
    );
    return bucket?.facts.state === 'there' ? [{ realm, form: bucket.facts.form }] : [];
  });
  const findings = ASPECTS.flatMap(({ name, of, means }) => {
    const realmsBy = Map.groupBy(known, ({ form }) => of(form));
    if (realmsBy.size < 2) return [];
    const says = [...realmsBy]
      .map(([value, some]) => `${value} in ${some.map(({ realm }) => realm).join(', ')}`)
      .join('; ');
    return [
      bad(`the buckets of part ${part.name} differ, ${name}: ${says}`, `make them alike: ${means}`),
    ];
  });
  if (findings.length > 0) return findings;
  return [
    fine(
      `the buckets of part ${part.name} have the same versions, encryption, locks and notifications`,
    ),
  ];
}

interface Aspect {
  readonly name: string;
  readonly of: (form: BucketForm) => string;
  /** What a difference means for a tenant that is moved. */
  readonly means: string;
}

const ASPECTS: readonly Aspect[] = [
  {
    name: 'versions',
    of: ({ versioning }) => (versioning === 'Enabled' ? 'kept' : 'not kept'),
    means:
      'no old version is moved, and a tenant in the bucket without versions cannot take back what it overwrites',
  },
  {
    name: 'encryption',
    of: encryptionOf,
    means: 'a copy is encrypted as its new bucket says, and leaves the key that it was under',
  },
  {
    name: 'Object Lock',
    of: ({ isLockable }) => (isLockable ? 'on' : 'off'),
    means: 'what is locked where it is on can be neither purged nor moved',
  },
  {
    name: 'told of changes',
    of: ({ notified }) => [...new Set(notified.map(serviceOf))].sort().join(' and ') || 'nothing',
    means: 'what happens to the objects of a tenant is told by the bucket that the tenant moved to',
  },
];

/** Keys differ between realms as they must: it is their kind that matters. */
function encryptionOf(form: BucketForm): string {
  const { SSEAlgorithm: algorithm = 'AES256' } = form.encryption;
  if (!algorithm.startsWith('aws:kms')) return algorithm;
  const whose = vendorsKey(form) === undefined ? 'a key that AWS keeps' : 'a key of yours';
  return `${algorithm} with ${whose}`;
}

/** `arn:aws:lambda:us-east-1:…` → `lambda`. */
const serviceOf = (told: string): string => told.split(':')[2] ?? told;
