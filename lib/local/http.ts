/**
 * What all servers of the local host share: who may call them, how much they read, and that no
 * request ends the process.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** Listens on the loopback address; 0 takes any free port. Returns the port. */
export async function listenOn(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

/** Waits a moment for running requests, and closes every connection. */
export async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 1_000);
  await closed;
  clearTimeout(timer);
}

/** A request that is answered with a status and one sentence. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Said {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface LocalServerOptions {
  /**
   * Content types that a request with a body may have. A web page cannot send one of them without a
   * preflight request. `signed` takes any type: without `Authorization`, only what a web page needs
   * a preflight request for.
   */
  readonly types: readonly string[] | 'signed';
  /** The body of a refusal, and of a fault (status 500), on this port. */
  readonly say: (refusal: Refused) => Said;
}

/**
 * A server for tools and tests on this machine. An error in `answer` is answered, and ends nothing
 * else.
 */
export function localServer(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  { types, say }: LocalServerOptions,
): Server {
  return createServer((request, response) => {
    const answered = async () => {
      refuseOtherNames(request);
      refuseWebPages(request, types);
      await answer(request, response);
    };
    answered().catch((error: unknown) => {
      if (request.errored !== null || response.headersSent) {
        response.destroy(); // the client has gone
        return;
      }
      const refusal =
        error instanceof Refused ? error : new Refused(500, 'the local host could not answer this');
      const { headers, body } = say(refusal);
      request.resume();
      response.writeHead(refusal.status, {
        ...headers,
        ...(!request.complete && { connection: 'close' }),
      });
      response.end(body);
    });
  });
}

const OWN_NAMES: readonly string[] = ['127.0.0.1', 'localhost'];

/**
 * True for any port, because a tunnel of SSH has another one. `more` are further names of this
 * machine.
 */
export function isOwnName(host: string | undefined, more: readonly string[] = []): boolean {
  const name = (host ?? '').replace(/:\d*$/, '').toLowerCase();
  return OWN_NAMES.includes(name) || more.includes(name);
}

/** A web page whose name resolves to this machine (DNS rebinding) has its own name in `Host`. */
function refuseOtherNames({ headers: { host } }: IncomingMessage): void {
  if (!isOwnName(host))
    throw new Refused(403, 'this port answers requests to 127.0.0.1 or localhost only');
}

/**
 * Browsers tell where a request comes from. Without a preflight request they send only the content
 * types of a form, or none. A request without content type must be signed: a web page cannot set
 * `Authorization` without a preflight request either.
 */
function refuseWebPages(
  { method, headers }: IncomingMessage,
  types: LocalServerOptions['types'],
): void {
  const from = headers['sec-fetch-site'] ?? 'none'; // `none`: typed into the address bar
  if (headers.origin !== undefined || from !== 'none')
    throw new Refused(403, 'this port does not answer web pages');
  if (method === 'GET' || method === 'HEAD') return;
  if (types === 'signed') {
    if (method === 'POST' && headers.authorization === undefined)
      throw new Refused(403, 'a POST to this port is signed');
    return;
  }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  const isKnown = type === undefined ? headers.authorization !== undefined : types.includes(type);
  if (!isKnown) throw new Refused(415, `the content type is ${types.join(' or ')}`);
}

/** Refuses a larger body, and leaves the connection open for the answer. */
export async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > maxBytes) throw new Refused(413, `a request has at most ${maxBytes} bytes`);
    chunks.push(buffer);
  }
  return Buffer.concat(chunks);
}

export const textOf = async (request: IncomingMessage, maxBytes: number): Promise<string> =>
  (await bodyOf(request, maxBytes)).toString('utf8');

/** A refusal in the form of AWS's JSON protocols. */
export function awsRefusal(name: string): (refusal: Refused) => Said {
  return ({ status, message }) => ({
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: JSON.stringify({ __type: status === 500 ? 'InternalFailure' : name, message }),
  });
}
