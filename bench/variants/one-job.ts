/** The frame of a worker's process: it does the work of one order, measures itself, and ends. */
import { once } from 'node:events';
import type { Outcome } from './job.ts';

/** `run` calls `begin` where the measurement begins, and waits for it. */
export function doOneJob<Job>(run: (job: Job, begin: () => Promise<void>) => Promise<void>): void {
  process.on('disconnect', () => process.exit(1));
  process.once('message', async (job: Job) => {
    try {
      let started = performance.now();
      let cpu = process.cpuUsage();
      await run(job, async () => {
        process.send?.({ begins: true });
        await once(process, 'message'); // the caps count from here on
        started = performance.now();
        cpu = process.cpuUsage();
      });
      const seconds = (performance.now() - started) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      const peakRss = process.resourceUsage().maxRSS * 1024;
      const outcome: Outcome = { seconds, cpuSeconds: (user + system) / 1e6, peakRss };
      process.send?.({ outcome }, () => process.exit());
    } catch (error) {
      process.send?.({ error: error instanceof Error ? error.stack : String(error) }, () =>
        process.exit(1),
      );
    }
  });
}
