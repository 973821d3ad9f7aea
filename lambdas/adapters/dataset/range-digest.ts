/** Computes the digest of a range, and proves that a range is empty. */
import { QueryCommand } from '@aws-sdk/client-dynamodb';
import { withItems } from '../../domain/datasets/digest.ts';
import type { Checkpoint, Clock, Horizon } from '../../ports.ts';
import { readBothEnds } from './both-ends.ts';
import { BEGINNING, checkpointAt } from './checkpoint.ts';
import { isLive, itemDigest } from './item-encoding.ts';
import { checkKey, partitionValue } from './item-key.ts';
import type { RangeSide } from './range-reader.ts';
import { type StepWriter, type WriteStep, writeSteps } from './write-steps.ts';

/** Goes on reading while a checkpoint is being recorded. */
export function digestRange(
  side: RangeSide,
  horizon: Horizon,
  from: Checkpoint | undefined,
  clock: Clock,
  until: number,
): AsyncGenerator<Checkpoint> {
  const isUrgent = () => clock.now() < until;
  return writeSteps(digestSteps(side, horizon, isUrgent, from), NO_WRITES, clock, until);
}

async function* digestSteps(
  side: RangeSide,
  horizon: Horizon,
  isUrgent: () => boolean,
  from = BEGINNING,
): AsyncGenerator<WriteStep> {
  let { digest } = from;
  for await (const { items, cursor } of readBothEnds(side, from.cursor, 'items', isUrgent)) {
    const live = items.filter((item) => isLive(side.part, item, horizon));
    digest = withItems(
      digest,
      live.map((item) => itemDigest(side.part, item, horizon)),
    );
    yield { writes: [], checkpoint: checkpointAt(cursor, digest, 0), pages: 1, written: 0 };
  }
}

/** For steps that only read. */
export const NO_WRITES: StepWriter<unknown> = {
  write: async () => {},
  close: async () => {},
};

/** Strongly consistent. An expired item that DynamoDB has not removed yet counts. */
export async function isEmptyRange({
  client,
  table,
  part,
  partition,
}: RangeSide): Promise<boolean> {
  const { Count, LastEvaluatedKey: lastKey } = await client.send(
    new QueryCommand({
      TableName: table,
      ConsistentRead: true,
      KeyConditionExpression: '#p = :p',
      ExpressionAttributeNames: { '#p': part.partitionKey },
      ExpressionAttributeValues: { ':p': partitionValue(part, partition) },
      Limit: 1,
      Select: 'COUNT',
    }),
  );
  if (lastKey !== undefined) checkKey(part, lastKey);
  return Count === 0;
}
