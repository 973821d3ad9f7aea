/** The usual second attempt: all batches of a page at once, and then the next page. */
import type { Variant } from './job.ts';
import { batchesOf, pageByPage, put, writeBatch } from './raw-loop.ts';

export const run: Variant = async (job, begin) => {
  await pageByPage(job, begin, async (client, table, items) => {
    await Promise.all(batchesOf(items).map((batch) => writeBatch(client, table, batch.map(put))));
  });
};
