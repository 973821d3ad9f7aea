/** A vendor's app beside ours, one base URL per realm: notes what it gets, and answers as told. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Realm } from '../../lambdas/domain/realm.ts';

export interface Received {
  /** Below `/{realm}`, the base URL of the vendor's app there. */
  readonly realm: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface VendorApp extends AsyncDisposable {
  readonly urls: Readonly<Record<Realm, string>>;
  /** The oldest first. */
  readonly received: Received[];
  /** The requests that name this tenant. */
  of(tenant: string): readonly Pick<Received, 'realm' | 'path'>[];
  /** Status by the path without the realm; 200 where it is not set. */
  answers: Readonly<Record<string, number>>;
  /** Takes every request, and answers none. */
  isDeaf: boolean;
}

export async function startVendorApp(realms: readonly Realm[]): Promise<VendorApp> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const [, realm = '', path = ''] = /^\/(\w+)(\/.*)$/.exec(request.url ?? '') ?? [];
    const body = Buffer.concat(chunks).toString('utf8');
    received.push({ realm, path, headers: request.headers, body });
    if (app.isDeaf) response.destroy();
    else response.writeHead(app.answers[path] ?? 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const app: VendorApp = {
    urls: Object.fromEntries(realms.map((realm) => [realm, `http://127.0.0.1:${port}/${realm}`])),
    received,
    of: (tenant) =>
      received
        .filter(({ body }) => body.includes(`"${tenant}"`))
        .map(({ realm, path }) => ({ realm, path })),
    answers: {},
    isDeaf: false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return app;
}
