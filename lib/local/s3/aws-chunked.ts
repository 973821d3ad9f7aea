/**
 * The content encoding `aws-chunked`, in which the SDK sends streams: chunks with their length, and
 * trailing headers after the last one. Signatures of chunks are passed over, like all signatures.
 */
import { S3Error } from './s3-error.ts';

export interface Unchunked {
  readonly bytes: Buffer;
  /** By name in lower case. */
  readonly trailers: ReadonlyMap<string, string>;
}

const LINE_END = Buffer.from('\r\n');

/** Throws `InvalidRequest` where a chunk is cut off. */
export function unchunked(body: Buffer): Unchunked {
  const chunks: Buffer[] = [];
  let at = 0;
  const nextLine = (): string => {
    const end = body.indexOf(LINE_END, at);
    if (end === -1) throw cutOff();
    const line = body.toString('latin1', at, end);
    at = end + LINE_END.length;
    return line;
  };
  for (;;) {
    const [length = ''] = nextLine().split(';');
    if (!/^[0-9a-f]+$/i.test(length)) throw cutOff();
    const bytes = Number.parseInt(length, 16);
    if (bytes === 0) break;
    if (at + bytes + LINE_END.length > body.length) throw cutOff();
    chunks.push(body.subarray(at, at + bytes));
    at += bytes + LINE_END.length;
  }
  const trailers = new Map<string, string>();
  while (at < body.length) {
    const line = nextLine();
    if (line === '') break;
    const colon = line.indexOf(':');
    trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { bytes: Buffer.concat(chunks), trailers };
}

const cutOff = () => new S3Error('InvalidRequest', 'a chunk of the body is not complete');
