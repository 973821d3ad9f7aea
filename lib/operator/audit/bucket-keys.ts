/**
 * Which keys a bucket has: a few at many places of it, or the beginning of each, as far as it names
 * a tenant. Operators list keys, and read no object.
 */
import {
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { decodedKey } from '../../../lambdas/adapters/dataset/s3/object-side.ts';
import { delimiterOf, formsOf } from '../../../lambdas/domain/datasets/key-template.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { type DeclaredBucket, declaredBuckets } from '../doctor/bucket-form.ts';
import type { Operator } from '../operator.ts';

/** A key, and the prefix of it that belongs to one tenant. */
export interface FoundKey {
  readonly key: string;
  readonly beginning: string;
}

/** The bucket of a part, with the parts that share it. */
export async function bucketOf(
  operator: Operator,
  realm: Realm,
  part: S3Part,
): Promise<DeclaredBucket> {
  const buckets = await declaredBuckets(operator, realm);
  const found = buckets.find(({ parts }) => parts.includes(part));
  if (found === undefined) throw new Error(`the part ${part.name} has no bucket`);
  return found;
}

/** Where a prefix ends that no template makes. */
const DELIMITER = '/';
/** The last character of Unicode: behind every other key with the same beginning. */
const LAST = '\u{10FFFF}';

/**
 * By the template that makes it; else up to the first delimiter behind what a template begins with.
 * `undefined` where there is none.
 */
export function beginningIn(parts: readonly S3Part[], key: string): string | undefined {
  let from = 0;
  for (const part of parts)
    for (const { head, tail } of formsOf(part)) {
      if (!key.startsWith(head)) continue;
      const end = key.indexOf(delimiterOf(part) ?? DELIMITER, head.length);
      if (end >= 0 && key.startsWith(tail, end)) return key.slice(0, end + tail.length);
      from = Math.max(from, head.length);
    }
  const end = key.indexOf(DELIMITER, from);
  return end < 0 ? undefined : key.slice(0, end + DELIMITER.length);
}

/** Places between prefixes of client keys, which are words, or digits of UUIDs. */
const PLACES = ['', '2', '5', '8', 'b', 'e', 'k', 's'];
const KEYS_PER_PLACE = 8;

/**
 * One key of each beginning, at the same places each time: up to 64 requests for what each template
 * begins with, and for the bucket itself.
 */
export async function sampledKeys(
  { clients }: Operator,
  realm: Realm,
  { name, parts }: Pick<DeclaredBucket, 'name' | 'parts'>,
  heads: readonly string[],
): Promise<readonly FoundKey[]> {
  const client = clients.objects(realm);
  const places = [...new Set(heads)].flatMap((head) =>
    PLACES.map((place) => [head, place] as const),
  );
  const found = await Promise.all(
    places.map(async ([head, place]) => {
      const keys: FoundKey[] = [];
      let after = place === '' ? undefined : head + place;
      while (keys.length < KEYS_PER_PLACE) {
        const [key] = await keysUnder(client, name, head, 1, after);
        if (key === undefined) break;
        const beginning = beginningIn(parts, key);
        keys.push({ key, beginning: beginning ?? key });
        after = behind(beginning, key, after);
      }
      return keys;
    }),
  );
  return [...new Map(found.flat().map((one) => [one.beginning, one])).values()];
}

/** The first keys of current objects under a prefix. */
export async function keysUnder(
  client: S3Client,
  bucket: string,
  prefix: string,
  most: number,
  after?: string,
): Promise<readonly string[]> {
  const page = await client.send(
    new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      MaxKeys: most,
      EncodingType: 'url',
      StartAfter: after,
    }),
  );
  return (page.Contents ?? []).map(({ Key: key }) => decodedKey(key, page.EncodingType));
}

/** From where on a listing finds other beginnings. */
function behind(beginning: string | undefined, key: string, before: string | undefined): string {
  const next = `${beginning}${LAST}`;
  return beginning === undefined || next === before ? key : next;
}

export interface Beginnings {
  /** Each beginning that has versions, delete markers or open uploads. */
  readonly beginnings: readonly string[];
  /** How many keys have no delimiter where a template has one. */
  readonly loose: number;
}

/** Lists the whole bucket, versions and open uploads. */
export async function everyBeginning(
  { clients }: { readonly clients: Pick<Operator['clients'], 'objects'> },
  realm: Realm,
  { name, parts }: Pick<DeclaredBucket, 'name' | 'parts'>,
): Promise<Beginnings> {
  const client = clients.objects(realm);
  const beginnings = new Set<string>();
  const loose = new Set<string>();
  for (const list of [versionsIn, uploadsIn]) {
    let after: Marker | undefined;
    do {
      const page: Page = await list(client, name, after);
      for (const key of page.keys) {
        const beginning = beginningIn(parts, key);
        if (beginning === undefined) loose.add(key);
        else beginnings.add(beginning);
      }
      after = page.next;
    } while (after !== undefined);
  }
  return { beginnings: [...beginnings], loose: loose.size };
}

/** As S3 has given it: a store may know no other. */
interface Marker {
  readonly key: string;
  readonly id?: string | undefined;
}

interface Page {
  readonly keys: readonly string[];
  /** Absent on the last page. */
  readonly next?: Marker | undefined;
}

async function versionsIn(client: S3Client, name: string, after?: Marker): Promise<Page> {
  const page = await client.send(
    new ListObjectVersionsCommand({
      Bucket: name,
      EncodingType: 'url',
      KeyMarker: after?.key,
      VersionIdMarker: after?.id,
    }),
  );
  const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
  return {
    keys: found.map(({ Key: key }) => decodedKey(key, page.EncodingType)),
    next: nextOf(page, page.NextVersionIdMarker),
  };
}

async function uploadsIn(client: S3Client, name: string, after?: Marker): Promise<Page> {
  const page = await client.send(
    new ListMultipartUploadsCommand({
      Bucket: name,
      EncodingType: 'url',
      KeyMarker: after?.key,
      UploadIdMarker: after?.id,
    }),
  );
  return {
    keys: (page.Uploads ?? []).map(({ Key: key }) => decodedKey(key, page.EncodingType)),
    next: nextOf(page, page.NextUploadIdMarker),
  };
}

const nextOf = (
  page: {
    readonly IsTruncated?: boolean | undefined;
    readonly NextKeyMarker?: string | undefined;
    readonly EncodingType?: 'url' | undefined;
  },
  id: string | undefined,
): Marker | undefined =>
  page.IsTruncated === true
    ? { key: decodedKey(page.NextKeyMarker, page.EncodingType), id }
    : undefined;
