/**
 * The tables of one region of the stub: items by partition, in the order of their sort keys, as
 * JSON text.
 */

/** One attribute as it travels: `{ S: '…' }`, `{ N: '1' }`… */
export type WireValue = Readonly<Record<string, unknown>>;
export type WireItem = Readonly<Record<string, WireValue>>;

export interface KeySchema {
  readonly partitionKey: string;
  /** Absent in a table with one item per partition key. */
  readonly sortKey?: string;
}

export interface Stored {
  readonly json: string;
  /** Bytes, by DynamoDB's published rules. */
  readonly size: number;
}

export interface Table {
  readonly schema: KeySchema;
  readonly partitions: Map<string, Partition>;
}

/** Items of one partition key. They are sorted at the first read in order. */
export class Partition {
  readonly items = new Map<string, Stored>();
  #sorted: string[] = [];
  #isSorted = true;

  put(sort: string, item: Stored): void {
    const isNew = !this.items.has(sort);
    this.items.set(sort, item);
    if (!isNew) return;
    // Usually in order, since all copiers write from front to back. It may still hold deleted keys.
    const last = this.#sorted.at(-1);
    if (this.#isSorted && last !== undefined && last >= sort) this.#isSorted = false;
    this.#sorted.push(sort);
  }

  remove(sort: string): void {
    this.items.delete(sort);
  }

  /** Existing items after `after`, in order, or in reverse. */
  *following(after: string | undefined, isBackward = false): Generator<readonly [string, Stored]> {
    if (!this.#isSorted) {
      this.#sorted = [...this.items.keys()].sort();
      this.#isSorted = true;
    }
    const keys = this.#sorted;
    const step = isBackward ? -1 : 1;
    let at = isBackward ? keys.length - 1 : 0;
    if (after !== undefined)
      at = isBackward ? firstNotBefore(keys, after) - 1 : firstAfter(keys, after);
    for (; at >= 0 && at < keys.length; at += step) {
      const sort = keys[at] ?? '';
      const item = this.items.get(sort);
      if (item !== undefined) yield [sort, item];
    }
  }
}

function firstNotBefore(keys: readonly string[], sort: string): number {
  const at = firstAfter(keys, sort);
  return keys[at - 1] === sort ? at - 1 : at;
}

function firstAfter(keys: readonly string[], after: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The text of a key value of any type; empty without a sort key. */
export const keyText = (value: WireValue | undefined): string =>
  String(value?.['S'] ?? value?.['N'] ?? value?.['B'] ?? '');

export function partitionOf(table: Table, name: string): Partition {
  const found = table.partitions.get(name) ?? new Partition();
  table.partitions.set(name, found);
  return found;
}

export function sizeOfItem(item: WireItem): number {
  let size = 0;
  for (const name in item) size += name.length + sizeOfValue(item[name] ?? {});
  return size;
}

/** Names and numbers of the benchmark's items are ASCII, so that characters are bytes there. */
function sizeOfValue(value: WireValue): number {
  const { S, N, B, L, M, SS, NS, BS } = value;
  if (typeof S === 'string') return Buffer.byteLength(S);
  if (typeof N === 'string') return Math.ceil(N.length / 2) + 1;
  if (typeof B === 'string') return Buffer.byteLength(B, 'base64');
  if (Array.isArray(L))
    return 3 + L.reduce((sum: number, member) => sum + 1 + sizeOfValue(member), 0);
  if (isItem(M)) return 3 + Object.keys(M).length + sizeOfItem(M);
  const set = [SS, NS, BS].find(Array.isArray) ?? [];
  return Math.max(
    1,
    set.reduce((sum: number, member) => sum + String(member).length, 0),
  );
}

export const isItem = (value: unknown): value is WireItem =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
