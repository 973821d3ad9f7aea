/**
 * What stands in front of both, as nginx would: the paths of each base URL that are the stack's go
 * there, without the base URL's own path; all others go to the app, as they came.
 */
import { createServer, request as send } from 'node:http';

const OURS = /^\/(installed|uninstalled|dare-migration\/.*|forge\/.*)$/;

/** Realm to the URL behind the router. Before the adoption, `stacks` is empty. */
export interface Routes {
  readonly apps: Record<string, string>;
  readonly stacks: Record<string, string>;
}

export interface Router {
  close(): Promise<void>;
}

/** The base URL of a realm is `http://127.0.0.1:{port}/{realm}`. */
export async function startRouter(port: number, { apps, stacks }: Routes): Promise<Router> {
  const server = createServer((request, response) => {
    const [, realm = '', path = '', query = ''] =
      /^\/(\w+)(\/[^?]*)(\?.*)?$/.exec(request.url ?? '') ?? [];
    const stack = OURS.test(path) ? stacks[realm] : undefined;
    const to = stack === undefined ? `${apps[realm]}/${realm}${path}` : `${stack}${path}`;
    const { host: _, ...headers } = request.headers;
    const method = request.method ?? 'GET';
    const onward = send(`${to}${query}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
