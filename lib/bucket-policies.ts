/** Makes statements of the rows in `bucket-grants.ts`: exact actions on exact buckets. */
import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { bucketsOf } from '../lambdas/domain/datasets/kinds.ts';
import { type RealmRow, stackRows } from '../lambdas/domain/realm.ts';
import { physicalNames } from '../lambdas/domain/residency.ts';
import { BUCKET_GRANTS, keyActionsOf } from './bucket-grants.ts';
import { bucketName, type Deployment } from './deployment.ts';
import { keyStatements } from './part-keys.ts';

/**
 * None where the dataset has no bucket, or the function touches none. Throws a sentence where a row
 * names a part that is not declared.
 */
export function bucketStatements(
  deployment: Pick<Deployment, 'residency' | 'stage'>,
  entry: string,
  where: 'own' | 'others',
  row: RealmRow,
): readonly PolicyStatement[] {
  const { part: only, [where]: granted } = BUCKET_GRANTS[entry] ?? {};
  if (granted === undefined) return [];
  const parts = bucketsOf(deployment.residency.parts).filter(
    ({ name }) => only === undefined || name === only,
  );
  if (only !== undefined && parts.length === 0)
    throw new Error(
      `lib/bucket-grants.ts grants the part ${only}, which residency.config.ts does not declare as a bucket`,
    );
  if (parts.length === 0) return [];
  const arns = parts.map(
    (part) => `arn:${Aws.PARTITION}:s3:::${bucketName(deployment, part, row)}`,
  );
  const statement = (actions: readonly string[], resources: readonly string[]) =>
    actions.length === 0
      ? []
      : [
          new PolicyStatement({
            actions: actions.map((action) => `s3:${action}`),
            resources: [...resources],
          }),
        ];
  const keyActions = keyActionsOf(granted);
  return [
    ...statement(granted.onBucket, arns),
    ...statement(
      granted.onObjects,
      arns.map((arn) => `${arn}/*`),
    ),
    ...(keyActions.length > 0 ? keyStatements(parts, row, deployment.stage, keyActions) : []),
  ];
}

/** What cdk-nag finds in the statements: a wildcard for the objects of each bucket. */
export const objectWildcards = ({ residency, stage }: Deployment): readonly string[] =>
  stackRows(residency.realms).flatMap(({ realm, region }) =>
    bucketsOf(residency.parts).map((part) => {
      const where = { account: '<AWS::AccountId>', region };
      const name = physicalNames(residency, stage, realm).part(part, where);
      return `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${name}/*]`;
    }),
  );
