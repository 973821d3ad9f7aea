/** Reads a request to S3: what it addresses, who signed it, for which region, and until when. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { S3Error } from './s3-error.ts';

export interface S3Address {
  readonly method: string;
  /** Empty where the request addresses no bucket. */
  readonly bucket: string;
  /** Empty where it addresses the bucket itself. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** Of the signature's credential scope; empty where nobody signed. */
  readonly region: string;
}

export interface S3Request extends S3Address {
  /** The body without its transfer encoding. */
  readonly body: Buffer;
  /** Headers that came behind a body in chunks. */
  readonly trailers: ReadonlyMap<string, string>;
}

/** What a handler answers. `body` may be left out. */
export interface S3Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | Buffer;
}

/**
 * Buckets stand in the path: the host answers to its own name only. Segments like `..` are kept.
 */
export function addressOf({ method = 'GET', url = '/', headers }: IncomingMessage): S3Address {
  const [path = '/', search = ''] = splitAt(url, '?');
  const [bucket = '', key = ''] = splitAt(path.replace(/^\//, ''), '/');
  const query = new Map<string, string>();
  for (const pair of search === '' ? [] : search.split('&')) {
    const [name = '', value = ''] = splitAt(pair, '=');
    query.set(decoded(name), decoded(value));
  }
  const scope =
    /Credential=[^/]+\/\d+\/([^/]+)\//.exec(headers.authorization ?? '') ??
    /^[^/]+\/\d+\/([^/]+)\//.exec(query.get('X-Amz-Credential') ?? '');
  return {
    method,
    bucket: decoded(bucket),
    key: decoded(key),
    query,
    headers,
    region: scope?.[1] ?? '',
  };
}

/** Seven days: the longest life of a presigned URL. */
const LONGEST_LIFE_SECONDS = 604_800;

/** Throws `AccessDenied` for a request that nobody signed, or whose presigned URL is over. */
export function checkSignature({ headers, query, region }: S3Address, now: number): void {
  if (region === '') throw new S3Error('AccessDenied', 'Access Denied');
  if (headers.authorization !== undefined) return;
  const life = Number(query.get('X-Amz-Expires'));
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '') ?? [];
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const isSigned = query.has('X-Amz-Signature') && Number.isFinite(signedAt);
  if (!isSigned || !(life >= 1 && life <= LONGEST_LIFE_SECONDS))
    throw new S3Error(
      'AuthorizationQueryParametersError',
      'a presigned URL has X-Amz-Date, X-Amz-Signature and X-Amz-Expires from 1 to 604800',
    );
  if (now >= signedAt + life * 1000) throw new S3Error('AccessDenied', 'Request has expired');
}

export const headerIn = ({ headers }: S3Address, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};

/** A whole number in the query; `byDefault` where there is none. */
export function numberIn(
  { query }: S3Address,
  name: string,
  byDefault: number,
  most: number,
): number {
  const text = query.get(name);
  if (text === undefined || text === '') return byDefault;
  if (!/^\d{1,9}$/.test(text))
    throw new S3Error('InvalidArgument', `Provided ${name} not an integer or within integer range`);
  return Math.min(Number(text), most);
}

function splitAt(text: string, sign: string): readonly [string, string?] {
  const at = text.indexOf(sign);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error('InvalidArgument', 'the address of this request is not valid UTF-8');
  }
}
