/**
 * Reads what a tenant has in a bucket, and all that a move must keep of it. It shares no code with
 * the copy.
 */
import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Snapshot } from './snapshots.ts';

const READERS = 16;

/** Key to a hash of bytes, headers, metadata, tags, storage class and checksum. */
export async function objectsUnder(
  client: S3Client,
  Bucket: string,
  prefixes: readonly string[],
): Promise<Snapshot> {
  const found = new Map<string, string>();
  for (const Prefix of prefixes) {
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client },
      listed(Bucket, Prefix),
    )) {
      const left = Contents.map(({ Key = '' }) => keyIn(Key)).values();
      const read = async (): Promise<void> => {
        for (const Key of left) found.set(Key, await hashOf(client, Bucket, Key));
      };
      await Promise.all(Array.from({ length: READERS }, read));
    }
  }
  return found;
}

/** What only names this copy of the object, and no content of it. */
const OF_ITS_PLACE = new Set(['$metadata', 'Body', 'ETag', 'LastModified', 'VersionId', 'Expires']);

async function hashOf(client: S3Client, Bucket: string, Key: string): Promise<string> {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
  const { TagSet = [] } = answer.TagCount
    ? await client.send(new GetObjectTaggingCommand({ Bucket, Key }))
    : {};
  const headers = Object.entries(answer)
    .filter(([name, value]) => !OF_ITS_PLACE.has(name) && value !== undefined)
    .map(([name, value]) => [name, name === 'Metadata' ? sorted(value) : value]);
  const tags = TagSet.map(({ Key: name, Value: value }) => [name, value]);
  return createHash('sha256')
    .update(JSON.stringify([sorted(Object.fromEntries(headers)), tags.sort()]))
    .update(bytes)
    .digest('hex');
}

const sorted = (fields: object) =>
  Object.entries(fields).sort(([one], [other]) => (one < other ? -1 : 1));

/** What is left under the prefixes: versions, delete markers, open uploads. */
export interface Left {
  readonly versions: number;
  readonly markers: number;
  readonly uploads: number;
}

export async function leftUnder(
  client: S3Client,
  Bucket: string,
  prefixes: readonly string[],
): Promise<Left> {
  const left = { versions: 0, markers: 0, uploads: 0 };
  for (const Prefix of prefixes) {
    const place = listed(Bucket, Prefix);
    for (let from: object | undefined = {}; from !== undefined; ) {
      const page: ListObjectVersionsCommandOutput = await client.send(
        new ListObjectVersionsCommand({ ...place, ...from }),
      );
      left.versions += page.Versions?.length ?? 0;
      left.markers += page.DeleteMarkers?.length ?? 0;
      const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
      from = page.IsTruncated ? { KeyMarker, VersionIdMarker } : undefined;
    }
    for (let from: object | undefined = {}; from !== undefined; ) {
      const page: ListMultipartUploadsCommandOutput = await client.send(
        new ListMultipartUploadsCommand({ ...place, ...from }),
      );
      left.uploads += page.Uploads?.length ?? 0;
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      from = page.IsTruncated ? { KeyMarker, UploadIdMarker } : undefined;
    }
  }
  return left;
}

/** XML cannot carry every key. */
const listed = (Bucket: string, Prefix: string) => ({
  Bucket,
  Prefix,
  EncodingType: 'url' as const,
});
const keyIn = (encoded: string): string => decodeURIComponent(encoded.replaceAll('+', ' '));
