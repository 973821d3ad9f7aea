/** Reads keys and starting points from requests, and returns the rows of a table in order. */
import { isItem, keyText, type Stored, type Table, type WireItem } from './store.ts';

/** The input of an operation. */
export type Request = Readonly<Record<string, unknown>>;

export interface Row {
  readonly partition: string;
  readonly sort: string;
  readonly item: Stored;
}

export function keyOf(
  { schema }: Table,
  item: WireItem,
): { readonly partition: string; readonly sort: string } {
  const sort = schema.sortKey === undefined ? '' : keyText(item[schema.sortKey]);
  return { partition: keyText(item[schema.partitionKey]), sort };
}

export function keyJson({ schema }: Table, partition: string, sort: string): string {
  const key = { [schema.partitionKey]: { S: partition } };
  return JSON.stringify(
    schema.sortKey === undefined ? key : { ...key, [schema.sortKey]: { S: sort } },
  );
}

export const startOf = (table: Table, { ExclusiveStartKey: key }: Request) =>
  isItem(key) ? keyOf(table, key) : undefined;

export function* matching(
  found: Iterable<readonly [string, Stored]>,
  isWithin: (sort: string) => boolean,
  partition: string,
): Generator<Row> {
  let hasBegun = false;
  for (const [sort, item] of found) {
    if (isWithin(sort)) {
      hasBegun = true;
      yield { partition, sort, item };
    } else if (hasBegun) return;
  }
}

export function* allRows(
  table: Table,
  start: { partition: string; sort: string } | undefined,
): Generator<Row> {
  let isBefore = start !== undefined;
  for (const [partition, items] of table.partitions) {
    if (isBefore && partition !== start?.partition) continue;
    const after = isBefore ? start?.sort : undefined;
    isBefore = false;
    for (const [sort, item] of items.following(after)) yield { partition, sort, item };
  }
}

/** Evaluates the two conditions that the ledger writes with. */
export function holds(input: Request, stored: Stored | undefined): boolean {
  const condition = input.ConditionExpression;
  if (condition === undefined) return true;
  if (String(condition).startsWith('attribute_not_exists')) return stored === undefined;
  const values = isItem(input.ExpressionAttributeValues) ? input.ExpressionAttributeValues : {};
  const item: unknown = JSON.parse(stored?.json ?? '{}');
  const revision = isItem(item) ? item['revision']?.['N'] : undefined;
  return revision !== undefined && revision === values[':revision']?.['N'];
}
