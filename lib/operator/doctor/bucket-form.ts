/**
 * Checks of `doctor` and `preflight` on the form of every bucket, the vendor's own included. A
 * bucket of another form loses what is moved into it, or keeps what was purged.
 */
import type { LifecycleRule } from '@aws-sdk/client-s3';
import { formsOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { bucketsOf, isOwn } from '../../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';
import { type BucketFacts, type BucketForm, bucketFacts } from './bucket-facts.ts';
import { bad, type Found, fine } from './check.ts';

/** A bucket in a realm, as the configuration declares it. */
export interface DeclaredBucket {
  readonly name: string;
  readonly realm: Realm;
  readonly region: string;
  /** Parts may share a bucket. */
  readonly parts: readonly [S3Part, ...S3Part[]];
  /** ARN of the key that should encrypt it. */
  readonly key?: string | undefined;
}

export async function declaredBuckets(
  operator: Pick<Operator, 'account' | 'names' | 'region' | 'residency' | 'stage'>,
  realm: Realm,
): Promise<readonly DeclaredBucket[]> {
  const { names, residency, stage } = operator;
  const region = operator.region(realm);
  const buckets = bucketsOf(residency.parts);
  if (buckets.length === 0) return [];
  const where = { account: await operator.account(), region };
  const found = new Map<string, [S3Part, ...S3Part[]]>();
  for (const part of buckets) {
    const name = names(realm).part(part, where);
    const known = found.get(name);
    if (known === undefined) found.set(name, [part]);
    else known.push(part);
  }
  return [...found].map(([name, parts]) => {
    const [key] = parts.flatMap((part) => part.encryptionKeyArn?.(realm, stage) ?? []);
    return { name, realm, region, parts, key };
  });
}

/** A bucket as it is declared, and as it is. */
export interface FoundBucket {
  readonly declared: DeclaredBucket;
  readonly facts: BucketFacts;
}

/** Throws the SDK's errors, also where a setting may not be read. */
export const lookedAt = (
  operator: Pick<Operator, 'clients'>,
  realm: Realm,
  buckets: readonly DeclaredBucket[],
): Promise<readonly FoundBucket[]> =>
  Promise.all(
    buckets.map(async (declared) => ({
      declared,
      facts: await bucketFacts(operator, realm, declared.name),
    })),
  );

/** All findings on these buckets, or one that all is well. */
export async function bucketsFound(
  operator: Pick<Operator, 'clients'>,
  realm: Realm,
  buckets: readonly DeclaredBucket[],
): Promise<readonly Found[]> {
  const found = await lookedAt(operator, realm, buckets);
  return found.flatMap(({ declared, facts }) => bucketFound(declared, facts));
}

/** Pure: the findings on one bucket. */
export function bucketFound(bucket: DeclaredBucket, facts: BucketFacts): readonly Found[] {
  const { name, realm, region } = bucket;
  switch (facts.state) {
    case 'missing':
      return [
        bad(
          `there is no bucket ${name}, of ${partsOf(bucket)}`,
          'deploy the realm; a bucket of your own must exist before',
        ),
      ];
    case 'closed':
      return [
        bad(
          `the bucket ${name} of ${partsOf(bucket)} may not be looked at`,
          'let the roles of this app in by its policy (docs/datasets.md, "Buckets"); names of buckets are those of all accounts together, so that it may also be another account’s',
        ),
      ];
    case 'elsewhere':
      return [
        bad(
          `the bucket ${name} of ${partsOf(bucket)} is in ${facts.region}, and realm ${realm} is in ${region}`,
          `name a bucket in ${region} for realm ${realm}: what a customer wants there would be in ${facts.region}`,
        ),
      ];
    default: {
      const wrong = [...ofCopies, ...ofAccess, ...ofRemoval].flatMap(
        (rule) => rule(bucket, facts.form) ?? [],
      );
      return wrong.length > 0 ? wrong : [fine(sayForm(bucket, facts.form))];
    }
  }
}

const isOurs = ({ parts: [part] }: DeclaredBucket): boolean => !isOwn(part);
const partsOf = ({ parts }: DeclaredBucket): string => parts.map(({ name }) => name).join(', ');

/** What has such a form says more than one thing at once. */
function sayForm(bucket: DeclaredBucket, form: BucketForm): string {
  const { encryption, notified, versioning } = form;
  const told =
    notified.length === 0
      ? []
      : [
          `${notified.join(', ')} see a move: copies as creations in the target, the purge as removals in the source`,
        ];
  const said = [
    `${partsOf(bucket)}: private, ${versioning === 'Enabled' ? 'versioned' : 'without versions'}`,
    `encrypted by ${encryption.SSEAlgorithm}, in ${bucket.region}`,
    ...told,
  ];
  return said.join(', ');
}

type Rule = (bucket: DeclaredBucket, form: BucketForm) => Found | undefined;

/** What would be kept of objects that are purged, or keep them from being purged. */
const ofCopies: readonly Rule[] = [
  (bucket, { replication }) => {
    if (replication.length === 0) return undefined;
    const replicas = replication.map(
      ({ ID: id, Destination: to }) =>
        `${to?.Bucket ?? 'an unknown bucket'}${to?.Account === undefined ? '' : ` of account ${to.Account}`} (rule ${id ?? 'without a name'})`,
    );
    return bad(
      `the bucket of ${partsOf(bucket)} is replicated to ${[...new Set(replicas)].join(', ')}`,
      `switch the rule off, and purge what the other bucket has: a move purges the bucket ${bucket.name} alone, and S3 does not replicate the deletion of a version`,
    );
  },
  (bucket, { lockedFor }) =>
    lockedFor === undefined
      ? undefined
      : bad(
          `the bucket of ${partsOf(bucket)} locks each new object for ${lockedFor}`,
          'take the default retention off: S3 refuses to delete what is locked, so that no move of it can end',
        ),
  (bucket, { hasMfaDelete }) =>
    hasMfaDelete
      ? bad(
          `the bucket of ${partsOf(bucket)} lets versions be deleted only with MFA`,
          'switch MFA delete off: no function can purge a version otherwise',
        )
      : undefined,
  (bucket, { versioning }) => {
    const [{ keepsVersionsDays: days }] = bucket.parts;
    if (!isOurs(bucket)) return undefined;
    if (days !== undefined && versioning !== 'Enabled')
      return bad(
        `the bucket of ${partsOf(bucket)} keeps no versions, and keepsVersionsDays is ${days}`,
        'deploy the realm',
      );
    if (days === undefined && versioning === 'Enabled')
      return bad(
        `the bucket of ${partsOf(bucket)} keeps versions, which is not declared`,
        'declare keepsVersionsDays, or suspend versioning of the bucket, and deploy the realm',
      );
    return undefined;
  },
];

/**
 * Pure: the vendor's key that encrypts new objects, as S3 names it: by ARN, id or alias. A role
 * that may use the bucket may use the account's own key for S3.
 */
export function vendorsKey({
  encryption: { SSEAlgorithm: algorithm, KMSMasterKeyID: key },
}: BucketForm): string | undefined {
  const isByKey = algorithm?.startsWith('aws:kms') === true;
  return isByKey && key !== undefined && !key.endsWith('alias/aws/s3') ? key : undefined;
}

/** Pure: whether what S3 names is the key of this ARN. */
const isKey = (found: string | undefined, arn: string | undefined): boolean =>
  found === arn || (found !== undefined && arn?.endsWith(`:key/${found}`) === true);

/** Pure: the key that is declared for a bucket, where it is the one that encrypts new objects. */
export const keyInUse = ({ key }: DeclaredBucket, form: BucketForm): string | undefined =>
  key !== undefined && isKey(vendorsKey(form), key) ? key : undefined;

/** Who may see the objects, and by which key. */
const ofAccess: readonly Rule[] = [
  (bucket, { isPrivate }) =>
    isPrivate
      ? undefined
      : bad(
          `the bucket of ${partsOf(bucket)} does not block public access`,
          isOurs(bucket) ? 'deploy the realm' : `block all four kinds of it, on ${bucket.name}`,
        ),
  (bucket, { ownership }) =>
    ownership === 'BucketOwnerEnforced'
      ? undefined
      : bad(
          `objects in the bucket of ${partsOf(bucket)} can belong to another account (${ownership ?? 'no ownership is set'})`,
          isOurs(bucket)
            ? 'deploy the realm'
            : `set the object ownership of ${bucket.name} to BucketOwnerEnforced: what belongs to another account can be neither read nor copied`,
        ),
  (bucket, form) => {
    const { key: wanted } = bucket;
    const found = vendorsKey(form);
    if (isKey(found, wanted)) return undefined;
    if (wanted === undefined)
      return bad(
        `the bucket of ${partsOf(bucket)} is encrypted with ${found}, which is not declared`,
        `give its part an encryptionKeyArn in residency.config.ts (the ARN of the key, not of an alias), and deploy all realms`,
      );
    return bad(
      `the bucket of ${partsOf(bucket)} is encrypted with ${found ?? `a key that AWS keeps (${form.encryption.SSEAlgorithm})`}, and not with ${wanted}`,
      'encrypt the bucket by default with that key, or take encryptionKeyArn off its part; objects that are there keep their key',
    );
  },
];

const prefixOf = ({ Filter: filter, Prefix: prefix }: LifecycleRule): string =>
  filter?.Prefix ?? filter?.And?.Prefix ?? prefix ?? '';

const headsOf = ({ parts }: DeclaredBucket): readonly string[] => [
  ...new Set(parts.flatMap((part) => formsOf(part).map(({ head }) => head))),
];

/** Whether the rule can meet an object of a tenant. */
const isAbout = (bucket: DeclaredBucket, rule: LifecycleRule): boolean =>
  headsOf(bucket).some(
    (head) => head.startsWith(prefixOf(rule)) || prefixOf(rule).startsWith(head),
  );
/** Whether the rule meets every object of every tenant. */
const isAboutAll = (bucket: DeclaredBucket, rule: LifecycleRule): boolean =>
  headsOf(bucket).every((head) => head.startsWith(prefixOf(rule)));

const ARCHIVES: readonly string[] = ['GLACIER', 'DEEP_ARCHIVE'];
const nameOf = ({ ID: id }: LifecycleRule): string => id ?? 'without a name';

/** What S3 removes or archives by itself. */
const ofRemoval: readonly Rule[] = [
  (bucket, { lifecycle }) => {
    const rule = lifecycle.find(
      (one) =>
        isAbout(bucket, one) &&
        (one.Expiration?.Days !== undefined || one.Expiration?.Date !== undefined),
    );
    return rule === undefined
      ? undefined
      : bad(
          `the bucket of ${partsOf(bucket)} removes objects by age (rule ${nameOf(rule)})`,
          'let the rule spare the prefixes of tenants: what it removes during a move is a difference, and the move fails',
        );
  },
  (bucket, { lifecycle }) => {
    const rule = lifecycle.find(
      (one) =>
        isAbout(bucket, one) &&
        one.Transitions?.some(({ StorageClass: to = '' }) => ARCHIVES.includes(to)),
    );
    return rule === undefined
      ? undefined
      : bad(
          `the bucket of ${partsOf(bucket)} archives objects (rule ${nameOf(rule)})`,
          'let the rule spare the prefixes of tenants, or choose GLACIER_IR: an archived object refuses the move of its tenant',
        );
  },
  (bucket, { lifecycle }) => {
    const isAborting = lifecycle.some(
      (one) => isAboutAll(bucket, one) && one.AbortIncompleteMultipartUpload !== undefined,
    );
    return isAborting
      ? undefined
      : bad(
          `the bucket of ${partsOf(bucket)} keeps open uploads for ever`,
          isOurs(bucket)
            ? 'deploy the realm'
            : `give ${bucket.name} a lifecycle rule that aborts incomplete multipart uploads after a day or more: a copy that was given up costs money`,
        );
  },
  (bucket, { lifecycle }) => {
    const [{ keepsVersionsDays: days }] = bucket.parts;
    if (!isOurs(bucket) || days === undefined) return undefined;
    const kept = lifecycle.flatMap(
      (rule) => rule.NoncurrentVersionExpiration?.NoncurrentDays ?? [],
    );
    return kept.includes(days)
      ? undefined
      : bad(
          `the bucket of ${partsOf(bucket)} keeps noncurrent versions for ${kept[0] === undefined ? 'ever' : `${kept[0]} days`}, and keepsVersionsDays is ${days}`,
          'deploy the realm',
        );
  },
];
