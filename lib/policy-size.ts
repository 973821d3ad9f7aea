/**
 * Sizes of policies as IAM counts them, before account and partition are known, and the limits of a
 * role.
 */
import { Aws } from 'aws-cdk-lib';
import { PolicyDocument, type PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** Limit of one managed policy in characters, without white space. */
const MANAGED_POLICY_CHARACTERS = 6144;
/** Limit of all inline policies of a role together, in characters. */
const INLINE_POLICIES_CHARACTERS = 10_240;
/** Limit of managed policies per role, unless AWS has raised the account's quota. */
const MANAGED_POLICIES = 10;

const FRAME = '{"Version":"2012-10-17","Statement":[]}'.length;

/** Characters with the longest partition and account; counts one comma per statement. */
const charactersOf = (statements: readonly PolicyStatement[]): number =>
  FRAME + statements.reduce((sum, statement) => sum + charactersOfOne(statement), 0);

const charactersOfOne = (statement: PolicyStatement): number =>
  JSON.stringify(statement.toStatementJson())
    .replaceAll(Aws.PARTITION, 'aws-us-gov')
    .replaceAll(Aws.ACCOUNT_ID, '000000000000')
    .replaceAll(Aws.URL_SUFFIX, 'amazonaws.com.cn')
    .replaceAll(/\s/g, '').length + 1;

/**
 * The inline policy of a role. Throws where it is too large, because IAM would refuse it in the
 * middle of a deployment.
 */
export function inline(role: string, statements: readonly PolicyStatement[]): PolicyDocument {
  const characters = charactersOf(statements);
  if (characters > INLINE_POLICIES_CHARACTERS)
    throw new Error(
      `the inline policy of ${role} has ${characters} characters, and IAM takes ${INLINE_POLICIES_CHARACTERS}: declare fewer parts, or shorter names`,
    );
  return new PolicyDocument({ statements: [...statements] });
}

/**
 * Packs the groups, in order, into as few managed policies as possible. The statements of one group
 * stay together.
 */
export function managed(
  role: string,
  groups: readonly (readonly PolicyStatement[])[],
): readonly PolicyDocument[] {
  const documents: PolicyStatement[][] = [];
  for (const group of groups) {
    const last = documents.at(-1);
    if (last && charactersOf([...last, ...group]) <= MANAGED_POLICY_CHARACTERS) last.push(...group);
    else if (group.length > 0) documents.push([...group]);
  }
  const isTooLarge = documents.some(
    (statements) => charactersOf(statements) > MANAGED_POLICY_CHARACTERS,
  );
  if (isTooLarge || documents.length > MANAGED_POLICIES)
    throw new Error(
      `the rights of ${role} do not fit into ${MANAGED_POLICIES} managed policies of ${MANAGED_POLICY_CHARACTERS} characters: declare fewer parts, or shorter names`,
    );
  return documents.map((statements) => new PolicyDocument({ statements }));
}
