/**
 * A synthetic site, and the signed requests that Atlassian would send for it, over HTTPS, to a
 * given realm.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { SMOKE_PREFIX } from '../../../lambdas/domain/operating/smoke.ts';
import { hookToken, type InstallKey, installToken } from '../../atlassian-tokens.ts';
import { Failure } from '../terminal/failure.ts';
import { printable } from '../terminal/print.ts';

export interface Answer {
  readonly status: number;
  /** The status in a hook's answer; empty where the answer has none. */
  readonly says: string;
}

export interface SmokeSite {
  readonly tenant: string;
  /** What its partition keys can be made of. */
  readonly values: KeyValues;
  installed(baseUrl: string): Promise<Answer>;
  uninstalled(baseUrl: string): Promise<Answer>;
  hook(
    baseUrl: string,
    name: 'schedule' | 'start' | 'status' | 'commit' | 'rollback',
    fields: Readonly<Record<string, string | number>>,
  ): Promise<Answer>;
}

const TIMEOUT_MS = 20_000;
/** As Atlassian does: two more tries where there was no proper answer, five seconds apart. */
const TRIES = 3;
const RETRY_MS = 5_000;

export function smokeSite(appKey: string, key: InstallKey): SmokeSite {
  const tenant = `${SMOKE_PREFIX}${randomUUID()}`;
  const sharedSecret = randomBytes(32).toString('base64url');
  const site = `https://${tenant}.invalid`;
  const cloudId = randomUUID();
  const installationId = `ari:cloud:ecosystem::installation/${randomUUID()}`;

  function lifecycle(baseUrl: string, eventType: 'installed' | 'uninstalled'): Promise<Answer> {
    const url = `${baseUrl}/${eventType}`;
    const body = {
      key: appKey,
      clientKey: tenant,
      sharedSecret,
      baseUrl: site,
      displayUrl: site,
      productType: 'confluence',
      cloudId,
      installationId,
      description: 'a synthetic site',
      eventType,
    };
    const token = () => installToken(key, tenant, { method: 'POST', url, baseUrl });
    return asked('POST', url, token, body);
  }

  return {
    tenant,
    values: { tenant, cloudId, installations: [installationId] },
    installed: (baseUrl) => lifecycle(baseUrl, 'installed'),
    uninstalled: (baseUrl) => lifecycle(baseUrl, 'uninstalled'),
    hook(baseUrl, name, fields) {
      const method = name === 'status' ? 'GET' : 'POST';
      const query = new URLSearchParams(
        Object.entries(fields).map(([field, value]): [string, string] => [field, String(value)]),
      );
      const url = `${baseUrl}/dare-migration/${name}${method === 'GET' ? `?${query}` : ''}`;
      const token = () => hookToken(tenant, sharedSecret, { method, url, baseUrl });
      return asked(method, url, token, method === 'GET' ? undefined : fields);
    },
  };
}

/**
 * Repeats a request as Atlassian does: after faults, never after a refusal. Its errors show neither
 * token nor body.
 */
async function asked(
  method: string,
  url: string,
  token: () => string,
  body: object | undefined,
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await once(method, url, token(), body);
    const isFault = answer === undefined || answer.status >= 500;
    if (!isFault) return answer;
    if (attempt === TRIES)
      throw new Failure(
        `${new URL(url).pathname} answers ${answer?.status ?? 'nothing'}, three times`,
      );
    await pause(RETRY_MS);
  }
}

async function once(
  method: string,
  url: string,
  token: string,
  body: object | undefined,
): Promise<Answer | undefined> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `JWT ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => undefined);
  if (response === undefined) return undefined;
  const text = await response.text();
  return { status: response.status, says: saidIn(text) };
}

function saidIn(text: string): string {
  try {
    const { status, errorResponseCode: code, message } = Object(JSON.parse(text));
    return [status, code, message]
      .filter((one) => typeof one === 'string')
      .map((one) => printable(one, 120))
      .join(' ');
  } catch {
    return '';
  }
}
