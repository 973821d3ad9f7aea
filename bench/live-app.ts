/**
 * A process that plays the vendor's live app: reads and writes a tenant's partition key at a steady
 * rate, tries again where it is throttled, and says how long its requests took.
 */
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { itemJson } from './stub/sample-items.ts';

export interface LiveJob {
  readonly endpoint: string;
  readonly region: string;
  readonly table: string;
  readonly partition: string;
  readonly items: number;
  readonly seconds: number;
}

/** Milliseconds, tries after a throttle included. */
export interface LiveOutcome {
  readonly requests: number;
  readonly p50: number;
  readonly p99: number;
}

const PER_SECOND = 150;
/** Two of three requests read a page of 20 units: 2,000 units a second of the 3,000 of a key. */
const PAGE = 80;
/** The SDK's first pause after a throttle. */
const PAUSE_MS = 25;

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

process.on('disconnect', () => process.exit());
process.once('message', async (job: LiveJob) => {
  const took: number[] = [];
  const under: Promise<void>[] = [];
  const begun = performance.now();
  for (let number = 0; number < PER_SECOND * job.seconds; number += 1) {
    const wait = begun + (number * 1000) / PER_SECOND - performance.now();
    if (wait > 0) await pause(wait);
    under.push(timed(job, number).then((ms) => void took.push(ms)));
  }
  await Promise.all(under);
  took.sort((one, other) => one - other);
  const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN;
  const outcome: LiveOutcome = { requests: took.length, p50: at(0.5), p99: at(0.99) };
  process.send?.(outcome, () => process.exit());
});

async function timed(job: LiveJob, number: number): Promise<number> {
  const began = performance.now();
  for (let tries = 0; (await ask(job, number)) !== 200; tries += 1)
    await pause(PAUSE_MS * 2 ** Math.min(tries, 6));
  return performance.now() - began;
}

/** Spreads the requests over the items, in an order that repeats. */
const indexOf = (number: number, items: number): number => (number * 7_919) % items;

function ask({ endpoint, region, table, partition, items }: LiveJob, number: number) {
  const index = indexOf(number, items);
  const { sort, stored } = itemJson(partition, index, 1000);
  const isWrite = number % 3 === 2;
  const body = isWrite
    ? `{"TableName":"${table}","Item":${stored.json}}`
    : JSON.stringify({
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: '#p = :p AND #s < :s',
        ExpressionAttributeNames: { '#p': 'tenant', '#s': 'id' },
        ExpressionAttributeValues: { ':p': { S: partition }, ':s': { S: `${sort}~` } },
        ScanIndexForward: false,
        Limit: PAGE,
      });
  return new Promise<number>((resolve, reject) => {
    const asked = request(
      endpoint,
      {
        agent,
        method: 'POST',
        headers: {
          'x-amz-target': `DynamoDB_20120810.${isWrite ? 'PutItem' : 'Query'}`,
          authorization: `AWS4-HMAC-SHA256 Credential=bench/20260101/${region}/dynamodb/aws4_request`,
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}
