/**
 * The KMS keys that encrypt vendors' own tables and buckets, and the statements that let a role use
 * them through DynamoDB or S3.
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

const SERVICES: Readonly<Record<Part['kind'], string>> = { dynamodb: 'dynamodb', s3: 's3' };

const through = (service: string, region: string) => ({
  StringEquals: { 'kms:ViaService': `${service}.${region}.${Aws.URL_SUFFIX}` },
});

/** Returns no statement where no part has a key. */
export function keyStatements(
  parts: readonly Part[],
  row: RealmRow,
  stage: string,
  actions: readonly string[],
): readonly PolicyStatement[] {
  return Object.entries(SERVICES).flatMap(([kind, service]) => {
    const keys = keysOf(
      parts.filter((part) => part.kind === kind),
      row,
      stage,
    );
    if (keys.length === 0) return [];
    const conditions = through(service, row.region);
    return [new PolicyStatement({ actions: [...actions], resources: [...keys], conditions })];
  });
}
