/**
 * The naive loop over the document client, which turns every attribute into a JavaScript value and
 * back. It is measured for its CPU.
 */
import { BatchWriteCommand, DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Variant } from './job.ts';
import { batchesOf, clientIn } from './raw-loop.ts';

export const run: Variant = async (job, begin) => {
  const { endpoint, sourceRegion, sourceTable, targetRegion, targetTable, partitions } = job;
  const source = DynamoDBDocumentClient.from(clientIn(endpoint, sourceRegion));
  const target = DynamoDBDocumentClient.from(clientIn(endpoint, targetRegion));
  await begin();
  for (const partition of partitions) {
    let after: Record<string, unknown> | undefined;
    do {
      const page = await source.send(
        new QueryCommand({
          TableName: sourceTable,
          ConsistentRead: true,
          KeyConditionExpression: '#p = :p',
          ExpressionAttributeNames: { '#p': 'tenant' },
          ExpressionAttributeValues: { ':p': partition },
          ExclusiveStartKey: after,
        }),
      );
      for (const batch of batchesOf(page.Items ?? [])) {
        const writes = batch.map((item) => ({ PutRequest: { Item: item } }));
        await target.send(new BatchWriteCommand({ RequestItems: { [targetTable]: writes } }));
      }
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
  }
};
