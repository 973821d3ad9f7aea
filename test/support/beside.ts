/** A small existing app in every realm, and the router in front of it and of our stacks. */
import { createServer, type IncomingMessage, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectDescriptor } from '../../descriptor/connect.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';

export interface Beside extends AsyncDisposable {
  /** Realm `de` is at `{router}/de`; the app gets its installations. */
  readonly residency: Residency;
  /** The API of ours that our paths of a base URL lead to, by realm, once there is a host. */
  readonly routes: Map<string, string>;
  /** The events that each realm's app got, as `de installed`. */
  readonly told: string[];
  /** What the app's own descriptor says beside our fields, or instead of them. */
  descriptor: Readonly<Record<string, unknown>>;
}

/** The paths that the runbook's nginx sends to us. */
const OURS = /^\/(installed|uninstalled|dare-migration\/.*)$/;

export async function startBeside(): Promise<Beside> {
  const routes = new Map<string, string>();
  const told: string[] = [];

  const app = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const [, realm = '', path = ''] = /^\/(\w+)(\/[^?]*)/.exec(request.url ?? '') ?? [];
    if (request.method === 'POST') {
      told.push(`${realm} ${path.slice(1)}`);
      response.writeHead(JSON.parse(body.toString()).clientKey ? 204 : 400).end();
    } else if (path === '/atlassian-connect.json') {
      const { descriptor } = beside;
      response.writeHead(200).end(JSON.stringify(descriptor));
    } else if (path === '/health') {
      response.writeHead(200).end('{"vendor":"well"}');
    } else response.writeHead(404).end();
  });
  const appUrl = await urlOf(app);

  const router = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const [, realm = '', path = '', query = ''] =
      /^\/(\w+)(\/[^?]*)(\?.*)?$/.exec(request.url ?? '') ?? [];
    const to = OURS.test(path) ? `${routes.get(realm)}${path}` : `${appUrl}/${realm}${path}`;
    const { host: _, connection: __, ...headers } = request.headers;
    const onward = send(`${to}${query}`, { method: request.method ?? 'GET', headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    onward.end(body);
  });
  const routerUrl = await urlOf(router);

  const residency: Residency = {
    ...configured,
    // Vendors write one slash too many, and capitals.
    baseUrls: Object.fromEntries(
      configured.realms.map(({ realm }) => [
        realm,
        `${routerUrl.replace('http', 'HTTP')}/${realm}/`,
      ]),
    ),
    app: { ...configured.app, installedForwardUrl: (realm) => `${appUrl}/${realm}` },
  };
  const ours = connectDescriptor(
    residency,
    Object.fromEntries(configured.realms.map(({ realm }) => [realm, `${routerUrl}/${realm}`])),
  );
  const beside: Beside = {
    residency,
    routes,
    told,
    descriptor: { ...ours, name: 'An older app', modules: { generalPages: [{ key: 'page' }] } },
    async [Symbol.asyncDispose]() {
      await Promise.all([app, router].map(closed));
    },
  };
  return beside;
}

async function urlOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return `http://127.0.0.1:${address.port}`;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
