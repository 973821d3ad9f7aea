/** Puts objects into a world of two realms, and reads all that a move has to keep of them. */
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  paginateListObjectsV2,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { defined } from '../../lambdas/domain/defined.ts';
import { type Realm, regionOf } from '../../lambdas/domain/realm.ts';
import type { LocalHost } from '../../lib/local/host.ts';
import { ACCOUNT, STAGE } from '../../lib/local/host-setup.ts';
import type { S3KindHost } from './s3-part-kind-host.ts';

/** A bucket in each realm. */
export type Buckets = Pick<S3KindHost, 'client' | 'bucket'>;

/** Of a part, in a local host. Clients are made at their first use; a test destroys them. */
export function bucketsIn(
  { residency, s3Url }: Pick<LocalHost, 'residency' | 's3Url'>,
  part: string,
): Buckets {
  const clients = new Map<Realm, S3Client>();
  const region = (realm: Realm) => regionOf(residency.realms, realm);
  return {
    bucket: (realm) => `${residency.name}-${STAGE}-${realm}-${part}-${ACCOUNT}-${region(realm)}`,
    client(realm) {
      const made =
        clients.get(realm) ??
        new S3Client({
          endpoint: s3Url ?? '',
          region: region(realm),
          credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
          forcePathStyle: true,
        });
      clients.set(realm, made);
      return made;
    },
  };
}

export const put = (
  host: Buckets,
  realm: Realm,
  Key: string,
  input: Partial<PutObjectCommandInput> = {},
) =>
  host
    .client(realm)
    .send(new PutObjectCommand({ Bucket: host.bucket(realm), Key, Body: `of ${Key}`, ...input }));

/** Uploads in parts of these sizes, each filled with its number. */
export async function putInParts(
  host: Buckets,
  realm: Realm,
  Key: string,
  sizes: readonly number[],
  input: Partial<CreateMultipartUploadCommandInput> = {},
): Promise<void> {
  const client = host.client(realm);
  const Bucket = host.bucket(realm);
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ...input }),
  );
  const Parts = [];
  for (const [place, size] of sizes.entries()) {
    const part = await client.send(
      new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber: place + 1,
        Body: Buffer.alloc(size, place + 1),
        ...defined({ ChecksumAlgorithm: input.ChecksumAlgorithm }),
      }),
    );
    Parts.push({
      ETag: part.ETag,
      PartNumber: place + 1,
      ...defined({ ChecksumSHA256: part.ChecksumSHA256, ChecksumCRC32: part.ChecksumCRC32 }),
    });
  }
  await client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
  );
}

/** Everything that a move keeps: bytes, headers, metadata, tags, storage class, checksum. */
export async function everythingOf(host: Buckets, realm: Realm, Key: string) {
  const [client, Bucket] = [host.client(realm), host.bucket(realm)];
  const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  const { TagSet = [] } = await client.send(new GetObjectTaggingCommand({ Bucket, Key }));
  const {
    $metadata: _,
    LastModified: __,
    ETag: ___,
    VersionId: ____,
    Expires: _____,
    ...kept
  } = head;
  return {
    key: Key,
    ...kept,
    tags: TagSet,
    bytes: Buffer.from((await Body?.transformToByteArray()) ?? []).toString('hex'),
  };
}

export async function keysIn(host: Buckets, realm: Realm, Prefix = ''): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { Contents = [] } of paginateListObjectsV2(
    { client: host.client(realm) },
    { Bucket: host.bucket(realm), Prefix, EncodingType: 'url' },
  ))
    for (const { Key = '' } of Contents) keys.push(decodeURIComponent(Key.replaceAll('+', ' ')));
  return keys;
}

/** How much is under a prefix, old versions, delete markers and open uploads included. */
export async function leftIn(host: Buckets, realm: Realm, Prefix: string): Promise<number> {
  const command = new ListObjectVersionsCommand({ Bucket: host.bucket(realm), Prefix });
  const { Versions = [], DeleteMarkers = [] } = await host.client(realm).send(command);
  return Versions.length + DeleteMarkers.length + (await openUploads(host, realm, Prefix));
}

export async function openUploads(host: Buckets, realm: Realm, Prefix = ''): Promise<number> {
  const command = new ListMultipartUploadsCommand({ Bucket: host.bucket(realm), Prefix });
  return (await host.client(realm).send(command)).Uploads?.length ?? 0;
}

/** All objects under a prefix, with everything that a move keeps. */
export const everythingIn = async (host: Buckets, realm: Realm, prefix: string) =>
  Promise.all((await keysIn(host, realm, prefix)).map((key) => everythingOf(host, realm, key)));
