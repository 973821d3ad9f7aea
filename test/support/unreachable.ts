/** Ports in memory that can be made unreachable, and disturbed before a write. */
import { Fault } from '../../lambdas/domain/refusal.ts';
import type { Hooks } from './in-memory-cells.ts';

export function disturbance() {
  let isUnreachable = false;
  let beforeWrite: (() => Promise<void>) | undefined;
  const hooks: Hooks = {
    async step({ access }) {
      if (isUnreachable) throw new Fault('it cannot be reached');
      if (access !== 'write') return;
      const once = beforeWrite;
      beforeWrite = undefined;
      await once?.();
    },
  };
  return {
    hooks,
    setReachable(isReachable: boolean): void {
      isUnreachable = !isReachable;
    },
    beforeNextWrite(act: () => Promise<void>): void {
      beforeWrite = act;
    },
  };
}
