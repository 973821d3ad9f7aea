/**
 * Records in memory that change only by compare-and-set, as the DynamoDB adapters change their
 * items. Before each single read and write, a test may let other callers go first, or end the
 * caller.
 */
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Fault } from '../../lambdas/domain/refusal.ts';
import type { Change, Decide } from '../../lambdas/ports.ts';
import { frozen } from './frozen.ts';

/** One read or write of a single item. */
export interface Operation {
  readonly port: string;
  readonly name: string;
  readonly realm: Realm;
  /** Which tenant, migration or range. */
  readonly detail?: string;
  readonly access: 'read' | 'write';
}

/** A test's hooks into every operation of the ports. */
export interface Hooks {
  /** Awaited before an operation; when it throws, the operation does not happen. */
  readonly step?: ((operation: Operation) => Promise<void>) | undefined;
  /**
   * Awaited after a write that was made. When it throws a `LostReply`, the client sends the write
   * again, as the SDK does. When it throws anything else, no reply arrives.
   */
  readonly after?: ((operation: Operation) => Promise<void>) | undefined;
}

/** The connection broke after the write, once. */
export class LostReply extends Error {
  override readonly name = 'LostReply';
}

/** At least as often as the adapters try. */
export const MOST_TRIES = 12;

interface Cell<T> {
  readonly record: T;
  readonly revision: number;
}

type Site = Omit<Operation, 'access'>;

export type Cells<T> = ReturnType<typeof inMemoryCells<T>>;

export function inMemoryCells<T>(hooks: Hooks = {}) {
  const cells = new Map<string, Cell<T>>();
  /**
   * Never repeats, so that a record that was removed and written again differs from the one that
   * was read.
   */
  let revisions = 0;
  const nextRevision = (): number => {
    revisions += 1;
    return revisions;
  };

  async function read(
    site: Site,
    key: string,
  ): Promise<{ readonly record: T | undefined; readonly revision: number }> {
    await hooks.step?.({ ...site, access: 'read' });
    const cell = cells.get(key);
    return cell ?? { record: undefined, revision: 0 };
  }

  /** Strongly consistent, as a query on the table: one operation, however many records it finds. */
  async function list(site: Site, prefix: string): Promise<readonly T[]> {
    return (await listCells(site, prefix)).map(({ record }) => record);
  }

  /** The same, each with its revision. */
  async function listCells(site: Site, prefix: string): Promise<readonly Cell<T>[]> {
    await hooks.step?.({ ...site, access: 'read' });
    return within(prefix);
  }

  /**
   * `false` when the stored revision is not `revision` any more; 0 means that there is no record.
   * The record is stored under the revision `following`.
   */
  async function put(
    site: Site,
    key: string,
    next: T | 'remove',
    revision: number,
    following: number = nextRevision(),
  ): Promise<boolean> {
    const operation: Operation = { ...site, access: 'write' };
    const record = next === 'remove' ? next : frozen(next);
    await hooks.step?.(operation);
    if ((cells.get(key)?.revision ?? 0) !== revision) return false;
    if (record === 'remove') cells.delete(key);
    else cells.set(key, { record, revision: following });
    try {
      await hooks.after?.(operation);
    } catch (error) {
      if (!(error instanceof LostReply)) throw error;
      // When the write is sent again, its condition fails. The client then checks whether the
      // stored record is its own.
      return cells.get(key)?.revision === (record === 'remove' ? undefined : following);
    }
    return true;
  }

  async function change(site: Site, key: string, decide: Decide<T>): Promise<Change<T>> {
    for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
      const { record, revision } = await read(site, key);
      const next = decide(record);
      if (next === undefined) return { changed: false, record };
      if (await put(site, key, next, revision))
        return { changed: true, record: next === 'remove' ? undefined : next };
    }
    throw new Fault(
      `${site.name}: a record changed ${MOST_TRIES} times while it was being changed`,
    );
  }

  function within(prefix: string): readonly Cell<T>[] {
    const found = [...cells].filter(([key]) => key.startsWith(prefix));
    return found.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, cell]) => cell);
  }

  const peekAll = (prefix: string): readonly T[] => within(prefix).map(({ record }) => record);

  return {
    nextRevision,
    read,
    list,
    listCells,
    put,
    change,
    peekAll,
    /** For assertions: takes no step. */
    peek: (key: string): T | undefined => cells.get(key)?.record,
    /** Sets a record as if it had always been there; takes no step. */
    set(key: string, record: T): void {
      cells.set(key, { record: frozen(record), revision: nextRevision() });
    },
    /** Removes the records that match, as a time to live does; takes no step. */
    sweep(isOver: (record: T) => boolean): void {
      for (const [key, { record }] of cells) if (isOver(record)) cells.delete(key);
    },
  };
}

/** A key whose parts cannot run into each other; it begins with the key of its first parts. */
export const keyOf = (...parts: readonly string[]): string =>
  parts.map((part) => `${JSON.stringify(part)},`).join('');
