/** A process that does the work of one order by one of the variants beside it. */
import type { Job, Variant } from './job.ts';
import { doOneJob } from './one-job.ts';

doOneJob(async (job: Job, begin) => {
  const { run }: { run: Variant } = await import(`./${job.variant}.ts`);
  await run(job, begin);
});
