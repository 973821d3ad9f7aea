/** The sequential delete loop: a page, then its items one after another. */
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import type { Variant } from './job.ts';
import { keyOf, pageByPage } from './raw-loop.ts';

export const run: Variant = async (job, begin) => {
  const emptying = { ...job, sourceTable: job.targetTable, sourceRegion: job.targetRegion };
  await pageByPage(emptying, begin, async (client, table, items) => {
    for (const item of items)
      await client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(item) }));
  });
};
