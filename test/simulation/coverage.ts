/**
 * The combinations of status, step and fault that a simulation has seen: a cell that can occur and
 * was never seen proves nothing.
 */
import type { Status } from '../../lambdas/domain/moving/migration.ts';
import type { FaultKind } from './scheduler.ts';

export type Seen = FaultKind | 'nothing';

export class Coverage {
  readonly cells = new Map<string, number>();

  count(status: Status | undefined, step: string, fault: Seen): void {
    this.add(cellOf(status, step, fault), 1);
  }

  add(cell: string, times: number): void {
    this.cells.set(cell, (this.cells.get(cell) ?? 0) + times);
  }

  /** Runs the work, and counts the faults that it met. */
  async watched<T>(
    status: Status | undefined,
    step: string,
    run: (suffered: Set<FaultKind>) => Promise<T>,
  ): Promise<T> {
    const suffered = new Set<FaultKind>();
    try {
      return await run(suffered);
    } finally {
      for (const fault of suffered.size > 0 ? suffered : (['nothing'] as const))
        this.count(status, step, fault);
    }
  }
}

export const cellOf = (status: Status | undefined, step: string, fault: Seen): string =>
  `${status ?? 'none'} × ${step} × ${fault}`;
