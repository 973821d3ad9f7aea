/** Ports in memory that can be made unreachable, and disturbed before a write. */
import { Fault } from '../../lambdas/domain/refusal.ts';
import { type Hooks, LostReply } from './in-memory-cells.ts';

export function disturbance() {
  let isUnreachable = false;
  let beforeWrite: (() => Promise<void>) | undefined;
  let repliesToLose = 0;
  const hooks: Hooks = {
    async step({ access }) {
      if (isUnreachable) throw new Fault('it cannot be reached');
      if (access !== 'write') return;
      const once = beforeWrite;
      beforeWrite = undefined;
      await once?.();
    },
    async after() {
      if (repliesToLose === 0) return;
      repliesToLose -= 1;
      throw new LostReply();
    },
  };
  return {
    hooks,
    setReachable(isReachable: boolean): void {
      isUnreachable = !isReachable;
    },
    /**
     * Loses the replies of the next `count` writes: each is made, and the client sends it again.
     */
    loseReplies(count: number): void {
      repliesToLose = count;
    },
    beforeNextWrite(act: () => Promise<void>): void {
      beforeWrite = act;
    },
  };
}
