/**
 * Positions in a range: after which key the work goes on, and how far it is with the object that
 * follows. Keys are relative to the range and percent-encoded, so that a cursor is printable.
 */

export interface ObjectCursor {
  /** Relative to the range's prefix; absent before the first. */
  readonly after?: string;
  /** A purge is still among the open uploads, which it lists from the beginning. */
  readonly uploads?: boolean;
  /** A copy in parts of the object with this key (relative), as it was when the copy began. */
  readonly upload?: { readonly key: string; readonly id: string; readonly etag: string };
  /** The bytes of the next object that were read so far, and their checksum in hexadecimal. */
  readonly read?: { readonly bytes: number; readonly crc: string; readonly etag: string };
}

export function cursorText({ after, uploads, upload, read }: ObjectCursor): string {
  const query = new URLSearchParams();
  if (uploads) query.set('uploads', '');
  if (upload !== undefined) {
    query.set('upload', upload.id);
    query.set('key', upload.key);
    query.set('etag', upload.etag);
  }
  if (read !== undefined) {
    query.set('bytes', String(read.bytes));
    query.set('crc', read.crc);
    query.set('etag', read.etag);
  }
  const text = after === undefined ? '' : `/${encodeURIComponent(after)}`;
  return query.size === 0 ? text : `${text}?${query}`;
}

export function parseCursor(text: string | undefined): ObjectCursor {
  const [key = '', more] = (text ?? '').split('?');
  const query = new URLSearchParams(more);
  const [id, of, etag, crc] = ['upload', 'key', 'etag', 'crc'].map((name) => query.get(name) ?? '');
  return {
    ...(key !== '' && { after: decodeURIComponent(key.slice(1)) }),
    ...(query.has('uploads') && { uploads: true }),
    ...(id && { upload: { key: of ?? '', id, etag: etag ?? '' } }),
    ...(crc && { read: { bytes: Number(query.get('bytes')), crc, etag: etag ?? '' } }),
  };
}
