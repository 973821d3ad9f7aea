/**
 * Checks of `doctor` on tables in AWS beside their form: the key that encrypts each, and protection
 * from deletion.
 */
import { DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { isOwn, tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../../lambdas/domain/residency.ts';
import { KEY_HOLDER } from '../../key-holder.ts';
import type { Operator } from '../operator.ts';
import { bad, type Found, fine } from './check.ts';

/** A table, and the key that should encrypt it. */
export interface KeyedTable {
  readonly name: string;
  /** ARN of a customer-managed key; `undefined` for a key that AWS keeps. */
  readonly wanted?: string | undefined;
  readonly described: TableDescription;
}

/** Checks that every table is encrypted with the key of the stack, or of the configuration. */
export async function encryption(operator: Operator, realm: Realm): Promise<Found> {
  const { clients, names, residency, stage } = operator;
  const { Environment: environment } = await clients.functions(realm).send(
    new GetFunctionConfigurationCommand({
      FunctionName: names(realm).lambda(KEY_HOLDER.word),
    }),
  );
  const key = environment?.Variables?.[KEY_HOLDER.variable];
  if (key === undefined)
    return bad(
      'the key of the stack is not known',
      'deploy the realm with this version of the app',
    );
  const keyed = await Promise.all(
    keysOf(residency, stage, realm, key).map(async (row) => {
      const described = await descriptionOf(operator, realm, row.name);
      return { ...row, described };
    }),
  );
  return encryptionFound(keyed);
}

function keysOf(residency: Residency, stage: string, realm: Realm, key: string) {
  const names = physicalNames(residency, stage, realm);
  return [
    { name: names.tenants, wanted: key },
    { name: names.migrations, wanted: key },
    ...tablesOf(residency.parts).map((part) => ({
      name: names.part(part),
      wanted: part.encryptionKeyArn?.(realm, stage),
    })),
  ];
}

/** Pure: the finding. */
export function encryptionFound(tables: readonly KeyedTable[]): Found {
  for (const { name, wanted, described } of tables) {
    const found = customerKeyOf(described);
    if (found === wanted) continue;
    if (wanted === undefined)
      return bad(
        `the table ${name} is encrypted with ${found}, which is not declared`,
        'give its part an encryptionKeyArn in residency.config.ts, and deploy all realms',
      );
    return bad(
      `the table ${name} is encrypted with ${found ?? 'a key that AWS keeps'}, and not with ${wanted}`,
      'see "A table on another key" in docs/runbook.md. Never delete the other key',
    );
  }
  return fine(`${tables.length} tables are encrypted with the keys that they should have`);
}

/**
 * The customer-managed key; `undefined` where the table is on DynamoDB's own key or on the
 * account's AWS managed key.
 */
function customerKeyOf({ SSEDescription: sse }: TableDescription): string | undefined {
  return sse?.SSEType === 'KMS' ? sse.KMSMasterKeyArn : undefined;
}

/** Checks that the stack's tables refuse to be deleted. Vendors protect their own tables. */
export async function protection(operator: Operator, realm: Realm): Promise<Found> {
  const { names, residency } = operator;
  const ours = tablesOf(residency.parts).filter((part) => !isOwn(part));
  const own = names(realm);
  const tables = [own.tenants, own.migrations, ...ours.map((part) => own.part(part))];
  const described = await Promise.all(tables.map((name) => descriptionOf(operator, realm, name)));
  return protectionFound(realm, described);
}

/** Pure: the finding. */
export function protectionFound(realm: Realm, tables: readonly TableDescription[]): Found {
  const open = tables.filter((table) => table.DeletionProtectionEnabled !== true);
  if (open.length === 0) return fine(`${tables.length} tables refuse to be deleted`);
  const names = open.map(({ TableName: name }) => name).join(', ');
  return bad(
    `${names} can be deleted by one call`,
    `set isProtected: true in the row of ${realm} in residency.config.ts, and deploy the realm again`,
  );
}

async function descriptionOf(
  { clients }: Operator,
  realm: Realm,
  name: string,
): Promise<TableDescription> {
  const command = new DescribeTableCommand({ TableName: name });
  return (await clients.dynamoDb(realm).send(command)).Table ?? {};
}
