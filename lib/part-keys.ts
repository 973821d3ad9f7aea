/**
 * The KMS keys that encrypt vendors' own tables, and the statements that let a role use them
 * through DynamoDB.
 */
import { Aws } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Part } from '../lambdas/domain/datasets/dataset.ts';
import type { RealmRow } from '../lambdas/domain/realm.ts';

/** A key of the realm's region, by its id: an alias could later point to another key. */
const KEY_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key\/[a-z0-9-]+$/;

/** Throws where the configuration names something else than a key in the realm's region. */
export function keyOf(part: Part, { realm, region }: RealmRow, stage: string): string | undefined {
  const arn = part.encryptionKeyArn?.(realm, stage);
  if (arn === undefined || KEY_ARN.exec(arn)?.[1] === region) return arn;
  throw new Error(
    `part "${part.name}": encryptionKeyArn of realm ${realm} is the ARN of a key in ${region}, not "${arn}"`,
  );
}

/** Each key once, even where several parts are encrypted with it. */
export const keysOf = (parts: readonly Part[], row: RealmRow, stage: string): readonly string[] => [
  ...new Set(parts.flatMap((part) => keyOf(part, row, stage) ?? [])),
];

const throughDynamoDb = (region: string) => ({
  StringEquals: { 'kms:ViaService': `dynamodb.${region}.${Aws.URL_SUFFIX}` },
});

/** Returns no statement where no part has a key. */
export function keyStatements(
  parts: readonly Part[],
  row: RealmRow,
  stage: string,
  actions: readonly string[],
): readonly PolicyStatement[] {
  const keys = keysOf(parts, row, stage);
  if (keys.length === 0) return [];
  return [
    new PolicyStatement({
      actions: [...actions],
      resources: [...keys],
      conditions: throughDynamoDb(row.region),
    }),
  ];
}
