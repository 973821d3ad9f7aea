/** A server of public keys that counts its requests, and whose answers a test sets. */
import { createServer } from 'node:http';

export interface KeyServer {
  readonly url: string;
  /** Paths, in the order of the requests. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export interface KeyAnswer {
  readonly status: number;
  readonly body?: string;
  readonly location?: string;
}

export async function startKeyServer(
  answer: (path: string) => KeyAnswer | undefined,
): Promise<KeyServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const found = answer(path);
    if (found === undefined) {
      response.destroy();
      return;
    }
    const { status, body = '', location } = found;
    response.writeHead(status, location === undefined ? {} : { location }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
