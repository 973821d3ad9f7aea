/**
 * The items of the story's tenants: every shape that DynamoDB knows, in all parts of the sample
 * app. Records of exports point to their documents.
 */

import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb';
import {
  type DynamoDbPart,
  type Part,
  partitionsOf,
} from '../../../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { DAY_SECONDS } from '../../../lambdas/domain/time.ts';
import { keysOfItems } from '../../keys-of-items.ts';
import { documentName, hasDocument } from './objects/documents.ts';

export type RawItem = Record<string, AttributeValue>;

/** Each part's share of a tenant's items. */
const SHARES: Readonly<Record<string, number>> = { templates: 0.4, exports: 0.5, previews: 0.1 };
const BATCH = 25;
const WRITERS = 8;

/** About `items` items over all tables, those of unusual shapes included. */
export function datasetOf(
  parts: readonly Part[],
  values: KeyValues,
  items: number,
): ReadonlyMap<DynamoDbPart, readonly RawItem[]> {
  const tables = tablesOf(parts);
  const documents = parts.find(({ name }) => name === 'documents');
  const [prefix] = documents?.kind === 's3' ? partitionsOf(documents, values) : [];
  return new Map(
    tables.map((part) => {
      const share = SHARES[part.name] ?? 1 / tables.length;
      const count = Math.max(Math.round(items * share), ODD_ITEMS.length);
      const isPointing = part.name === 'exports' && prefix !== undefined;
      const pointer = (index: number): RawItem =>
        isPointing && hasDocument(index, items)
          ? { object: { S: `${prefix}${documentName(index)}` } }
          : {};
      return [part, itemsOf(part, values, count, pointer)];
    }),
  );
}

const itemsOf = (
  part: DynamoDbPart,
  values: KeyValues,
  count: number,
  pointer: (index: number) => RawItem,
): readonly RawItem[] =>
  keysOfItems(part, values, count, nameOf).map((key, index) => ({
    ...(ODD_ITEMS[index]?.attributes ?? { ...plainAttributes(index), ...pointer(index) }),
    ...(part.ttlAttribute !== undefined && { [part.ttlAttribute]: { N: String(tomorrow()) } }),
    ...key,
  }));

const nameOf = (index: number): string => ODD_ITEMS[index]?.id ?? documentName(index);

const plainAttributes = (index: number): RawItem => ({
  title: { S: `Document ${index}` },
  body: { S: `Page ${index}. `.repeat(8) },
  version: { N: String(1 + (index % 7)) },
  labels: { SS: [`team-${index % 5}`, 'export'] },
});

const tomorrow = () => Math.floor(Date.now() / 1000) + DAY_SECONDS;

/** Shapes that copying could spoil. */
const ODD_ITEMS: readonly { readonly id: string; readonly attributes: RawItem }[] = [
  {
    id: 'Überschrift 日本語 🦘 e\u0301',
    attributes: { title: { S: 'Grüße, 世界 \u{1F30F}' }, 'spaced name': { S: '\u0000\u001f' } },
  },
  {
    id: 'binary',
    attributes: { bytes: { B: Uint8Array.from({ length: 256 }, (_, index) => index) } },
  },
  {
    id: 'sets',
    attributes: {
      texts: { SS: ['b', 'a', 'ä'] },
      numbers: { NS: ['3', '-1.5', '1E+30'] },
      binaries: { BS: [Uint8Array.of(0), Uint8Array.of(255, 0)] },
    },
  },
  {
    id: 'nested',
    attributes: {
      tree: {
        M: {
          list: {
            L: [
              { S: '' },
              { NULL: true },
              { BOOL: false },
              { M: { deep: { L: [{ N: '-0.000001' }] } } },
            ],
          },
        },
      },
      nothing: { M: {} },
      none: { L: [] },
    },
  },
  { id: 'large', attributes: { body: { S: 'x'.repeat(350 * 1024) } } },
  { id: 'empty', attributes: { title: { S: '' }, bytes: { B: new Uint8Array() } } },
  {
    id: 'numbers',
    attributes: {
      precise: { N: '12345678901234567890.123456789012345678' },
      tiny: { N: '1E-130' },
    },
  },
  { id: '#00', attributes: { title: { S: 'an id that looks like a shard' } } },
];

/** Writes several batches at once; writes again what DynamoDB leaves unprocessed. */
export async function seed(
  client: DynamoDBClient,
  table: string,
  items: readonly RawItem[],
): Promise<void> {
  const batches = Array.from({ length: Math.ceil(items.length / BATCH) }, (_, index) =>
    items
      .slice(index * BATCH, (index + 1) * BATCH)
      .map((Item): WriteRequest => ({ PutRequest: { Item } })),
  ).values();
  const write = async (): Promise<void> => {
    for (const batch of batches) await writeBatch(client, table, batch);
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

async function writeBatch(
  client: DynamoDBClient,
  table: string,
  batch: WriteRequest[],
): Promise<void> {
  const { UnprocessedItems } = await client.send(
    new BatchWriteItemCommand({ RequestItems: { [table]: batch } }),
  );
  const left = UnprocessedItems?.[table] ?? [];
  if (left.length > 0) await writeBatch(client, table, left);
}
