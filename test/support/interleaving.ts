/** Lets fast-check decide in which order the operations of several callers happen. */
import type fc from 'fast-check';

/** From `begin` to `end`, every operation waits for the scheduler. */
export function interleavedBy(scheduler: fc.Scheduler) {
  let isOn = false;
  return {
    hooks: {
      step: async () => {
        if (isOn) await scheduler.schedule(Promise.resolve());
      },
    },
    begin: () => {
      isOn = true;
    },
    end: () => {
      isOn = false;
    },
  };
}
