/**
 * Checks of the keys that encrypt the vendor's own tables: declared, usable, and open to our roles.
 */
import { DescribeKeyCommand, GetKeyPolicyCommand, type KeyMetadata } from '@aws-sdk/client-kms';
import { partitionOf, type Realm } from '../../../lambdas/domain/realm.ts';
import { entriesOf, wordOf } from '../../entries.ts';
import { GRANTS, type Grant, isReadOnly } from '../../grants.ts';
import { READ_WITH_KEY, WRITE_WITH_KEY } from '../../key-actions.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';
import { isNamed } from './finding.ts';
import { type KeyUse, keyPolicyVerdict } from './key-policy.ts';
import type { OwnTable } from './own-tables.ts';
import { listed } from './stacks.ts';

export async function ownKeys(
  operator: Operator,
  realm: Realm,
  tables: readonly OwnTable[],
): Promise<readonly Found[]> {
  const there = tables.filter(({ described }) => described !== undefined);
  const findings = await Promise.all(there.map((table) => keyFindings(operator, realm, table)));
  const found = findings.flat();
  return found.length > 0 ? found : [fine('own tables are on keys that AWS keeps')];
}

async function keyFindings(
  operator: Operator,
  realm: Realm,
  { part, name, described = {} }: OwnTable,
): Promise<readonly Found[]> {
  const { SSEDescription: sse } = described;
  const arn = sse?.SSEType === 'KMS' ? sse.KMSMasterKeyArn : undefined;
  const declared = part.encryptionKeyArn?.(realm, operator.stage);
  if (arn === undefined)
    return declared === undefined
      ? []
      : [
          bad(
            `the table ${name} is on a key that AWS keeps, and not on ${declared}`,
            'take encryptionKeyArn off its part, or encrypt the table with that key',
          ),
        ];
  const key = await metadataOf(operator, realm, arn);
  if (key === undefined)
    return [
      bad(
        `the key ${arn} of the table ${name} is not there`,
        'AWS archives the table after seven days: bring the key back, or encrypt the table with another one',
      ),
    ];
  // The account's own key for DynamoDB: a role that may use the table may use it.
  if (key.KeyManager === 'AWS') return [];
  if (declared !== arn)
    return [
      bad(
        `the table ${name} is encrypted with ${arn}, and its part declares ${declared ?? 'no key'}`,
        `say encryptionKeyArn: (realm, stage) => … of its part in residency.config.ts: ${arn} in realm ${realm}`,
      ),
    ];
  if (key.Enabled !== true)
    return [
      bad(
        `the key ${arn} of the table ${name} is ${key.KeyState}`,
        'enable it, or take back its deletion',
      ),
    ];
  return [await policyFinding(operator, realm, { part, name, arn })];
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
  { part, name, arn }: { readonly name: string; readonly arn: string } & Pick<OwnTable, 'part'>,
): Promise<Found> {
  const { clients, region } = operator;
  const command = new GetKeyPolicyCommand({ KeyId: arn, PolicyName: 'default' });
  const { Policy: text = '{}' } = await clients.keys(realm).send(command);
  const policy: unknown = JSON.parse(text);
  const place = {
    account: await operator.account(),
    partition: partitionOf(region(realm)).name,
    region: region(realm),
    table: name,
  };
  const verdicts = Map.groupBy(usersOf(operator, realm, part.name), (user) =>
    keyPolicyVerdict(policy, { ...place, ...user }),
  );
  const refused = verdicts.get('refused') ?? [];
  if (refused.length > 0)
    return bad(
      `the policy of the key ${arn} does not let ${listed([...new Set(refused.map(({ role }) => role))])} use it for the table ${name}`,
      `let the account's own policies decide (Principal: the account's root), or add a statement with Principal "*", kms:ViaService dynamodb.${region(realm)}.amazonaws.com, kms:CallerAccount and aws:PrincipalArn of the roles: docs/adopt.md`,
    );
  const isUnclear = verdicts.has('unclear');
  return fine(
    isUnclear
      ? `the key of ${name} has a policy with conditions that only AWS can decide: see that our roles fulfil them`
      : `the policy of the key of ${name} lets our roles use it`,
  );
}

type KeyUser = Pick<KeyUse, 'role' | 'actions'>;

/** Every role, of all realms, that reads or writes this part in this realm. */
function usersOf(
  { names, realms, residency }: Operator,
  realm: Realm,
  part: string,
): readonly KeyUser[] {
  const isOf = ({ on }: Grant) => on === 'parts' || on === `part:${part}`;
  return realms.flatMap((other) => {
    const where = other === realm ? 'own' : 'others';
    const functions = entriesOf(residency).flatMap((entry): readonly KeyUser[] => {
      const grants = (GRANTS[entry] ?? []).filter((grant) => grant.where === where && isOf(grant));
      if (grants.length === 0) return [];
      const actions = grants.every(isReadOnly) ? READ_WITH_KEY : WRITE_WITH_KEY;
      return [{ role: names(other).lambda(wordOf(entry)), actions }];
    });
    const people = ['operator-read', 'operator-act'].map((role) => ({
      role: `${names(other).prefix}-${role}`,
      actions: READ_WITH_KEY,
    }));
    return where === 'own' ? [...functions, ...people] : functions;
  });
}
