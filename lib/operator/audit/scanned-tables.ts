/** Tables that are scanned: the text of a tenant in them, and whether they have grown too large. */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { type AnyItem, partitionIn } from '../../../lambdas/adapters/dataset/item-key.ts';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import { sayTooLarge } from '../../../lambdas/domain/datasets/discovery.ts';
import { beginningOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';

/** The attribute that says whose an item is. */
export const ownerAttribute = ({ partitionKey, discover }: DynamoDbPart): string =>
  discover?.attribute ?? partitionKey;

/** What stands there: of an item that names no tenant, the empty text. */
export function ownerIn(part: DynamoDbPart, item: AnyItem): string {
  const attribute = part.discover?.attribute;
  if (attribute !== undefined) return item[attribute]?.S ?? '';
  return beginningOf(part, partitionIn(part, item) ?? '');
}

/** Sentences on tables that are larger than declared. DynamoDB counts them every six hours. */
export async function tooLargeIn(
  { clients, names, residency }: Operator,
  realm: Realm,
): Promise<readonly string[]> {
  const scanned = tablesOf(residency.parts).filter(({ discover }) => discover !== undefined);
  const found = scanned.map(async (part) => {
    const { Table: table } = await clients
      .dynamoDb(realm)
      .send(new DescribeTableCommand({ TableName: names(realm).part(part) }));
    return sayTooLarge(part, realm, table?.TableSizeBytes ?? 0);
  });
  return (await Promise.all(found)).filter((says) => says !== undefined);
}
