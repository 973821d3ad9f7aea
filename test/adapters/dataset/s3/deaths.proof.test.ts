/**
 * A worker dies before or after each request, in turn, of a copy, a restore and a purge of objects.
 * The next worker goes on from the last checkpoint, or from the one before it where the last was
 * not recorded any more, and ends as if nothing had happened. The simulation does this for tables.
 */
import { CreateMultipartUploadCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test } from 'vitest';
import { isSame } from '../../../../lambdas/domain/datasets/digest.ts';
import type { Checkpoint } from '../../../../lambdas/ports.ts';
import type { InjectedS3Fault } from '../../../../lib/local/s3/embedded-s3.ts';
import { everythingIn, leftIn, openUploads, put } from '../../../support/objects.ts';
import { FOREVER, last, NOW } from '../../../support/part-kind-suite.ts';
import { documentsOf, type S3KindHost, s3KindHost } from '../../../support/s3-part-kind-host.ts';

const range = documentsOf('acme');
/** Limits of bytes instead of megabytes, and pages of two keys. */
const LIMITS = { singleCopyBytes: 1_000, partBytes: 400, pageKeys: 2 };

let host: S3KindHost;
afterEach(() => host.close());

/** The worker that is at work: it dies at the request with this number. */
interface Life {
  readonly at: number;
  readonly dies: 'before' | 'after';
  requests: number;
}
let life: Life | undefined;

/** A dead worker asks for nothing: all that it asks for later is refused. */
function fateOfRequest(): InjectedS3Fault | undefined {
  if (life === undefined) return undefined;
  const number = life.requests;
  life.requests += 1;
  if (number < life.at) return undefined;
  return number === life.at && life.dies === 'after' ? { lost: true } : { error: 'AccessDenied' };
}

async function start(versioned: boolean): Promise<void> {
  life = undefined;
  host = await s3KindHost({
    limits: LIMITS,
    versioned,
    s3: { limits: { copyBytes: 1_000, partBytes: 400 }, inject: fateOfRequest },
  });
}

type Work = (from?: Checkpoint) => AsyncIterable<Checkpoint>;

/**
 * Returns the checkpoints that the worker gave before it died, `undefined` before the first;
 * nothing where it ended before that request.
 */
async function checkpointsUntilDeath(
  work: Work,
  death: Pick<Life, 'at' | 'dies'>,
): Promise<readonly (Checkpoint | undefined)[] | undefined> {
  const given: (Checkpoint | undefined)[] = [undefined];
  life = { ...death, requests: 0 };
  try {
    for await (const checkpoint of work()) given.push(checkpoint);
  } catch (error) {
    if (life.requests <= death.at) throw error;
  }
  const isDead = life.requests > death.at;
  life = undefined;
  return isDead ? given : undefined;
}

/**
 * Lets a worker die at each of its requests in turn, and another finish its work. Returns the
 * number of deaths.
 */
async function everyDeath(
  dies: Life['dies'],
  unrecorded: number,
  settle: () => Promise<void>,
  work: Work,
  check: (end: Checkpoint) => Promise<void>,
): Promise<number> {
  for (let at = 0; ; at += 1) {
    await settle();
    const given = await checkpointsUntilDeath(work, { at, dies });
    if (given === undefined) return at;
    await check(await last(work(given[Math.max(0, given.length - 1 - unrecorded)])));
  }
}

const DEATHS = [
  ['before it, and everything was recorded', 'before', 0],
  ['after it, and everything was recorded', 'after', 0],
  ['after it, and the last checkpoint was not recorded', 'after', 1],
] as const;

const emptied = async (realm: 'us' | 'de') => {
  await last(host.kind.purge(range, realm, undefined, FOREVER));
  expect(await leftIn(host, realm, 'acme/')).toBe(0);
};
const digestOf = async (realm: 'us' | 'de') =>
  (await last(host.kind.digest(range, realm, NOW, undefined, FOREVER))).digest;

/** Three objects in us, of which one is copied in four parts. */
async function putSource(): Promise<void> {
  await put(host, 'us', 'acme/a', { Tagging: 'a=1', Metadata: { author: 'ada' } });
  await put(host, 'us', 'acme/b', { Body: Buffer.alloc(1_300, 7), ContentType: 'text/x-large' });
  await put(host, 'us', 'acme/c');
  await put(host, 'us', 'acme-2/a neighbour');
}

describe.each(DEATHS)('a worker that dies at a request, %s', (_, dies, unrecorded) => {
  test('in a copy: the next one copies everything, and leaves no upload open', async () => {
    await start(false);
    await putSource();
    const [source, digest] = [await everythingIn(host, 'us', 'acme/'), await digestOf('us')];
    expect(source).toHaveLength(3);
    const copy: Work = (from) => host.kind.copy(range, 'us', 'de', NOW, from, FOREVER);
    const deaths = await everyDeath(
      dies,
      unrecorded,
      () => emptied('de'),
      copy,
      async (end) => {
        expect(await everythingIn(host, 'de', 'acme/')).toEqual(source);
        expect(end.done && isSame(end.digest, digest)).toBe(true);
        expect(await openUploads(host, 'de')).toBe(0);
      },
    );
    expect(deaths).toBeGreaterThanOrEqual(15);
    expect(await leftIn(host, 'de', 'acme-2/')).toBe(0);
  });

  test('in a restore: the next one makes the target equal, and leaves no upload open', async () => {
    await start(false);
    await putSource();
    const [source, digest] = [await everythingIn(host, 'us', 'acme/'), await digestOf('us')];
    async function differing(): Promise<void> {
      await emptied('de');
      await put(host, 'de', 'acme/a', { Tagging: 'a=2', Metadata: { author: 'ada' } });
      await put(host, 'de', 'acme/b', { Body: Buffer.alloc(1_300, 8) });
      await put(host, 'de', 'acme/d is in us no more');
    }
    const restore: Work = (from) => host.kind.restore(range, 'us', 'de', NOW, from, FOREVER);
    const deaths = await everyDeath(dies, unrecorded, differing, restore, async (end) => {
      expect(await everythingIn(host, 'de', 'acme/')).toEqual(source);
      expect(end.done && isSame(end.digest, digest)).toBe(true);
      expect(await openUploads(host, 'de')).toBe(0);
    });
    expect(deaths).toBeGreaterThanOrEqual(15);
  });

  test('in a purge: the next one leaves no version, no delete marker and no upload', async () => {
    await start(true);
    const Bucket = host.bucket('us');
    async function settle(): Promise<void> {
      await putSource();
      await put(host, 'us', 'acme/a', { Body: 'a second version' });
      await host.client('us').send(new DeleteObjectCommand({ Bucket, Key: 'acme/c' }));
      for (const Key of ['acme/b', 'acme/e', 'acme/f'])
        await host.client('us').send(new CreateMultipartUploadCommand({ Bucket, Key }));
      expect(await leftIn(host, 'us', 'acme/')).toBe(8);
    }
    const purge: Work = (from) => host.kind.purge(range, 'us', from, FOREVER);
    const deaths = await everyDeath(dies, unrecorded, settle, purge, async (end) => {
      expect(end.done).toBe(true);
      expect(await leftIn(host, 'us', 'acme/')).toBe(0);
      expect(await host.kind.isEmpty(range, 'us')).toBe(true);
    });
    expect(deaths).toBeGreaterThan(5);
    expect(await everythingIn(host, 'us', 'acme-2/')).toHaveLength(1);
  });
});
