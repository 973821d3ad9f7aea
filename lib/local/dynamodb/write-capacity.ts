/**
 * Lets each partition key of some tables take no more write units a second than it may, as AWS does
 * with 1,000. The embedded DynamoDB alone takes as many as the machine can.
 */
import type { DynamoDbCall, InjectedFault } from './embedded-dynamodb.ts';

export interface WriteCapacity {
  /** Write units per second and partition key. */
  readonly unitsPerSecond: number;
  /** The attribute of the partition key by table; other tables take all. */
  readonly keyOf: ReadonlyMap<string, string>;
}

/**
 * A batch waits so long at most; what is beyond is left unprocessed, for the client to send again.
 */
const LONGEST_DELAY_MS = 400;

/** For the option `inject` of the embedded DynamoDB. Counts puts and deletions in batches. */
export function writeCapacity({
  unitsPerSecond,
  keyOf,
}: WriteCapacity): (call: DynamoDbCall) => InjectedFault | undefined {
  /** When the key has taken all that it was given; milliseconds of `performance.now`. */
  const busyUntil = new Map<string, number>();
  return ({ operation, region, input }) => {
    if (operation !== 'BatchWriteItem') return undefined;
    const writes = Object.entries(Object(input['RequestItems'])).flatMap(([table, requests]) => {
      const attribute = keyOf.get(table);
      return attribute === undefined || !Array.isArray(requests)
        ? []
        : requests.map((request: unknown) => writeOf(`${region} ${table}`, attribute, request));
    });
    if (writes.length === 0) return undefined;
    const now = performance.now();
    const free = (key: string) => Math.max(now, busyUntil.get(key) ?? 0);
    let taken = 0;
    for (const { key, units } of writes) {
      if (free(key) - now > LONGEST_DELAY_MS) break;
      busyUntil.set(key, free(key) + (1_000 * units) / unitsPerSecond);
      taken += 1;
    }
    const delayMs = Math.max(...writes.map(({ key }) => free(key) - now), 0);
    const left = writes.length - taken;
    return {
      delayMs: Math.min(delayMs, LONGEST_DELAY_MS),
      ...(left > 0 && { unprocessed: left }),
    };
  };
}

/** A put takes a unit for each KB that is begun; a deletion is counted as one. */
function writeOf(place: string, attribute: string, request: unknown) {
  const { PutRequest: put, DeleteRequest: deletion }: Record<string, unknown> = {
    ...Object(request),
  };
  const fields = Object(Object(put)['Item'] ?? Object(deletion)['Key']);
  const units = put === undefined ? 1 : Math.ceil(JSON.stringify(put).length / 1_024);
  return { key: `${place} ${JSON.stringify(fields[attribute])}`, units };
}
