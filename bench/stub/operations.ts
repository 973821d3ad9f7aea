/**
 * The operations of DynamoDB that a copier, its ledger and its rivals use, on the tables of one
 * region.
 */
import { Capacity, type Caps, Counters } from './capacity.ts';
import {
  allRows,
  holds,
  keyJson,
  keyOf,
  matching,
  type Request,
  type Row,
  startOf,
} from './rows.ts';
import {
  isItem,
  type KeySchema,
  keyText,
  partitionOf,
  sizeOfItem,
  type Table,
  type WireItem,
} from './store.ts';

/** `bytes` is what was read; a Query's latency grows with it. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly bytes: number;
}

const PAGE_BYTES = 1024 * 1024;
const READ_UNIT = 4096;
const WRITE_UNIT = 1024;
const BATCH = 25;

const done = (body: string, bytes = 0): Answer => ({ status: 200, body, bytes });
const refused = (error: string, message: string): Answer => ({
  status: error === 'InternalServerError' ? 500 : 400,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${error}`, message }),
  bytes: 0,
});
const THROTTLED = refused(
  'ProvisionedThroughputExceededException',
  'the cap of the table or of a partition key',
);

export class Region {
  readonly tables = new Map<string, Table>();
  counters = new Counters();
  #capacity = new Map<string, Capacity>();

  create(name: string, schema: KeySchema): void {
    this.tables.set(name, { schema, partitions: new Map() });
  }

  cap(name: string, caps: Caps | undefined): void {
    if (caps === undefined) this.#capacity.delete(name);
    else this.#capacity.set(name, new Capacity(caps));
  }

  answer(operation: string, input: Request): Answer {
    switch (operation) {
      case 'Query':
        return this.#query(input);
      case 'Scan':
        return this.#scan(input);
      case 'GetItem':
        return this.#get(input);
      case 'PutItem':
        return this.#putOne(input);
      case 'DeleteItem':
        return this.#deleteOne(input);
      case 'BatchWriteItem':
        return this.#batchWrite(input);
      default:
        return refused('UnknownOperationException', `the stub has no ${operation}`);
    }
  }

  #table(name: unknown): Table {
    const table = this.tables.get(String(name));
    if (table === undefined) throw new Error(`the stub has no table ${String(name)}`);
    return table;
  }

  #query(input: Request): Answer {
    const table = this.#table(input.TableName);
    const values = isItem(input.ExpressionAttributeValues) ? input.ExpressionAttributeValues : {};
    const condition = String(input.KeyConditionExpression);
    const partition = keyText(values[/= (:\w+)/.exec(condition)?.[1] ?? '']);
    const prefix = keyText(values[/begins_with\(#?\w+, (:\w+)\)/.exec(condition)?.[1] ?? '']);
    const bound = /#?\w+ ([<>]=?) (:\w+)/.exec(condition);
    const limit = keyText(values[bound?.[2] ?? '']);
    const isWithin = (sort: string) =>
      sort.startsWith(prefix) && (bound === null || isBeside(bound[1] ?? '', sort, limit));
    const isBackward = input.ScanIndexForward === false;
    const found =
      table.partitions.get(partition)?.following(startOf(table, input)?.sort, isBackward) ?? [];
    return this.#page(input, table, 'Query', matching(found, isWithin, partition), partition);
  }

  #scan(input: Request): Answer {
    const table = this.#table(input.TableName);
    return this.#page(input, table, 'Scan', allRows(table, startOf(table, input)));
  }

  /** A scan names no partition key, and so is not capped. */
  #page(
    input: Request,
    table: Table,
    operation: string,
    rows: Iterable<Row>,
    partition?: string,
  ): Answer {
    const limit = Number(input.Limit ?? Number.POSITIVE_INFINITY);
    const isProjected = input.ProjectionExpression !== undefined;
    const items: string[] = [];
    let bytes = 0;
    let last: Row | undefined;
    let isCut = false;
    for (const row of rows) {
      if (bytes >= PAGE_BYTES || items.length >= limit) {
        isCut = true;
        break;
      }
      items.push(isProjected ? keyJson(table, row.partition, row.sort) : row.item.json);
      bytes += row.item.size;
      last = row;
    }
    // DynamoDB stops at the limit, and so does not know whether items follow.
    if (items.length === limit) isCut = true;
    if (!this.#reads(input, operation, bytes, partition)) return THROTTLED;
    const next =
      isCut && last ? `,"LastEvaluatedKey":${keyJson(table, last.partition, last.sort)}` : '';
    const listed = input.Select === 'COUNT' ? '' : `"Items":[${items.join(',')}],`;
    return done(`{${listed}"Count":${items.length},"ScannedCount":${items.length}${next}}`, bytes);
  }

  #get(input: Request): Answer {
    const { stored, partition } = this.#find(input.TableName, input.Key);
    if (!this.#reads(input, 'GetItem', stored?.size ?? 0, partition)) return THROTTLED;
    return done(stored ? `{"Item":${stored.json}}` : '{}', stored?.size);
  }

  /** Counts a read; false where the partition key has no units left. */
  #reads(input: Request, operation: string, bytes: number, partition?: string): boolean {
    const name = String(input.TableName);
    const whole = Math.max(1, Math.ceil(bytes / READ_UNIT));
    const units = input.ConsistentRead === true ? whole : whole / 2;
    const count = this.counters.of(name, operation);
    count.requests += 1;
    const isAllowed =
      partition === undefined || (this.#capacity.get(name)?.allowsRead(partition, units) ?? true);
    if (isAllowed) count.rcu += units;
    else count.refusedReads += 1;
    return isAllowed;
  }

  /** Counts a write of one item; false where the table or the partition key has too few units. */
  #writesOne(name: string, operation: string, partition: string, units: number): boolean {
    const count = this.counters.of(name, operation);
    count.requests += 1;
    count.writes += 1;
    const isAllowed = this.#capacity.get(name)?.allows(partition, units) ?? true;
    if (isAllowed) count.wcu += units;
    else count.refused += 1;
    return isAllowed;
  }

  #putOne(input: Request): Answer {
    const item = isItem(input.Item) ? input.Item : {};
    const { table, partition, sort, stored } = this.#find(input.TableName, item);
    const size = sizeOfItem(item);
    const units = unitsOf(Math.max(size, stored?.size ?? 0));
    if (!this.#writesOne(String(input.TableName), 'PutItem', partition, units)) return THROTTLED;
    if (!holds(input, stored))
      return refused('ConditionalCheckFailedException', 'The conditional request failed');
    partitionOf(table, partition).put(sort, { json: JSON.stringify(item), size });
    return done('{}');
  }

  #deleteOne(input: Request): Answer {
    const { table, partition, sort, stored } = this.#find(input.TableName, input.Key);
    const units = unitsOf(stored?.size ?? 0);
    if (!this.#writesOne(String(input.TableName), 'DeleteItem', partition, units)) return THROTTLED;
    if (!holds(input, stored))
      return refused('ConditionalCheckFailedException', 'The conditional request failed');
    partitionOf(table, partition).remove(sort);
    return done('{}');
  }

  #batchWrite(input: Request): Answer {
    const [[name, requests] = ['', []]] = Object.entries(
      isItem(input.RequestItems) ? input.RequestItems : {},
    );
    if (!Array.isArray(requests) || requests.length === 0 || requests.length > BATCH) {
      return refused('ValidationException', `a batch has 1 to ${BATCH} writes`);
    }
    const table = this.#table(name);
    const capacity = this.#capacity.get(name);
    const count = this.counters.of(name, 'BatchWriteItem');
    count.requests += 1;
    count.writes += requests.length;
    const left = requests.filter((request) => !this.#write(table, capacity, count, request));
    count.refused += left.length;
    if (left.length === requests.length) return THROTTLED;
    return done(JSON.stringify({ UnprocessedItems: left.length > 0 ? { [name]: left } : {} }));
  }

  #write(
    table: Table,
    capacity: Capacity | undefined,
    count: { wcu: number },
    request: WriteRequest,
  ): boolean {
    const item = request.PutRequest?.Item ?? request.DeleteRequest?.Key ?? {};
    const { partition, sort } = keyOf(table, item);
    const items = partitionOf(table, partition);
    const before = items.items.get(sort)?.size ?? 0;
    const size = request.PutRequest === undefined ? 0 : sizeOfItem(item);
    const units = unitsOf(Math.max(size, before));
    if (capacity && !capacity.allows(partition, units)) return false;
    count.wcu += units;
    if (request.PutRequest === undefined) items.remove(sort);
    else items.put(sort, { json: JSON.stringify(item), size });
    return true;
  }

  #find(name: unknown, key: unknown) {
    const table = this.#table(name);
    const at = keyOf(table, isItem(key) ? key : {});
    return { table, ...at, stored: table.partitions.get(at.partition)?.items.get(at.sort) };
  }
}

interface WriteRequest {
  readonly PutRequest?: { readonly Item: WireItem };
  readonly DeleteRequest?: { readonly Key: WireItem };
}

const unitsOf = (size: number): number => Math.max(1, Math.ceil(size / WRITE_UNIT));

function isBeside(comparison: string, sort: string, limit: string): boolean {
  if (sort === limit) return comparison.endsWith('=');
  return comparison.startsWith('<') === sort < limit;
}
