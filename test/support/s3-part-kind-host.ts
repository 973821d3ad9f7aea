/**
 * The S3 part kind over the embedded S3, through HTTP and with the real client. For the contract of
 * part kinds it keeps items: an item is an object whose key is its sort key, under the prefix of
 * its partition.
 */
import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import { parseCursor } from '../../lambdas/adapters/dataset/s3/object-cursor.ts';
import type { ObjectLimits } from '../../lambdas/adapters/dataset/s3/object-side.ts';
import { s3PartKind } from '../../lambdas/adapters/dataset/s3/s3-part-kind.ts';
import type { Range } from '../../lambdas/domain/datasets/dataset.ts';
import type { S3Part } from '../../lambdas/domain/datasets/s3-part.ts';
import { defined } from '../../lambdas/domain/defined.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { Clock, PartKind } from '../../lambdas/ports.ts';
import { type EmbeddedS3Options, startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import type { PartKindHost, PartKindHostOptions } from './part-kind-suite.ts';

export interface S3KindHost {
  readonly kind: PartKind;
  readonly throttled: () => number;
  client(realm: Realm): S3Client;
  bucket(realm: Realm): string;
  close(): Promise<void>;
}

export interface S3KindHostOptions {
  readonly clock?: Clock;
  readonly limits?: Partial<ObjectLimits>;
  readonly mostRequests?: number;
  /** Both buckets keep versions. */
  readonly versioned?: boolean;
  /** Both buckets have Object Lock, and so keep versions. */
  readonly locked?: boolean;
  readonly s3?: Partial<EmbeddedS3Options>;
  /** The address of another S3, which stands in for the embedded one. */
  readonly elsewhere?: string;
}

const REGIONS: Readonly<Record<string, string>> = { us: 'us-east-1', de: 'eu-central-1' };
const regionOf = (realm: Realm): string => REGIONS[realm] ?? '';
export const DOCUMENTS: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};
export const documentsOf = (tenant: string): Range => ({
  id: 'documents/00',
  part: 'documents',
  partition: `${tenant}/`,
});

/** Realms `us` and `de`, with a bucket each. */
export async function s3KindHost(
  {
    clock = { now: Date.now },
    limits,
    mostRequests,
    versioned,
    locked,
    s3 = {},
    elsewhere,
  }: S3KindHostOptions = {},
  names: readonly string[] = ['documents'],
): Promise<S3KindHost> {
  const server =
    elsewhere === undefined
      ? await startEmbeddedS3({ port: 0, regions: Object.values(REGIONS), ...s3 })
      : undefined;
  const clients = new Map<Realm, S3Client>();
  const client = (realm: Realm): S3Client => {
    const found =
      clients.get(realm) ??
      new S3Client({
        endpoint: server?.url ?? elsewhere ?? '',
        forcePathStyle: true,
        region: regionOf(realm),
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
        maxAttempts: 1,
        requestHandler: { httpAgent: { keepAlive: true, maxSockets: 256 } },
      });
    clients.set(realm, found);
    return found;
  };
  const mark = elsewhere === undefined ? '' : `-${randomUUID()}`;
  const bucket = (realm: Realm) => `documents-${realm}${mark}`;
  for (const realm of ['us', 'de'] as const) {
    const Bucket = bucket(realm);
    await client(realm).send(
      new CreateBucketCommand({
        Bucket,
        ...(realm === 'de' && {
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' as const },
        }),
        ...defined({ ObjectLockEnabledForBucket: locked }),
      }),
    );
    if (versioned)
      await client(realm).send(
        new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
      );
  }
  let throttled = 0;
  return {
    client,
    bucket,
    throttled: () => throttled,
    kind: s3PartKind({
      clientFor: client,
      bucketOf: (_, realm) => bucket(realm),
      parts: names.map((name) => ({ ...DOCUMENTS, name })),
      clock,
      onThrottled: (requests) => {
        throttled += requests;
      },
      ...defined({ limits, mostRequests }),
    }),
    async close() {
      for (const one of clients.values()) one.destroy();
      await server?.close();
    },
  };
}

/** For the contract: an item is the body of an object. */
export async function itemsInS3(
  { clock, pageItems }: PartKindHostOptions,
  elsewhere?: string,
): Promise<PartKindHost> {
  const limits = { pageKeys: pageItems };
  const host = await s3KindHost({ clock, limits, ...defined({ elsewhere }) }, ['notes']);
  return {
    kind: onPrefixes(host.kind),
    keyOf: (cursor) => parseCursor(cursor).after ?? '',
    async put(realm, _, items) {
      await Promise.all(
        items.map((item) =>
          host.client(realm).send(
            new PutObjectCommand({
              Bucket: host.bucket(realm),
              Key: `${item['tenant']?.S}/${item['id']?.S}`,
              Body: JSON.stringify(item, bytesAsText),
            }),
          ),
        ),
      );
    },
    async read(realm, _, partition) {
      const [client, Bucket] = [host.client(realm), host.bucket(realm)];
      const items: Item[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client },
        { Bucket, Prefix: `${partition}/`, EncodingType: 'url' },
      ))
        for (const { Key = '' } of Contents) {
          const key = decodeURIComponent(Key.replaceAll('+', ' '));
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }));
          items.push(JSON.parse((await Body?.transformToString()) ?? '', textAsBytes));
        }
      return items;
    },
    close: host.close,
  };
}

/** The contract's partitions are no prefixes: a slash ends them. */
function onPrefixes(kind: PartKind): PartKind {
  const within = (range: Range): Range => ({ ...range, partition: `${range.partition}/` });
  return {
    copy: (range, ...rest) => kind.copy(within(range), ...rest),
    digest: (range, ...rest) => kind.digest(within(range), ...rest),
    restore: (range, ...rest) => kind.restore(within(range), ...rest),
    purge: (range, ...rest) => kind.purge(within(range), ...rest),
    isEmpty: (range, ...rest) => kind.isEmpty(within(range), ...rest),
    size: (range, ...rest) => kind.size(within(range), ...rest),
    differences: (range, ...rest) => kind.differences(within(range), ...rest),
  };
}

const bytesAsText = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('base64') } : value;
const textAsBytes = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'bytes' in value && Object.keys(value).length === 1
    ? new Uint8Array(Buffer.from(String(value.bytes), 'base64'))
    : value;
