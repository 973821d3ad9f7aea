/**
 * S3 of all regions in this process, behind one HTTP port: small and strict. It does what the
 * product needs as S3 documents it, and refuses every other operation by name. A request goes to
 * the store of the region in its signature's credential scope; the signature itself is not checked.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { bodyOf, listenOn, localServer, type Refused, type Said } from '../http.ts';
import type { UnwritableDataDir } from '../unwritable.ts';
import { unchunked } from './aws-chunked.ts';
import type { Operation, S3Context, S3Limits } from './context.ts';
import { operationOf } from './operation-names.ts';
import {
  deleteObjects,
  deleteObjectTagging,
  getObjectAttributes,
  getObjectTagging,
  putObjectTagging,
} from './operations/attributes.ts';
import { SETTING_OPERATIONS } from './operations/bucket-settings.ts';
import {
  createBucket,
  deleteBucket,
  getBucketVersioning,
  headBucket,
  putBucketVersioning,
} from './operations/buckets.ts';
import { copyObject, uploadPartCopy } from './operations/copies.ts';
import { listMultipartUploads, listObjectsV2, listObjectVersions } from './operations/listings.ts';
import { deleteObject, getObject, headObject, putObject } from './operations/objects.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listParts,
  uploadPart,
} from './operations/uploads.ts';
import { openRegion, type RegionStore } from './region-store.ts';
import { isS3ErrorCode, S3Error } from './s3-error.ts';
import { addressOf, checkSignature, headerIn, type S3Address, type S3Reply } from './s3-request.ts';
import { xmlOf } from './xml.ts';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...SETTING_OPERATIONS,
  AbortMultipartUpload: abortMultipartUpload,
  CompleteMultipartUpload: completeMultipartUpload,
  CopyObject: copyObject,
  CreateBucket: createBucket,
  CreateMultipartUpload: createMultipartUpload,
  DeleteBucket: deleteBucket,
  DeleteObject: deleteObject,
  DeleteObjectTagging: deleteObjectTagging,
  DeleteObjects: deleteObjects,
  GetBucketVersioning: getBucketVersioning,
  GetObject: getObject,
  GetObjectAttributes: getObjectAttributes,
  GetObjectTagging: getObjectTagging,
  HeadBucket: headBucket,
  HeadObject: headObject,
  ListMultipartUploads: listMultipartUploads,
  ListObjectVersions: listObjectVersions,
  ListObjectsV2: listObjectsV2,
  ListParts: listParts,
  PutBucketVersioning: putBucketVersioning,
  PutObject: putObject,
  PutObjectTagging: putObjectTagging,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};

/** One request, as observers and test hooks get it. */
export interface S3Call {
  readonly region: string;
  /** `CopyObject`, `ListObjectsV2`… */
  readonly operation: string;
  readonly bucket: string;
  readonly key: string;
}

/** A fault that a test injects into a call. */
export interface InjectedS3Fault {
  readonly delayMs?: number;
  /** A code of S3: `SlowDown`, `InternalError`… The call is not made. */
  readonly error?: string;
  /** The call is made, but the connection breaks before its answer. */
  readonly lost?: true;
}

export interface EmbeddedS3Options {
  /** 0 takes a free port. */
  readonly port: number;
  /** Files in `{dataDir}/objects/{region}`; in memory where it is left out. */
  readonly dataDir?: string;
  readonly regions: readonly string[];
  /** S3's own where they are left out: 5 GB for a copy, and 5 MB for a part. */
  readonly limits?: Partial<S3Limits>;
  /** `false` makes objects like those from before December 2024. */
  readonly checksumByDefault?: boolean;
  readonly now?: () => number;
  /** Called before every call, which waits for the promise. */
  readonly onRequest?: (call: S3Call) => void | Promise<void>;
  /** Called after every call, before its answer is sent. */
  readonly onAnswered?: (call: S3Call) => void;
  readonly inject?: (call: S3Call) => InjectedS3Fault | undefined;
  /** Called once for each region whose store cannot be written to any more. */
  readonly onUnwritable?: (error: UnwritableDataDir) => void;
}

export interface EmbeddedS3 {
  readonly url: string;
  /** Waits for running calls. A second call does nothing. */
  close(): Promise<void>;
}

const S3_LIMITS: S3Limits = { copyBytes: 5 * 1024 ** 3, partBytes: 5 * 1024 ** 2 };
/** A body is in memory as a whole; S3 itself takes 5 GB. */
const MOST_BODY_BYTES = 256 * 1024 ** 2;

/** Rejects with `UnwritableDataDir` or the error of a port in use, and leaves nothing open. */
export async function startEmbeddedS3(options: EmbeddedS3Options): Promise<EmbeddedS3> {
  const { dataDir, onUnwritable, now = Date.now } = options;
  const stores = new Map<string, RegionStore>();
  for (const region of options.regions)
    stores.set(region, await openRegion(region, { dataDir, onUnwritable }));
  const underWay = new Set<Promise<void>>();

  const server = localServer(
    (request, response) => {
      const answer = answerTo(request, response).finally(() => underWay.delete(answer));
      underWay.add(answer);
      return answer;
    },
    { types: 'signed', say: refusalXml },
  );
  const port = await listenOn(server, options.port);

  async function answerTo(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/' && request.headers.authorization === undefined) {
      response.end('healthy: the embedded S3');
      return;
    }
    let reply: S3Reply | 'lost';
    try {
      reply = await replyTo(request);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      reply = errorReply(error);
      request.resume();
    }
    if (reply === 'lost') response.destroy();
    else send(response, reply, request.method === 'HEAD');
  }

  async function replyTo(request: IncomingMessage): Promise<S3Reply | 'lost'> {
    const address = addressOf(request);
    const { region, bucket, key } = address;
    const operation = operationOf(address);
    const call: S3Call = { region, operation, bucket, key };
    await options.onRequest?.(call);
    const fault = options.inject?.(call) ?? {};
    if (fault.delayMs !== undefined) await pause(fault.delayMs);
    if (fault.error !== undefined)
      throw new S3Error(isS3ErrorCode(fault.error) ? fault.error : 'InternalError', 'injected');
    checkSignature(address, now());
    const act = OPERATIONS[operation];
    if (act === undefined)
      throw new S3Error('NotImplemented', `the local host does not answer ${operation}`);
    const raw = await bodyOf(request, MOST_BODY_BYTES);
    const reply = await act({ ...address, ...plainBody(address, raw) }, contextFor(address));
    options.onAnswered?.(call);
    return fault.lost ? 'lost' : reply;
  }

  function contextFor({ region, bucket }: S3Address): S3Context {
    const store = stores.get(region);
    if (store === undefined)
      throw new S3Error(
        'AuthorizationHeaderMalformed',
        `this host has no region "${region}", only ${[...stores.keys()].join(', ')}`,
      );
    const home = [...stores.values()].find((one) => one.hasBucket(bucket));
    if (home !== undefined && home !== store)
      throw new S3Error(
        'PermanentRedirect',
        'The bucket you are attempting to access must be addressed using the specified endpoint.',
        { 'x-amz-bucket-region': home.region },
      );
    return {
      store,
      storeOf(name) {
        const found = [...stores.values()].find((one) => one.hasBucket(name));
        if (found === undefined)
          throw new S3Error('NoSuchBucket', 'The specified bucket does not exist');
        return found;
      },
      limits: { ...S3_LIMITS, ...options.limits },
      checksumByDefault: options.checksumByDefault ?? true,
      now,
    };
  }

  let closing: Promise<void> | undefined;
  async function closeAll(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all(underWay);
    server.closeAllConnections();
    await closed;
  }

  return { url: `http://127.0.0.1:${port}`, close: () => (closing ??= closeAll()) };
}

function plainBody(address: S3Address, raw: Buffer) {
  const isChunked = headerIn(address, 'x-amz-content-sha256')?.startsWith('STREAMING-');
  if (!isChunked) return { body: raw, trailers: new Map<string, string>() };
  const { bytes, trailers } = unchunked(raw);
  const length = headerIn(address, 'x-amz-decoded-content-length');
  if (length !== undefined && Number(length) !== bytes.length)
    throw new S3Error('InvalidRequest', 'the body has another length than was announced');
  return { body: bytes, trailers };
}

function send(response: ServerResponse, reply: S3Reply, isHead: boolean): void {
  const { status = 200, headers = {}, body = '' } = reply;
  const isXml = typeof body === 'string' && body !== '';
  const given = Object.entries(headers).filter(([, value]) => value !== undefined);
  response.writeHead(status, {
    'content-length': Buffer.byteLength(body),
    ...(isXml && { 'content-type': 'application/xml' }),
    ...Object.fromEntries(given),
    'x-amz-request-id': randomUUID(),
  });
  response.end(isHead || status === 204 || status === 304 ? undefined : body);
}

const errorReply = ({ code, status, message, headers }: S3Error): S3Reply => ({
  status,
  headers,
  body: xmlOf('Error', { Code: code, Message: message }),
});

/** What the port itself refuses: names, web pages, bodies that are too large. */
function refusalXml({ status, message }: Refused): Said {
  const codes: Readonly<Record<number, string>> = { 413: 'EntityTooLarge', 500: 'InternalError' };
  return {
    headers: { 'content-type': 'application/xml' },
    body: xmlOf('Error', { Code: codes[status] ?? 'AccessDenied', Message: message }),
  };
}
