/**
 * Checks of the keys that encrypt the vendor's own tables and buckets: declared, usable, and open
 * to our roles.
 */
import { DescribeKeyCommand, GetKeyPolicyCommand, type KeyMetadata } from '@aws-sdk/client-kms';
import { partitionOf, type Realm } from '../../../lambdas/domain/realm.ts';
import { BUCKET_GRANTS, type BucketGrant, keyActionsOf } from '../../bucket-grants.ts';
import { entriesOf, wordOf } from '../../entries.ts';
import { GRANTS, type Grant, isReadOnly } from '../../grants.ts';
import { READ_WITH_KEY, WRITE_WITH_KEY } from '../../key-actions.ts';
import { type FoundBucket, keyInUse } from '../doctor/bucket-form.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';
import { isNamed } from './finding.ts';
import { type KeyUse, keyPolicyVerdict, viaService } from './key-policy.ts';
import type { OwnTable } from './own-tables.ts';
import { listed } from './stacks.ts';

/** A role, and what it does with a key. */
type KeyUser = Pick<KeyUse, 'role' | 'actions'>;

/** A table or bucket of the vendor's, and the key that encrypts it. */
interface Encrypted extends Pick<KeyUse, 'service' | 'context'> {
  /** In sentences, such as `table orders`. */
  readonly place: string;
  readonly arn: string;
  readonly declared: string | undefined;
  /** What has to be done where the key is not there any more. */
  readonly withoutKey: string;
  readonly users: readonly KeyUser[];
}

/**
 * A bucket whose key is not the declared one is a finding on its form, and its key is not looked
 * at. Throws the SDK's errors.
 */
export async function ownKeys(
  operator: Operator,
  realm: Realm,
  tables: readonly OwnTable[],
  buckets: readonly FoundBucket[],
): Promise<readonly Found[]> {
  const account = await operator.account();
  const encrypted = [
    ...tables.flatMap((table) => tableOnKey(operator, realm, table, account) ?? []),
    ...buckets.flatMap((bucket) => bucketOnKey(operator, realm, bucket) ?? []),
  ];
  const findings = await Promise.all(encrypted.map((one) => keyFindings(operator, realm, one)));
  const found = [
    ...tables.flatMap((table) => notOnKey(operator, realm, table)),
    ...findings.flat(),
  ];
  return found.length > 0 ? found : [fine('own tables and buckets are on keys that AWS keeps')];
}

const keyOf = ({ described }: OwnTable): string | undefined => {
  const sse = described?.SSEDescription;
  return sse?.SSEType === 'KMS' ? sse.KMSMasterKeyArn : undefined;
};

function tableOnKey(
  operator: Operator,
  realm: Realm,
  table: OwnTable,
  account: string,
): Encrypted | undefined {
  const { part, name } = table;
  const arn = keyOf(table);
  if (arn === undefined) return undefined;
  return {
    place: `table ${name}`,
    arn,
    declared: part.encryptionKeyArn?.(realm, operator.stage),
    withoutKey:
      'AWS archives the table after seven days: bring the key back, or encrypt the table with another one',
    service: 'dynamodb',
    context: { 'aws:dynamodb:tableName': name, 'aws:dynamodb:subscriberId': account },
    users: usersOfTable(operator, realm, part.name),
  };
}

/** The encryption context names the bucket or the object, by a setting that can change. */
function bucketOnKey(
  operator: Operator,
  realm: Realm,
  { declared, facts }: FoundBucket,
): Encrypted | undefined {
  const arn = facts.state === 'there' ? keyInUse(declared, facts.form) : undefined;
  if (arn === undefined) return undefined;
  const parts = declared.parts.map(({ name }) => name);
  return {
    place: `bucket ${declared.name}`,
    arn,
    declared: arn,
    withoutKey:
      'objects that it encrypts can be read no more: encrypt the bucket by default with another one, and declare that',
    service: 's3',
    context: {},
    users: usersOfBucket(operator, realm, parts),
  };
}

function notOnKey({ stage }: Operator, realm: Realm, table: OwnTable): readonly Found[] {
  const { part, name, described } = table;
  const declared = part.encryptionKeyArn?.(realm, stage);
  if (described === undefined || declared === undefined || keyOf(table) !== undefined) return [];
  return [
    bad(
      `the table ${name} is on a key that AWS keeps, and not on ${declared}`,
      'take encryptionKeyArn off its part, or encrypt the table with that key',
    ),
  ];
}

async function keyFindings(
  operator: Operator,
  realm: Realm,
  encrypted: Encrypted,
): Promise<readonly Found[]> {
  const { place, arn, declared, withoutKey } = encrypted;
  const key = await metadataOf(operator, realm, arn);
  if (key === undefined) return [bad(`the key ${arn} of the ${place} is not there`, withoutKey)];
  // The account's own key for the service: a role that may use the place may use it.
  if (key.KeyManager === 'AWS') return [];
  if (declared !== arn)
    return [
      bad(
        `the ${place} is encrypted with ${arn}, and its part declares ${declared ?? 'no key'}`,
        `say encryptionKeyArn: (realm, stage) => … of its part in residency.config.ts: ${arn} in realm ${realm}`,
      ),
    ];
  if (key.Enabled !== true)
    return [
      bad(
        `the key ${arn} of the ${place} is ${key.KeyState}`,
        'enable it, or take back its deletion',
      ),
    ];
  return [await policyFinding(operator, realm, encrypted)];
}

async function metadataOf(
  { clients }: Operator,
  realm: Realm,
  arn: string,
): Promise<KeyMetadata | undefined> {
  try {
    const { KeyMetadata: key } = await clients
      .keys(realm)
      .send(new DescribeKeyCommand({ KeyId: arn }));
    return key;
  } catch (error) {
    if (isNamed(error, 'NotFoundException')) return undefined;
    throw error;
  }
}

async function policyFinding(
  operator: Operator,
  realm: Realm,
  { place, arn, service, context, users }: Encrypted,
): Promise<Found> {
  const { clients } = operator;
  const region = operator.region(realm);
  const command = new GetKeyPolicyCommand({ KeyId: arn, PolicyName: 'default' });
  const { Policy: text = '{}' } = await clients.keys(realm).send(command);
  const policy: unknown = JSON.parse(text);
  const partition = partitionOf(region).name;
  const use = { account: await operator.account(), partition, region, service, context };
  const verdicts = Map.groupBy(users, (user) => keyPolicyVerdict(policy, { ...use, ...user }));
  const refused = verdicts.get('refused') ?? [];
  if (refused.length > 0) {
    const roles = listed([...new Set(refused.map(({ role }) => role))]);
    return bad(
      `the policy of the key ${arn} does not let ${roles} use it for the ${place}`,
      `let the account's own policies decide (Principal: the account's root), or add a statement with Principal "*", the actions ${actionsOf(users).join(', ')}, kms:ViaService ${viaService(use)}, kms:CallerAccount and aws:PrincipalArn of the roles: docs/adopt.md`,
    );
  }
  return fine(
    verdicts.has('unclear')
      ? `the key of the ${place} has a policy with conditions that only AWS can decide: see that our roles fulfil them`
      : `the policy of the key of the ${place} lets our roles use it`,
  );
}

const actionsOf = (users: readonly KeyUser[]): readonly string[] => [
  ...new Set(users.flatMap(({ actions }) => actions)),
];

/** Every function's role, of all realms, and what it needs of the key of a place in this realm. */
const functionsWith = (
  { names, realms, residency }: Operator,
  realm: Realm,
  actionsOn: (entry: string, where: Grant['where']) => readonly string[],
): readonly KeyUser[] =>
  realms.flatMap((other) =>
    entriesOf(residency).flatMap((entry): readonly KeyUser[] => {
      const actions = actionsOn(entry, other === realm ? 'own' : 'others');
      return actions.length === 0 ? [] : [{ role: names(other).lambda(wordOf(entry)), actions }];
    }),
  );

/** The operators' roles count items, too. */
function usersOfTable(operator: Operator, realm: Realm, part: string): readonly KeyUser[] {
  const isOf = ({ on }: Grant) => on === 'parts' || on === `part:${part}`;
  const people = ['operator-read', 'operator-act'].map((role) => ({
    role: `${operator.names(realm).prefix}-${role}`,
    actions: READ_WITH_KEY,
  }));
  const functions = functionsWith(operator, realm, (entry, where) => {
    const grants = (GRANTS[entry] ?? []).filter((grant) => grant.where === where && isOf(grant));
    if (grants.length === 0) return [];
    return grants.every(isReadOnly) ? READ_WITH_KEY : WRITE_WITH_KEY;
  });
  return [...functions, ...people];
}

/** The operators' roles list objects, and read none. */
const usersOfBucket = (
  operator: Operator,
  realm: Realm,
  parts: readonly string[],
): readonly KeyUser[] =>
  functionsWith(operator, realm, (entry, where) => {
    const { part, [where]: granted }: BucketGrant = BUCKET_GRANTS[entry] ?? {};
    if (granted === undefined || (part !== undefined && !parts.includes(part))) return [];
    return keyActionsOf(granted);
  });
