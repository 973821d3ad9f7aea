/**
 * Kills a worker in mid-work, as when its Lambda is killed: its last write is made, nobody hears of it, and whatever it
 * would do next never happens. A workflow sees the error that Lambda reports for that.
 */
import type { Around } from '../../lambdas/adapters/aws-clients.ts';
import type { IsGone } from '../../lambdas/ports.ts';
import { currentInvocation, type RunningFunction, type RunningInvocation } from './invocation.ts';

/** Lambda's own name for a function whose process has ended under it. */
export class Killed extends Error {
  override readonly name = 'Runtime.ExitError';
}

export type WorkerDeaths = ReturnType<typeof workerDeaths>;

interface Sentence {
  readonly tenant: string;
  readonly onDeath: (which: RunningFunction) => void;
}

const WRITES: readonly string[] = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem'];
/** A worker's first write is its lease: with the next one, it leaves something half done. */
const LAST_WRITE = 2;

export function workerDeaths() {
  let sentence: Sentence | undefined;
  /** The dead, by the id that owns their leases. */
  const dead = new Map<string, RunningInvocation>();
  const underWay = new WeakMap<RunningInvocation, number>();
  const written = new WeakMap<RunningInvocation, number>();

  /** Between a worker and AWS: the place where it can be stopped without a trace. */
  const around: Around = async (call, make) => {
    const self = currentInvocation();
    if (self === undefined) return make();
    if (dead.has(self.requestId)) return never();
    const last = WRITES.includes(call.command) ? lastWriteOf(self) : undefined;
    add(underWay, self, 1);
    try {
      return await make();
    } finally {
      add(underWay, self, -1);
      if (last) die(self, last);
      // An answer, or an error, that comes too late: there is nobody any more to hear it.
      if (dead.has(self.requestId)) await never();
    }
  };

  function lastWriteOf(self: RunningInvocation): Sentence | undefined {
    if (sentence === undefined || tenantOf(self) !== sentence.tenant) return undefined;
    if (add(written, self, 1) < LAST_WRITE) return undefined;
    const found = sentence;
    sentence = undefined;
    return found;
  }

  function die(self: RunningInvocation, { onDeath }: Sentence): void {
    dead.set(self.requestId, self);
    const message = `RequestId: ${self.requestId} Error: Runtime exited with error: signal: killed`;
    self.endWith(new Killed(message));
    onDeath(self.which);
  }

  /** Certain as soon as nothing that it had begun is under way. */
  const isGone: IsGone = (owner) => {
    const self = dead.get(owner);
    return self !== undefined && (underWay.get(self) ?? 0) === 0;
  };

  return {
    around,
    isGone,
    /** One that has outlived its time, as when Lambda ends it: whatever it would do next never happens. */
    end(invocation: RunningInvocation): void {
      dead.set(invocation.requestId, invocation);
    },
    /** The worker that next writes for this tenant, beside taking its lease, dies of it. */
    killNextWorker(tenant: string, onDeath: (which: RunningFunction) => void): void {
      sentence = { tenant, onDeath };
    },
    spareNextWorker(): void {
      sentence = undefined;
    },
  };
}

/** Whose ranges a worker works on; `undefined` for anything else that runs. */
function tenantOf({ which, event }: RunningInvocation): unknown {
  if (!which.entry.endsWith('-range')) return undefined;
  return typeof event === 'object' && event !== null && 'tenant' in event
    ? event.tenant
    : undefined;
}

function add(counts: WeakMap<RunningInvocation, number>, to: RunningInvocation, by: number) {
  const count = (counts.get(to) ?? 0) + by;
  counts.set(to, count);
  return count;
}

const never = (): Promise<never> => new Promise(() => undefined);
