/** Atlassian, as an app sees it: it installs the app on sites, signs every request, and knows where each site's app lives. */
import { generateKeyPair, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import { contextToken, hookToken, type InstallKey, installToken } from './atlassian-tokens.ts';
import { listenOn, stop, textOf } from './http.ts';

/** One site of one customer, as Atlassian keeps it. */
export interface Site {
  readonly clientKey: string;
  readonly productUrl: string;
  readonly cloudId: string;
  sharedSecret: string;
  /** The base URL that requests of this site go to; a committed move changes it. */
  home: string;
}

export type Hook = 'schedule' | 'start' | 'status' | 'commit' | 'rollback';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** JSON where it is JSON, otherwise text. */
  readonly body: unknown;
  readonly ms: number;
}

export interface SimulatedAtlassian {
  /** `/{kid}` below it is the public key as PEM. */
  readonly installKeysUrl: string;
  /** A site of ours, not yet installed anywhere. */
  site(clientKey: string, home: string): Site;
  /** With a new secret, as every installation brings one. */
  install(site: Site): Promise<Reply>;
  uninstall(site: Site): Promise<Reply>;
  /** One migration hook, to the realm at `baseUrl`. */
  hook(
    site: Site,
    baseUrl: string,
    hook: Hook,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Reply>;
  /** A request of a user's browser, to wherever the site's app lives or to `baseUrl`. */
  request(
    site: Site,
    method: string,
    path: string,
    body?: unknown,
    baseUrl?: string,
  ): Promise<Reply>;
  /** The next installations are signed with a new key, under a new `kid`. */
  rotateInstallKey(): Promise<void>;
  close(): Promise<void>;
}

export interface AtlassianOptions {
  readonly appKey: string;
  /** Of the key server; 0, or none, takes any free one. */
  readonly port?: number;
}

export async function startSimulatedAtlassian({
  appKey,
  port = 0,
}: AtlassianOptions): Promise<SimulatedAtlassian> {
  const publicKeys = new Map<string, string>();
  let key = await newInstallKey(publicKeys);

  const server = createServer(async (request, response) => {
    const kid = (request.url ?? '').slice(1);
    // Whoever can reach this machine may have a key here: that is how the smoke test signs.
    if (request.method === 'PUT') publicKeys.set(kid, await textOf(request));
    const pem = publicKeys.get(kid);
    response.writeHead(pem === undefined ? 404 : 200, { 'content-type': 'text/plain' });
    response.end(pem);
  });
  const installKeysUrl = `http://127.0.0.1:${await listenOn(server, port)}`;

  function lifecycle(site: Site, eventType: 'installed' | 'uninstalled'): Promise<Reply> {
    const url = `${site.home}/${eventType}`;
    const token = installToken(key, site.clientKey, { method: 'POST', url, baseUrl: site.home });
    return send('POST', url, token, installation(appKey, site, eventType));
  }

  return {
    installKeysUrl,
    site: (clientKey, home) => ({
      clientKey,
      home,
      productUrl: `https://${clientKey}.atlassian.example`,
      cloudId: randomUUID(),
      sharedSecret: newSecret(),
    }),
    install(site) {
      site.sharedSecret = newSecret();
      return lifecycle(site, 'installed');
    },
    uninstall: (site) => lifecycle(site, 'uninstalled'),
    hook(site, baseUrl, hook, fields) {
      const method = hook === 'status' ? 'GET' : 'POST';
      const query = new URLSearchParams(
        Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
      );
      const url = `${baseUrl}/dare-migration/${hook}${method === 'GET' ? `?${query}` : ''}`;
      const token = hookToken(site.clientKey, site.sharedSecret, { method, url, baseUrl });
      return send(method, url, token, method === 'GET' ? undefined : fields);
    },
    request: (site, method, path, body, baseUrl = site.home) =>
      send(method, `${baseUrl}${path}`, contextToken(site.clientKey, site.sharedSecret), body),
    async rotateInstallKey() {
      key = await newInstallKey(publicKeys);
    },
    close: () => stop(server),
  };
}

async function newInstallKey(publicKeys: Map<string, string>): Promise<InstallKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
  });
  const kid = randomUUID();
  publicKeys.set(kid, publicKey.export({ type: 'spki', format: 'pem' }).toString());
  return { kid, privateKey };
}

const newSecret = (): string => randomBytes(32).toString('base64url');

const installation = (appKey: string, site: Site, eventType: string) => ({
  key: appKey,
  clientKey: site.clientKey,
  sharedSecret: site.sharedSecret,
  baseUrl: site.productUrl,
  displayUrl: site.productUrl,
  productType: 'confluence',
  description: 'a simulated site',
  cloudId: site.cloudId,
  eventType,
});

async function send(method: string, url: string, token: string, body: unknown): Promise<Reply> {
  const begun = performance.now();
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `JWT ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: jsonOr(text),
    ms: performance.now() - begun,
  };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A field of a reply's JSON body, if it is a text. */
export function fieldOf(reply: Reply, name: string): string | undefined {
  const body: unknown = reply.body;
  if (typeof body !== 'object' || body === null || !(name in body)) return undefined;
  const value: unknown = Object.entries(body).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : undefined;
}
