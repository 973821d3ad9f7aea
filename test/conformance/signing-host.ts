/**
 * A running local host whose installations the test signs itself, and requests that are sent
 * unchanged.
 */
import { request as httpRequest } from 'node:http';
import { jsonLog } from '../../lambdas/adapters/json-log.ts';
import { qshOf } from '../../lib/atlassian-tokens.ts';
import { startLocalHost } from '../../lib/local/host.ts';
import { residency } from '../../residency.config.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { hs256, installKeyPair, keySet, rs256 } from '../support/tokens.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Sent byte for byte: neither path nor query is corrected on the way. */
export interface RawRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly token?: string | undefined;
  readonly scheme?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RawReply {
  readonly status: number;
  readonly text: string;
}

/** Like Atlassian's: `issuer/key`, with slashes. */
export const KID = 'micros/connect-install/install-key-1';
const JWKS = '/jwks.json';
export const UNAUTHORIZED: RawReply = { status: 401, text: '{"message":"Unauthorized"}' };

/** What the configuration lists for realm de: its base URL there, and one that it had before. */
export const URLS_OF_DE = ['https://de.app.example', 'https://old.de.app.example/x'] as const;
export const epoch = () => Math.floor(Date.now() / 1000);
export const valid = (rest: Claims = {}): Claims => ({ iat: epoch(), exp: epoch() + 180, ...rest });

export type SigningHost = Awaited<ReturnType<typeof startSigningHost>>;

export async function startSigningHost() {
  const { publicKey, privateKey } = installKeyPair();
  const served = new Map([
    [`/${KID}`, publicKey],
    [JWKS, keySet(publicKey, KID)],
  ]);
  const keyServer: KeyServer = await startKeyServer((path) => {
    const body = served.get(path);
    return body === undefined ? { status: 404 } : { status: 200, body };
  });
  const lines: string[] = [];
  const host = await startLocalHost({
    ephemeral: true,
    residency: { ...residency, baseUrls: { de: URLS_OF_DE } },
    log: jsonLog({}, (line) => lines.push(line)),
    env: {
      INSTALL_KEYS_URL: keyServer.url,
      FORGE_JWKS_URL: `${keyServer.url}${JWKS}`,
      JANITOR_SECONDS: '0',
    },
  });
  const urlOf = (realm: string) => host.urls[realm] ?? '';

  /** Sends to realm `us`, unless another one is named. */
  function send(request: RawRequest, realm = 'us'): Promise<RawReply> {
    const { method, target, token, scheme = 'JWT', body, headers = {} } = request;
    const { hostname, port } = new URL(urlOf(realm));
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          hostname,
          port,
          method,
          path: target,
          headers: {
            ...(token !== undefined && { authorization: `${scheme} ${token}` }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
        },
        async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(Buffer.from(chunk));
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
          });
        },
      );
      sent.on('error', reject);
      sent.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  /** The hash that binds a token to a request. */
  const qsh = (method: string, target: string, realm = 'us') =>
    qshOf({ method, url: `${urlOf(realm)}${target}`, baseUrl: urlOf(realm) });

  const hookClaims = (tenant: string, method: string, target: string, rest: Claims = {}): Claims =>
    valid({ iss: tenant, qsh: qsh(method, target), ...rest });

  const installClaims = (tenant: string, path: string, rest: Claims = {}): Claims =>
    valid({ iss: tenant, aud: [urlOf('us')], qsh: qsh('POST', path), ...rest });

  const signedInstall = (claims: Claims, header: Claims = {}) =>
    rs256(claims, privateKey, { alg: 'RS256', typ: 'JWT', kid: KID, ...header });

  async function install(tenant: string, sharedSecret: string): Promise<void> {
    const { status } = await send({
      method: 'POST',
      target: '/installed',
      token: signedInstall(installClaims(tenant, '/installed')),
      body: { clientKey: tenant, sharedSecret, baseUrl: `https://${tenant}.example` },
    });
    if (status !== 204) throw new Error(`installed answers ${status}`);
  }

  return {
    host,
    lines,
    publicKey,
    askedForKeys: keyServer.asked,
    urlOf,
    send,
    qsh,
    hookClaims,
    installClaims,
    signedInstall,
    install,
    /** A valid token of a tenant for one request. */
    hookToken: (tenant: string, secret: string, method: string, target: string) =>
      hs256(hookClaims(tenant, method, target), secret),
    async [Symbol.asyncDispose]() {
      await host.close();
      await keyServer.close();
    },
  };
}
