/**
 * Objects, on a stand-in for S3 with latencies and a limit of requests per second: ours beside the
 * loops of a script. S3's own limits are some fifteen times as high; ratios within a run count.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { atLeast, atMost, type Bar } from '../bars.ts';
import type { Bench } from '../bench.ts';
import { BUCKETS, PREFIX } from '../objects/names.ts';
import type { ObjectCounts, ObjectOrder } from '../objects/stub.ts';
import type { ObjectJob } from '../objects/worker.ts';
import { CREDENTIALS, type Outcome, SOURCE, TARGET } from '../variants/job.ts';

/** Requests per second: S3 takes 3,500 writes and 5,500 reads of a prefix. */
const CAPS = { writes: 220, reads: 350 };
const LATENCY = { [SOURCE.region]: 90, [TARGET.region]: 100 };
const SMALL_BYTES = 1_000;
const LARGE_BYTES = 20 * 1024 ** 2;
const SEEDED_AT_ONCE = 16;

interface ObjectRun extends Outcome, ObjectCounts {}

interface ObjectStub extends AsyncDisposable {
  readonly url: string;
  /** Begins to count anew, and says what was counted before. */
  order(order: ObjectOrder): Promise<ObjectCounts>;
}

const FREE: ObjectOrder = { caps: {}, latency: {} };

export async function objects({ sizes }: Bench): Promise<readonly Bar[]> {
  const order = { caps: CAPS, latency: LATENCY };
  await using stub = await startObjectStub();
  await seed(stub, 'small/', sizes.objects, SMALL_BYTES);
  const run = (job: Omit<ObjectJob, 'url'>) => perform(stub, order, job);
  const copy = await run({ work: 'copy' });
  const verify = await run({ work: 'verify' });
  const purge = await run({ work: 'purge' });
  if ((await objectsIn(stub)) !== 0) throw new Error('the purge left objects');

  // A loop that waits for each answer has the same rate with few objects as with many.
  await using other = await startObjectStub();
  await seed(other, 'small/', sizes.objectLoop, SMALL_BYTES);
  const one = await perform(other, order, { work: 'copy', loopOf: 1 });
  const least = await perform(other, { caps: {}, latency: LATENCY }, { work: 'copy' });
  await seedLarge(other, sizes.largeObjects);
  const large = await perform(other, order, { work: 'copy' });
  await using third = await startObjectStub();
  await seed(third, 'small/', sizes.fewObjects, SMALL_BYTES);
  const few = await perform(third, order, { work: 'copy' });
  const many = await perform(third, order, { work: 'copy', loopOf: 32 });

  const copyRate = sizes.objects / copy.seconds;
  const requestsOf = ({ taken }: ObjectCounts) =>
    Object.values(taken).reduce((sum, count) => sum + count, 0);
  const lists = Math.ceil(sizes.objects / 1_000) + 1;
  const named = (count: number) => count.toLocaleString('en');
  return [
    atLeast('objects', 'small ones copied a second, of the limit', copyRate / CAPS.writes, 0.95),
    atLeast(
      'objects',
      'small ones, of a loop one by one',
      (copyRate * one.seconds) / sizes.objectLoop,
      20,
    ),
    atLeast(
      'objects',
      'small ones, of a loop of 32 at once',
      (copyRate * many.seconds) / sizes.fewObjects,
      0.95,
    ),
    atMost(
      'objects',
      'requests of a copy, of those foreseen: a HEAD and a copy each, and lists',
      requestsOf(copy) / (2 * sizes.objects + lists),
      1.02,
    ),
    atLeast(
      'objects',
      'verified a second on each side, of the limit of reads',
      sizes.objects / verify.seconds / CAPS.reads,
      0.9,
    ),
    atMost(
      'objects',
      'requests of a purge for each 1,000 objects',
      requestsOf(purge) / Math.ceil(sizes.objects / 1_000),
      4,
      '',
    ),
    atMost(
      'objects',
      `memory at ${named(sizes.objects)} objects, of that at ${named(sizes.fewObjects)}`,
      copy.peakRss / few.peakRss,
      1.3,
    ),
    atMost(
      'objects',
      `memory at ${sizes.largeObjects} objects of 20 MB, of that without`,
      large.peakRss / least.peakRss,
      1.3,
    ),
  ];
}

async function startObjectStub(): Promise<ObjectStub> {
  const child = fork(new URL('../objects/stub.ts', import.meta.url), {
    execArgv: ['--max-old-space-size=4096'],
  });
  const [{ url }] = await once(child, 'message');
  return {
    url,
    async order(order) {
      const answer = once(child, 'message');
      child.send(order);
      const [counts] = await answer;
      return counts;
    },
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function perform(
  stub: ObjectStub,
  order: ObjectOrder,
  job: Omit<ObjectJob, 'url'>,
): Promise<ObjectRun> {
  const child = fork(new URL('../objects/worker.ts', import.meta.url));
  const ended = once(child, 'exit');
  let said: { readonly outcome?: Outcome; readonly error?: string } = {};
  child.on('message', (message: typeof said) => {
    said = message;
  });
  await stub.order(order);
  child.send({ ...job, url: stub.url });
  await ended;
  const counts = await stub.order(FREE);
  if (said.outcome === undefined) throw new Error(`cannot ${job.work}: ${said.error}`);
  return { ...said.outcome, ...counts };
}

const clientOf = ({ url }: ObjectStub, region: string): S3Client =>
  new S3Client({ endpoint: url, region, forcePathStyle: true, credentials: CREDENTIALS });

async function seed(stub: ObjectStub, name: string, count: number, bytes: number): Promise<void> {
  await stub.order(FREE);
  for (const { realm, region } of [SOURCE, TARGET]) {
    const client = clientOf(stub, region);
    const CreateBucketConfiguration =
      region === TARGET.region ? { LocationConstraint: TARGET.region } : undefined;
    await client
      .send(new CreateBucketCommand({ Bucket: BUCKETS[realm], CreateBucketConfiguration }))
      .catch((error: Error) => {
        if (error.name !== 'BucketAlreadyOwnedByYou') throw error;
      });
    client.destroy();
  }
  const client = clientOf(stub, SOURCE.region);
  const Body = Buffer.alloc(bytes, 'x');
  const numbers = Array.from({ length: count }, (_, number) => number).values();
  const lane = async () => {
    for (const number of numbers)
      await client.send(
        new PutObjectCommand({
          Bucket: BUCKETS[SOURCE.realm],
          Key: `${PREFIX}${name}${numbered(number)}`,
          Body,
        }),
      );
  };
  await Promise.all(Array.from({ length: SEEDED_AT_ONCE }, lane));
  client.destroy();
}

/** All have the bytes of the first, which the stub keeps once. */
async function seedLarge(stub: ObjectStub, count: number): Promise<void> {
  await seed(stub, 'large/', 1, LARGE_BYTES);
  const client = clientOf(stub, SOURCE.region);
  const Bucket = BUCKETS[SOURCE.realm];
  const CopySource = `${Bucket}/${PREFIX}large/${numbered(0)}`;
  for (let number = 1; number < count; number += 1)
    await client.send(
      new CopyObjectCommand({ Bucket, CopySource, Key: `${PREFIX}large/${numbered(number)}` }),
    );
  client.destroy();
}

const numbered = (number: number): string => String(number).padStart(6, '0');

/** Versions of objects under the prefix in the source. */
async function objectsIn(stub: ObjectStub): Promise<number> {
  const client = clientOf(stub, SOURCE.region);
  let count = 0;
  let KeyMarker: string | undefined;
  do {
    const page = await client.send(
      new ListObjectVersionsCommand({ Bucket: BUCKETS[SOURCE.realm], Prefix: PREFIX, KeyMarker }),
    );
    count += (page.Versions ?? []).length + (page.DeleteMarkers ?? []).length;
    KeyMarker = page.NextKeyMarker;
  } while (KeyMarker !== undefined);
  client.destroy();
  return count;
}
