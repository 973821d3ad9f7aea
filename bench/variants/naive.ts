/** The naive loop: a page, then its batches one after another. It copies, or deletes. */
import type { Job, Variant } from './job.ts';
import { batchesOf, pageByPage, put, remove, writeBatch } from './raw-loop.ts';

export const run: Variant = async (job, begin) => {
  const isCopy = job.work === 'copy';
  await pageByPage(isCopy ? job : emptying(job), begin, async (client, table, items) => {
    for (const batch of batchesOf(items))
      await writeBatch(client, table, batch.map(isCopy ? put : remove));
  });
};

/** Deletes in the table that it reads. */
const emptying = (job: Job): Job => ({
  ...job,
  sourceTable: job.targetTable,
  sourceRegion: job.targetRegion,
});
