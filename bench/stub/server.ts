/**
 * The stub DynamoDB, in a process of its own: raw HTTP, DynamoDB's JSON 1.0, one set of tables per
 * region of the signature's credential scope. It delays answers by each region's latency, and ends
 * with the process that started it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { Caps, Count } from './capacity.ts';
import { Region } from './operations.ts';
import type { Request } from './rows.ts';
import { itemJson } from './sample-items.ts';
import { isItem, type KeySchema, partitionOf, type Table } from './store.ts';

/** Milliseconds per request, and per MB that is read. */
export interface Latency {
  readonly base: number;
  readonly perMb: number;
}

/** Orders of the benchmark to the stub itself. */
export type Order =
  | { readonly do: 'reset' }
  | {
      readonly do: 'create';
      readonly region: string;
      readonly table: string;
      readonly schema: KeySchema;
    }
  | { readonly do: 'latency'; readonly region: string; readonly latency: Latency }
  | { readonly do: 'cap'; readonly region: string; readonly table: string; readonly caps?: Caps }
  | {
      readonly do: 'seed';
      readonly region: string;
      readonly table: string;
      readonly partition: string;
      readonly items: number;
      readonly itemBytes: number;
      /** Only each item whose number this divides; all where it is left out. */
      readonly every?: number;
    }
  | { readonly do: 'count'; readonly region: string }
  | {
      readonly do: 'compare';
      readonly table: readonly [string, string];
      readonly regions: readonly [string, string];
    };

/**
 * The answer to an order: counters by table and operation, or how many items are the same in both
 * tables and how many are not.
 */
export interface Report {
  readonly counts?: Readonly<Record<string, Readonly<Record<string, Count>>>>;
  readonly equal?: number;
  readonly different?: number;
}

const regions = new Map<string, Region>();
const latencies = new Map<string, Latency>();

function regionCalled(name: string): Region {
  const found = regions.get(name) ?? new Region();
  regions.set(name, found);
  return found;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => respond(request, response, Buffer.concat(chunks).toString()));
});
server.keepAliveTimeout = 60_000;

function respond(request: IncomingMessage, response: ServerResponse, body: string): void {
  const arrived = performance.now();
  const region =
    /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
  const input: unknown = JSON.parse(body);
  const answer = regionCalled(region).answer(operation, isRecord(input) ? input : {});
  const { base, perMb } = latencies.get(region) ?? { base: 0, perMb: 0 };
  const due = base + (answer.bytes / 1024 / 1024) * perMb - (performance.now() - arrived);
  const send = () => {
    response.writeHead(answer.status, {
      'content-type': 'application/x-amz-json-1.0',
      'content-length': Buffer.byteLength(answer.body),
    });
    response.end(answer.body);
  };
  // A timer fires up to a millisecond late, never early.
  if (due > 0.5) setTimeout(send, due);
  else send();
}

const isRecord = (value: unknown): value is Request => typeof value === 'object' && value !== null;

function obey(order: Order): Report {
  switch (order.do) {
    case 'reset':
      regions.clear();
      latencies.clear();
      return {};
    case 'create':
      regionCalled(order.region).create(order.table, order.schema);
      return {};
    case 'latency':
      latencies.set(order.region, order.latency);
      return {};
    case 'cap':
      regionCalled(order.region).cap(order.table, order.caps);
      return {};
    case 'seed': {
      const items = partitionOf(tableIn(order.region, order.table), order.partition);
      for (let index = 0; index < order.items; index += order.every ?? 1) {
        const { sort, stored } = itemJson(order.partition, index, order.itemBytes);
        items.put(sort, stored);
      }
      return {};
    }
    case 'count': {
      const { counts } = regionCalled(order.region).counters;
      return { counts };
    }
    case 'compare':
      return compare(
        tableIn(order.regions[0], order.table[0]),
        tableIn(order.regions[1], order.table[1]),
      );
  }
}

function tableIn(region: string, name: string): Table {
  const table = regionCalled(region).tables.get(name);
  if (table === undefined) throw new Error(`the stub has no table ${name} in ${region}`);
  return table;
}

/** Compares attribute by attribute, in any order. */
function compare(one: Table, other: Table): Report {
  let [equal, all] = [0, 0];
  for (const [name, { items }] of one.partitions) {
    all += items.size;
    const others = other.partitions.get(name)?.items;
    for (const [sort, { json }] of items) if (isSame(json, others?.get(sort)?.json)) equal += 1;
  }
  for (const { items } of other.partitions.values()) all += items.size;
  return { equal, different: all - 2 * equal };
}

function isSame(one: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  if (one === other) return true;
  const [a, b]: unknown[] = [JSON.parse(one), JSON.parse(other)];
  return isItem(a) && isItem(b) && isDeepStrictEqual(a, b);
}

process.on('message', (order: Order) => {
  try {
    process.send?.({ report: obey(order) });
  } catch (error) {
    process.send?.({ error: String(error) });
  }
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
