/**
 * Kills a worker in the middle of its work, as when its Lambda is killed: its last write is made,
 * its answer is lost, and it does nothing more. The workflow sees the error that Lambda reports for
 * that.
 */
import type { Around } from '../../../lambdas/adapters/aws-clients.ts';
import type { IsGone } from '../../../lambdas/ports.ts';
import { currentInvocation, type RunningFunction, type RunningInvocation } from './invocation.ts';

/** Lambda's name for the error of a function whose process has ended. */
export class Killed extends Error {
  override readonly name = 'Runtime.ExitError';
}

export type WorkerDeaths = ReturnType<typeof workerDeaths>;

interface NextKill {
  readonly tenant: string;
  readonly onDeath: (which: RunningFunction) => void;
  readonly lastWrite: LastWrite;
}

/** The write by which a worker is killed: so many of its calls of these commands have come. */
export interface LastWrite {
  readonly commands: readonly string[];
  readonly times: number;
}

/** A worker's first write takes its lease. A kill at the second leaves work half done. */
const SECOND_WRITE: LastWrite = {
  commands: [
    'PutItem',
    'UpdateItem',
    'DeleteItem',
    'BatchWriteItem',
    'CopyObject',
    'CreateMultipartUpload',
    'DeleteObjects',
  ],
  times: 2,
};

export function workerDeaths() {
  let nextKill: NextKill | undefined;
  /** Killed invocations, by the id that owns their leases. */
  const dead = new Map<string, RunningInvocation>();
  const running = new WeakMap<RunningInvocation, number>();
  const written = new WeakMap<RunningInvocation, number>();

  /** Wraps a worker's calls to AWS; a killed worker's next call never returns. */
  const around: Around = async (call, make) => {
    const self = currentInvocation();
    if (self === undefined) return make();
    if (dead.has(self.requestId)) return never();
    const last = lastWriteOf(self, call.command);
    add(running, self, 1);
    try {
      return await make();
    } finally {
      add(running, self, -1);
      if (last) die(self, last);
      // A killed worker gets neither answer nor error.
      if (dead.has(self.requestId)) await never();
    }
  };

  function lastWriteOf(self: RunningInvocation, command: string): NextKill | undefined {
    if (nextKill === undefined || tenantOf(self) !== nextKill.tenant) return undefined;
    const { commands, times } = nextKill.lastWrite;
    if (!commands.includes(command) || add(written, self, 1) < times) return undefined;
    const found = nextKill;
    nextKill = undefined;
    return found;
  }

  function die(self: RunningInvocation, { onDeath }: NextKill): void {
    dead.set(self.requestId, self);
    const message = `RequestId: ${self.requestId} Error: Runtime exited with error: signal: killed`;
    self.endWith(new Killed(message));
    onDeath(self.which);
  }

  /** True once none of its calls is running any more. */
  const isGone: IsGone = (owner) => {
    const self = dead.get(owner);
    return self !== undefined && (running.get(self) ?? 0) === 0;
  };

  return {
    around,
    isGone,
    /** Stops an invocation that has outlived its timeout: its calls never return. */
    end(invocation: RunningInvocation): void {
      dead.set(invocation.requestId, invocation);
    },
    /** The next worker that writes for this tenant is killed by its second write, or by another. */
    killNextWorker(
      tenant: string,
      onDeath: (which: RunningFunction) => void,
      lastWrite: LastWrite = SECOND_WRITE,
    ): void {
      nextKill = { tenant, onDeath, lastWrite };
    },
    spareNextWorker(): void {
      nextKill = undefined;
    },
  };
}

/** The tenant whose ranges a worker works on; `undefined` for any other function. */
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
