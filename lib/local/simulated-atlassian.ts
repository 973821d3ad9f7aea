/**
 * Atlassian, as an app sees it: installs the app on sites, signs every request, and keeps the base
 * URL of each site's app.
 */
import { createPublicKey, generateKeyPair, randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import {
  contextToken,
  hookToken,
  type InstallKey,
  installToken,
  invocationToken,
} from '../atlassian-tokens.ts';
import { listenOn, localServer, Refused, stop, textOf } from './http.ts';

/** One site of one customer, as Atlassian keeps it. */
export interface Site {
  readonly clientKey: string;
  readonly productUrl: string;
  readonly cloudId: string;
  sharedSecret: string;
  /** The way of its first installation: Connect or Forge. */
  readonly cameBy: Door;
  /** The way of its requests now; an update of the app may change it. */
  door: Door;
  /** Forge installations, newest last. Each reinstallation adds one; a Connect app has none. */
  readonly installations: string[];
  isInstalled: boolean;
  /** The base URL for requests of this site; a committed move changes it. */
  home: string;
}

export type Door = 'connect' | 'forge';

export type Hook = 'schedule' | 'start' | 'status' | 'commit' | 'rollback';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; text where it is no JSON. */
  readonly body: unknown;
  readonly ms: number;
}

export interface SimulatedAtlassian {
  /** The server gives a public key as PEM at `/{kid}` below this URL. A `kid` may hold slashes. */
  readonly installKeysUrl: string;
  /** Forge's keys, as a JWKS. */
  readonly forgeKeysUrl: string;
  /** A new site, on which nothing is installed yet. */
  site(clientKey: string, home: string, door?: Door): Site;
  /** Installs the app by the site's door; by Connect with a new secret each time. */
  install(site: Site): Promise<Reply>;
  uninstall(site: Site): Promise<Reply>;
  /**
   * Makes a Forge app of a Connect site's app. Only a new major version sends an event
   * (`announced`).
   */
  upgrade(site: Site, announced?: 'announced'): Promise<Reply | undefined>;
  /** The `Authorization` header of one request for a migration hook. `url` is below `baseUrl`. */
  authorization(site: Site, method: string, url: string, baseUrl: string): string;
  /** Sends one migration hook to the realm at `baseUrl`. */
  hook(
    site: Site,
    baseUrl: string,
    hook: Hook,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Reply>;
  /** Sends a request as a user's browser does, to the site's home or to `baseUrl`. */
  request(
    site: Site,
    method: string,
    path: string,
    body?: unknown,
    baseUrl?: string,
  ): Promise<Reply>;
  /** Later installations and invocations are signed with a new key, under a new `kid`. */
  rotateInstallKey(): Promise<void>;
  close(): Promise<void>;
}

export interface AtlassianOptions {
  readonly appKey: string;
  /** `ari:cloud:ecosystem::app/…`, for an app with a Forge manifest. */
  readonly forgeAppId?: string | undefined;
  /** Port of the key server; 0 or `undefined` takes any free port. */
  readonly port?: number;
}

const FORGE_KEYS = '/forge/jwks.json';
const PEM = 'application/x-pem-file';
const MAX_KEY_BYTES = 16 * 1024;

export async function startSimulatedAtlassian({
  appKey,
  forgeAppId = '',
  port = 0,
}: AtlassianOptions): Promise<SimulatedAtlassian> {
  const publicKeys = new Map<string, string>();
  let key = await newInstallKey(publicKeys, asapId());
  const forgeKeys = new Map<string, string>();
  let forgeKey = await newInstallKey(forgeKeys, randomUUID());

  const server = localServer(
    (request, response) => answerWithKeys(request, response, publicKeys, forgeKeys),
    {
      types: [PEM],
      say: ({ message }) => ({
        headers: { 'content-type': 'text/plain' },
        body: `${message}\n`,
      }),
    },
  );
  const url = `http://127.0.0.1:${await listenOn(server, port)}`;

  /**
   * The app orders events by the second of their token, so two events of a site never get the same
   * second. Epoch seconds.
   */
  const lastEvent = new Map<string, number>();
  function secondOfItsOwn(clientKey: string): number {
    const last = lastEvent.get(clientKey) ?? 0;
    const iat = Math.max(Math.floor(Date.now() / 1000), last + 1);
    lastEvent.set(clientKey, iat);
    return iat;
  }

  function connectEvent(site: Site, eventType: 'installed' | 'uninstalled'): Promise<Reply> {
    const to = `${site.home}/${eventType}`;
    const token = installToken(
      key,
      site.clientKey,
      { method: 'POST', url: to, baseUrl: site.home },
      secondOfItsOwn(site.clientKey),
    );
    return send('POST', to, `JWT ${token}`, installation(appKey, site, eventType));
  }

  /** The event has the bare id, as documented; the token has the whole one. */
  function forgeEvent(site: Site, event: 'installed' | 'upgraded' | 'uninstalled'): Promise<Reply> {
    const id = site.installations.at(-1)?.split('/').at(-1);
    const app = { id: forgeAppId.split('/').at(-1), version: '2.0.0' };
    const context = `ari:cloud:confluence::site/${site.cloudId}`;
    const to = `${site.home}/forge/lifecycle/${event}`;
    return send('POST', to, invocation(site), { id, app, context });
  }

  const invocation = ({ installations, cloudId }: Site): string => {
    const installationId = installations.at(-1) ?? '';
    const said = { appId: forgeAppId, installationId, cloudId, product: 'confluence' };
    return `Bearer ${invocationToken(forgeKey, said)}`;
  };

  const authorization: SimulatedAtlassian['authorization'] = (site, method, to, baseUrl) =>
    site.door === 'forge'
      ? invocation(site)
      : `JWT ${hookToken(site.clientKey, site.sharedSecret, { method, url: to, baseUrl })}`;

  return {
    authorization,
    installKeysUrl: url,
    forgeKeysUrl: `${url}${FORGE_KEYS}`,
    site: (clientKey, home, door = 'connect') => ({
      clientKey,
      home,
      productUrl: `https://${clientKey}.atlassian.example`,
      cloudId: randomUUID(),
      sharedSecret: newSecret(),
      door,
      cameBy: door,
      installations: [],
      isInstalled: false,
    }),
    install(site) {
      if (site.door === 'forge' && !site.isInstalled) site.installations.push(newInstallation());
      site.isInstalled = true;
      if (site.door === 'forge') return forgeEvent(site, 'installed');
      site.sharedSecret = newSecret();
      return connectEvent(site, 'installed');
    },
    uninstall(site) {
      site.isInstalled = false;
      return site.door === 'forge'
        ? forgeEvent(site, 'uninstalled')
        : connectEvent(site, 'uninstalled');
    },
    async upgrade(site, announced) {
      site.door = 'forge';
      site.installations.push(newInstallation());
      return announced && forgeEvent(site, 'upgraded');
    },
    hook(site, baseUrl, hook, fields) {
      const method = hook === 'status' ? 'GET' : 'POST';
      const query = new URLSearchParams(
        Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
      );
      const path = site.door === 'forge' ? '/forge/migration' : '/dare-migration';
      const to = `${baseUrl}${path}/${hook}${method === 'GET' ? `?${query}` : ''}`;
      const body = method === 'GET' ? undefined : fields;
      return send(method, to, authorization(site, method, to, baseUrl), body);
    },
    request: (site, method, path, body, baseUrl = site.home) =>
      site.door === 'forge'
        ? send(method, `${baseUrl}/forge${path}`, invocation(site), body)
        : send(
            method,
            `${baseUrl}${path}`,
            `JWT ${contextToken(site.clientKey, site.sharedSecret)}`,
            body,
          ),
    async rotateInstallKey() {
      key = await newInstallKey(publicKeys, asapId());
      forgeKey = await newInstallKey(forgeKeys, randomUUID());
    },
    close: () => stop(server),
  };
}

/**
 * Any client on this machine may store a key, so that the smoke test can sign. A `kid` never
 * changes its key.
 */
async function answerWithKeys(
  request: IncomingMessage,
  response: ServerResponse,
  publicKeys: Map<string, string>,
  forgeKeys: ReadonlyMap<string, string>,
): Promise<void> {
  if (!['GET', 'HEAD', 'PUT'].includes(request.method ?? ''))
    throw new Refused(405, 'a key is read with GET and stored with PUT');
  if (request.url === FORGE_KEYS) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(keySetOf(forgeKeys)));
    return;
  }
  const kid = (request.url ?? '').slice(1);
  if (request.method === 'PUT') {
    const pem = await textOf(request, MAX_KEY_BYTES);
    if (!isPublicKey(pem)) throw new Refused(400, 'this is no public key in PEM format');
    if ((publicKeys.get(kid) ?? pem) !== pem)
      throw new Refused(409, 'this kid already names another key: a new key needs a new kid');
    publicKeys.set(kid, pem);
  }
  const pem = publicKeys.get(kid);
  if (pem === undefined) throw new Refused(404, 'there is no such key');
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(pem);
}

function isPublicKey(pem: string): boolean {
  try {
    return pem.includes('PUBLIC KEY') && createPublicKey(pem).type === 'public';
  } catch {
    return false;
  }
}

const newInstallation = (): string => `ari:cloud:ecosystem::installation/${randomUUID()}`;

const keySetOf = (keys: ReadonlyMap<string, string>) => ({
  keys: [...keys].map(([kid, pem]) => ({
    ...createPublicKey(pem).export({ format: 'jwk' }),
    kid,
    use: 'sig',
    alg: 'RS256',
  })),
});

/** `issuer/key`, with slashes, as the key ids of installations are. */
const asapId = (): string => `simulated-atlassian/connect-install/${randomUUID()}`;

async function newInstallKey(publicKeys: Map<string, string>, kid: string): Promise<InstallKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
  });
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
  ...(site.installations.length > 0 && { installationId: site.installations.at(-1) }),
  eventType,
});

async function send(
  method: string,
  url: string,
  authorization: string,
  body: unknown,
): Promise<Reply> {
  const begun = performance.now();
  const response = await fetch(url, {
    method,
    headers: {
      authorization,
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

/** A text field of a reply's JSON body; `undefined` where it is none. */
export function fieldOf(reply: Reply, name: string): string | undefined {
  const body: unknown = reply.body;
  if (typeof body !== 'object' || body === null || !(name in body)) return undefined;
  const value: unknown = Object.entries(body).find(([key]) => key === name)?.[1];
  return typeof value === 'string' ? value : undefined;
}
