/**
 * Copies the first items of a range to a partition key that no tenant can have: the sample of a
 * rehearsal.
 */
import type { DynamoDbPart, Range } from '../../domain/datasets/dataset.ts';
import type { ItemDigest } from '../../domain/datasets/digest.ts';
import { withItems } from '../../domain/datasets/digest.ts';
import type { Samples } from '../../ports.ts';
import { BEGINNING, checkpointAt } from './checkpoint.ts';
import type { DynamoDbPartKindOptions } from './dynamodb-part-kind.ts';
import { isLive, itemDigest } from './item-encoding.ts';
import { cursorOf, type WireItem } from './item-key.ts';
import { put, type WireWrite } from './item-wire.ts';
import { type RangeSide, readPages } from './range-reader.ts';
import { type WriteStep, writeSteps } from './write-steps.ts';
import { writeWindow } from './write-window.ts';

export function dynamoDbSamples(
  options: Pick<DynamoDbPartKindOptions, 'clientFor' | 'writerFor' | 'tableOf' | 'parts' | 'clock'>,
): Samples {
  const { clientFor, writerFor, tableOf, parts, clock } = options;
  return {
    async *copy(from, source, to, target, horizon, limit) {
      const part = partOf(parts, from);
      if (from.part !== to.part || from.partition === to.partition)
        throw new Error('a sample goes to another partition of the same part');
      const side: RangeSide = {
        client: clientFor(source),
        table: tableOf(part, source),
        part,
        partition: from.partition,
        pageItems: limit,
      };
      const window = writeWindow(writerFor(target), tableOf(part, target), part, clock);
      const steps = sampleSteps(side, to.partition, horizon);
      yield* writeSteps(steps, window, clock, Number.POSITIVE_INFINITY);
    },
  };

  /** One page: as many items as were asked for, or a megabyte. */
  async function* sampleSteps(
    side: RangeSide,
    partition: string,
    horizon: Parameters<Samples['copy']>[4],
  ): AsyncGenerator<WriteStep> {
    const { part } = side;
    const writes: WireWrite[] = [];
    const seen: ItemDigest[] = [];
    for await (const { items } of readPages(side)) {
      for (const item of items.filter((one) => isLive(part, one, horizon))) {
        const sample: WireItem = {
          ...item,
          [part.partitionKey]: { [part.keyType ?? 'S']: partition },
        };
        writes.push(put(cursorOf(part, sample), JSON.stringify(sample)));
        seen.push(itemDigest(part, sample, horizon));
      }
      break;
    }
    const digest = withItems(BEGINNING.digest, seen);
    yield { writes, pages: 1, checkpoint: checkpointAt(undefined, digest, writes.length) };
  }
}

function partOf(parts: readonly DynamoDbPart[], range: Range): DynamoDbPart {
  const part = parts.find(({ name }) => name === range.part);
  if (part === undefined) throw new Error(`no part is called ${range.part}`);
  return part;
}
