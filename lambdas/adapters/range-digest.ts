/**
 * Reads a range to prove something about it. On purpose this shares no reading code with the copy: an item that the
 * copy's reader passed over is seen here.
 */

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { withItems } from '../domain/digest.ts';
import type { Checkpoint, Clock, Horizon } from '../ports.ts';
import { BEGINNING, checkpointAt } from './checkpoint.ts';
import { isLive, itemDigest } from './item-encoding.ts';
import { cursorOf, startKey } from './item-key.ts';
import type { RangeSide } from './range-reader.ts';

/** One checkpoint per page. */
export async function* digestRange(
  side: RangeSide,
  horizon: Horizon,
  from: Checkpoint = BEGINNING,
  clock: Clock,
  until: number,
): AsyncGenerator<Checkpoint> {
  const { part, partition } = side;
  let digest = from.digest;
  let after: Record<string, AttributeValue> | undefined;
  if (from.cursor !== undefined) after = startKey(part, partition, from.cursor);
  for (;;) {
    const answer = await side.client.send(
      new QueryCommand({ ...consistentQuery(side), ExclusiveStartKey: after }),
    );
    const live = (answer.Items ?? []).filter((item) => isLive(part, item, horizon));
    digest = withItems(
      digest,
      live.map((item) => itemDigest(part, item, horizon)),
    );
    after = answer.LastEvaluatedKey;
    yield checkpointAt(after && cursorOf(part, after), digest, 0);
    if (after === undefined || clock.now() >= until) return;
  }
}

/** Also an item that has expired, but that DynamoDB has not removed, is something. */
export async function isEmptyRange(side: RangeSide): Promise<boolean> {
  const { Count } = await side.client.send(
    new QueryCommand({ ...consistentQuery(side), Limit: 1, Select: 'COUNT' }),
  );
  return Count === 0;
}

const consistentQuery = ({ table, part, partition, pageItems }: RangeSide) => ({
  TableName: table,
  ConsistentRead: true,
  KeyConditionExpression: '#p = :p',
  ExpressionAttributeNames: { '#p': part.partitionKey },
  ExpressionAttributeValues: { ':p': { S: partition } },
  Limit: pageItems,
});
