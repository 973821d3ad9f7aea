/** The objects of the story's tenants: documents of every form that a copy could spoil. */
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { partitionsOf } from '../../../../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../../../../lambdas/domain/datasets/key-values.ts';
import type { S3Part } from '../../../../lambdas/domain/datasets/s3-part.ts';

type Document = Omit<PutObjectCommandInput, 'Bucket' | 'Key'> & { readonly name: string };

/** One object for forty items, and so many at most: each takes about ten requests of a move. */
const ITEMS_PER_OBJECT = 40;
const MOST_OBJECTS = 400;
const WRITERS = 16;

/** Bodies, headers, metadata, tags, storage classes and keys that copying could spoil. */
const ODD_DOCUMENTS: readonly Document[] = [
  { name: 'empty', Body: new Uint8Array() },
  { name: 'binary', Body: Uint8Array.from({ length: 512 }, (_, index) => index % 256) },
  { name: 'a b+c%20d & é', Body: 'spaces, plus and percent in its key' },
  { name: 'Überschrift 日本語 🦘', Body: 'Grüße, 世界' },
  { name: 'folder//twice/', Body: 'slashes in its key' },
  {
    name: 'headers',
    Body: 'all headers',
    ContentType: 'text/html; charset=utf-8',
    CacheControl: 'private, max-age=60',
    ContentDisposition: 'attachment; filename="minutes.html"',
    ContentLanguage: 'de',
    Expires: new Date('2030-01-01T00:00:00Z'),
  },
  { name: 'metadata', Body: 'same body', Metadata: { team: 'a', empty: '' } },
  { name: 'tags', Body: 'same body', Tagging: 'kind=report&empty=' },
  { name: 'storage class', Body: 'rarely read', StorageClass: 'STANDARD_IA' },
  { name: 'checksum', Body: 'by SHA-256', ChecksumAlgorithm: 'SHA256' },
];

/** The name of the plain document with this number, to which the record of an export points. */
export const documentName = (index: number): string => `document-${String(index).padStart(6, '0')}`;

/** How many objects a tenant with so many items gets. */
const objectsFor = (items: number): number =>
  Math.max(ODD_DOCUMENTS.length, Math.min(MOST_OBJECTS, Math.round(items / ITEMS_PER_OBJECT)));

/** Whether there is a plain document with this number. */
export const hasDocument = (index: number, items: number): boolean =>
  index >= ODD_DOCUMENTS.length && index < objectsFor(items);

const plainDocument = (index: number): Document => ({
  name: documentName(index),
  Body: `# Document ${index}\n\n${`Page ${index}. `.repeat(8)}`,
  ContentType: 'text/markdown; charset=utf-8',
  Metadata: { pages: String(1 + (index % 7)) },
});

/**
 * Puts objects under the tenant's prefixes. In a bucket that keeps versions one object has an
 * older version, and one is deleted; an upload is open everywhere.
 */
export async function seedObjects(
  client: S3Client,
  Bucket: string,
  part: S3Part,
  values: KeyValues,
  items: number,
): Promise<void> {
  const documents = Array.from(
    { length: objectsFor(items) },
    (_, index) => ODD_DOCUMENTS[index] ?? plainDocument(index),
  );
  for (const prefix of partitionsOf(part, values)) {
    const put = ({ name, ...document }: Document) =>
      client.send(new PutObjectCommand({ Bucket, Key: `${prefix}${name}`, ...document }));
    const open = { Bucket, Key: `${prefix}an upload that was given up` };
    await client.send(new CreateMultipartUploadCommand(open));
    await put({ name: 'checksum', Body: 'an older version' });
    await put({ name: 'deleted', Body: 'of a deleted document' });
    await client.send(new DeleteObjectCommand({ Bucket, Key: `${prefix}deleted` }));
    const left = documents.values();
    const write = async (): Promise<void> => {
      for (const document of left) await put(document);
    };
    await Promise.all(Array.from({ length: WRITERS }, write));
  }
}
