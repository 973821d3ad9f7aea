/** Serves the watch page on one HTTP port: its files, the view as it changes, and the buttons. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { LocalHost } from '../host.ts';
import { bodyOf, listenOn, Refused, stop } from '../http.ts';
import { isAction } from './actions.ts';
import type { Writes } from './counts.ts';
import { pageDesk } from './desk.ts';
import { pageView } from './view.ts';

export interface PageOptions {
  readonly host: LocalHost;
  /** 0 takes any free port. */
  readonly port: number;
  /** The writes to DynamoDB. */
  readonly writes: Writes;
  /** False where another DynamoDB replaces the embedded one, and `writes` hears nothing of it. */
  readonly hearsAll: boolean;
  /** The directory where its Atlassian keeps its sites. */
  readonly dataDir?: string | undefined;
}

export interface Page {
  readonly url: string;
  close(): Promise<void>;
}

const FILES = new URL('./assets/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};
/**
 * Only scripts from our files, no text that becomes markup (Trusted Types), no frame of another
 * page.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
const SAFE = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
const LOOK_MS = 200;
const MAX_BODY_BYTES = 4_096;
const MOST_LISTENERS = 20;

export async function startPage(options: PageOptions): Promise<Page> {
  const { host, writes, hearsAll, dataDir } = options;
  const watched = pageView(host, writes, hearsAll);
  const { view, migrations } = watched;
  const desk = pageDesk({ host, view, migrations, dataDir });
  await watched.refreshNow().then(desk.resume, () => undefined); // DynamoDB may not answer yet
  let drawn: Promise<ReturnType<typeof pageFiles>> | undefined;
  /** Drawing the state machine takes a tenth of a start, which most hosts never show. */
  const files = () => {
    drawn ??= import('./graph.ts').then(async ({ stateGraph }) => pageFiles(await stateGraph()));
    return drawn;
  };
  /** The open pages, and what was last sent to each. */
  const listeners = new Map<ServerResponse, string>();

  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries(SAFE)) response.setHeader(name, value);
    try {
      await answer(request, response);
    } catch (error) {
      if (request.errored !== null || response.headersSent) {
        response.destroy(); // the client has gone
        return;
      }
      const known = error instanceof Refused;
      const { status, message } = known ? error : { status: 500, message: 'this did not work' };
      request.resume();
      json(response, status, { isDone: false, message });
    }
  });
  const port = await listenOn(server, options.port);
  const names = [`127.0.0.1:${port}`, `localhost:${port}`];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page of another name that resolves to this address (DNS rebinding) has its name in `Host`.
    if (!names.includes(request.headers.host ?? '')) throw new Refused(403, 'not by this name');
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    if (request.method === 'POST') return act(request, response, pathname);
    if (request.method !== 'GET') throw new Refused(405, 'only GET and POST');
    if (pathname === '/events') return listen(response);
    const file = (await files()).get(pathname === '/' ? '/index.html' : pathname);
    if (!file) throw new Refused(404, 'there is no such file');
    response.setHeader('content-type', file.type);
    response.end(file.body);
  }

  async function act(
    request: IncomingMessage,
    response: ServerResponse,
    pathname: string,
  ): Promise<void> {
    const { origin, host: name, 'content-type': type = '' } = request.headers;
    if (origin !== `http://${name}`) throw new Refused(403, 'not from another page');
    if (type.split(';')[0] !== 'application/json') throw new Refused(415, 'only JSON');
    const action = pathname.replace('/atlassian/', '');
    if (!isAction(action)) throw new Refused(404, 'there is no such button');
    const fields = await fieldsOf(request);
    await watched.refreshNow();
    const outcome = await desk.perform(action, fields);
    // Sends the new view to every page before the button's answer.
    await watched.refreshNow().then(tellAll, () => undefined);
    json(response, outcome.isDone ? 200 : 409, outcome);
  }

  function listen(response: ServerResponse): void {
    if (listeners.size >= MOST_LISTENERS) throw new Refused(503, 'too many pages are open');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 1000\n\n');
    listeners.set(response, '');
    response.on('close', () => listeners.delete(response));
    void look();
  }

  let looking: Promise<void> | undefined;
  /** One look at a time, and none while no page is open. */
  const look = (): Promise<void> => {
    looking ??= tell().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  async function tell(): Promise<void> {
    if (listeners.size === 0) return;
    await watched.refresh().then(
      () => {
        awaySince = undefined;
      },
      () => {
        awaySince ??= new Date().toISOString(); // the last view stays
      },
    );
    tellAll();
  }
  /** Since when DynamoDB has not answered; the view is from before that. */
  let awaySince: string | undefined;
  function tellAll(): void {
    const shown = { ...watched.view(), ...(awaySince && { awaySince }), atlassian: desk.view() };
    const news = JSON.stringify(shown);
    for (const [listener, sent] of listeners) {
      if (sent === news || listener.writableNeedDrain) continue;
      listener.write(`data: ${news}\n\n`);
      listeners.set(listener, news);
    }
  }
  const timer = setInterval(look, LOOK_MS);

  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      clearInterval(timer);
      desk.close();
      for (const listener of listeners.keys()) listener.end();
      await stop(server);
      await looking;
      watched.close();
    },
  };
}

/**
 * Files by path. The graph is part of the page from the start, so that no script makes markup of
 * text.
 */
function pageFiles(
  graph: string,
): ReadonlyMap<string, { readonly type: string; readonly body: string }> {
  return new Map(
    readdirSync(FILES).map((name) => {
      const text = readFileSync(new URL(name, FILES), 'utf8');
      const body = text.replace('<!-- the state machine -->', () => graph);
      return [`/${name}`, { type: TYPES[extname(name)] ?? 'text/plain', body }];
    }),
  );
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function fieldsOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const body = await bodyOf(request, MAX_BODY_BYTES);
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return { ...Object(value) };
  } catch {
    throw new Refused(400, 'this is no JSON');
  }
}
