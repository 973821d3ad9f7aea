/**
 * The items that are moved: records of exported documents with attributes of most types, of a given
 * size.
 */
import { createHash } from 'node:crypto';
import { type Stored, sizeOfItem, type WireItem } from './store.ts';

const WORDS =
  'the export of a page keeps its headings, its tables, and what people have said beside them; '.repeat(
    50,
  );

/** Deterministic. The size is exact from 400 bytes on. */
export function itemJson(
  partition: string,
  index: number,
  bytes: number,
): { readonly sort: string; readonly stored: Stored } {
  const sort = `export-${String(index).padStart(8, '0')}`;
  const item: WireItem = {
    tenant: { S: partition },
    id: { S: sort },
    title: { S: `Minutes of meeting ${index}` },
    pages: { N: String((index % 97) + 1) },
    createdAt: { N: String(1_764_000_000 + index) },
    isPublished: { BOOL: index % 3 === 0 },
    checksum: { B: createHash('sha256').update(sort).digest('base64') },
    labels: { SS: ['architecture', 'minutes', `team-${index % 10}`] },
    settings: {
      M: {
        format: { S: 'pdf' },
        scale: { N: '0.85' },
        toc: { BOOL: true },
        parent: { NULL: true },
      },
    },
    versions: { L: [{ N: '1' }, { N: '2' }, { S: 'draft' }] },
    content: { S: '' },
  };
  const missing = Math.max(0, bytes - sizeOfItem(item));
  const start = index % 1000;
  const content = WORDS.repeat(Math.ceil((start + missing) / WORDS.length)).slice(
    start,
    start + missing,
  );
  const whole = { ...item, content: { S: content } };
  return { sort, stored: { json: JSON.stringify(whole), size: sizeOfItem(whole) } };
}
