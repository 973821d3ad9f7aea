/** A process that copies, verifies or purges the objects of a prefix, measures itself, and ends. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { s3PartKind } from '../../lambdas/adapters/dataset/s3/s3-part-kind.ts';
import { systemClock } from '../../lambdas/adapters/system-clock.ts';
import { isSame } from '../../lambdas/domain/datasets/digest.ts';
import type { Checkpoint } from '../../lambdas/ports.ts';
import { CREDENTIALS, SOURCE, TARGET } from '../variants/job.ts';
import { doOneJob } from '../variants/one-job.ts';
import { BUCKETS, PART, PREFIX } from './names.ts';

export interface ObjectJob {
  readonly url: string;
  readonly work: 'copy' | 'verify' | 'purge';
  /** Requests at once of a loop by the SDK; ours where it is left out. */
  readonly loopOf?: number;
}

const HORIZON = { asOf: 0, lastingUntil: 0 };
const EVER = Number.POSITIVE_INFINITY;

function clientOf(url: string, region: string, maxAttempts: number): S3Client {
  return new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    credentials: CREDENTIALS,
    maxAttempts,
    requestHandler: { httpAgent: { keepAlive: true, maxSockets: 1_000 } },
  });
}

async function ours({ url, work }: ObjectJob): Promise<void> {
  const clients = new Map(
    [SOURCE, TARGET].map(({ realm, region }) => [realm as string, clientOf(url, region, 1)]),
  );
  const kind = s3PartKind({
    clientFor: (realm) => clients.get(realm) ?? clientOf(url, realm, 1),
    bucketOf: (_, realm) => BUCKETS[realm] ?? '',
    parts: [PART],
    clock: systemClock,
  });
  const range = { id: `${PART.name}/00`, part: PART.name, partition: PREFIX };
  const [from, to] = [SOURCE.realm, TARGET.realm];
  if (work === 'copy') await last(kind.copy(range, from, to, HORIZON, undefined, EVER));
  else if (work === 'purge') await last(kind.purge(range, from, undefined, EVER));
  else {
    const [one, other] = await Promise.all(
      [from, to].map((realm) => last(kind.digest(range, realm, HORIZON, undefined, EVER))),
    );
    if (!one || !other || !isSame(one.digest, other.digest))
      throw new Error('the two sides are not equal');
  }
}

async function last(pages: AsyncIterable<Checkpoint>): Promise<Checkpoint | undefined> {
  let found: Checkpoint | undefined;
  for await (const page of pages) found = page;
  return found;
}

/** As a script would: the SDK's own retries, so many requests at once, and no comparison. */
async function loop({ url, work }: ObjectJob, atOnce: number): Promise<void> {
  const [source, target] = [SOURCE, TARGET].map(({ region }) => clientOf(url, region, 10));
  if (source === undefined || target === undefined) return;
  const keys = keysIn(source);
  const lane = async () => {
    for (let next = await keys.next(); !next.done; next = await keys.next()) {
      const Key = next.value;
      if (work === 'purge')
        await source.send(new DeleteObjectCommand({ Bucket: BUCKETS[SOURCE.realm], Key }));
      else
        await target.send(
          new CopyObjectCommand({
            Bucket: BUCKETS[TARGET.realm],
            Key,
            CopySource: `${BUCKETS[SOURCE.realm]}/${Key}`,
          }),
        );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

async function* keysIn(client: S3Client): AsyncGenerator<string> {
  const pages = paginateListObjectsV2(
    { client },
    { Bucket: BUCKETS[SOURCE.realm], Prefix: PREFIX },
  );
  for await (const { Contents = [] } of pages) for (const { Key = '' } of Contents) yield Key;
}

doOneJob((job: ObjectJob) => (job.loopOf === undefined ? ours(job) : loop(job, job.loopOf)));
