/**
 * The rule of the guard: what the state of a tenant's record in a realm means for a request there,
 * and how the request is answered. Handlers of these stacks use it, and `packages/guard` ships it
 * to apps that run outside them.
 */
import { type Answer, UNAUTHORIZED } from '../answers.ts';
import type { Realm } from '../realm.ts';
import type { TenantRecord } from './tenant.ts';

export type Access = 'read' | 'write';

export type Verdict =
  | { readonly kind: 'allowed' }
  /** Answer 503 with `Retry-After`. */
  | { readonly kind: 'later'; readonly retryAfterSeconds: number }
  /** Answer 421, and name the realm where the tenant is. */
  | { readonly kind: 'elsewhere'; readonly realm: Realm; readonly baseUrl: string | undefined }
  | { readonly kind: 'unknown' };

const RETRY_AFTER_SECONDS = 60;

/**
 * DATA: the stored attributes by which a record is found by its names and judged, and those of an
 * alias. The secret is not among them.
 */
export const VERDICT_ATTRIBUTES = [
  'tenant',
  'state',
  'movedTo',
  'clientKey',
  'installations',
  'cloudId',
  'product',
  'installation',
  'credentialsIat',
  'uninstalledIat',
  'holders',
] as const;

/** DATA: the same and the secret, for an app that verifies the tokens of its tenants itself. */
export const CLIENT_INFO_ATTRIBUTES = [...VERDICT_ATTRIBUTES, 'sharedSecret'] as const;

/**
 * `record` was read strongly consistently after the request began; `undefined` where the realm has
 * none.
 */
export function verdictOn(
  record: Pick<TenantRecord, 'state' | 'movedTo'> | undefined,
  access: Access,
  baseUrls: Readonly<Record<Realm, string>>,
): Verdict {
  const later = { kind: 'later', retryAfterSeconds: RETRY_AFTER_SECONDS } as const;
  switch (record?.state) {
    case undefined:
    case 'retired':
    case 'purging':
      return { kind: 'unknown' };
    case 'active':
      return { kind: 'allowed' };
    case 'frozen':
      return access === 'read' ? { kind: 'allowed' } : later;
    case 'moved': {
      const to = record.movedTo ?? '';
      return { kind: 'elsewhere', realm: to, baseUrl: baseUrls[to] };
    }
    case 'standby':
    case 'withdrawn':
    case 'opening':
      return later;
  }
}

/** The answer that a request gets instead of the app's; `undefined` where the app answers. */
export function answerTo(verdict: Verdict): Answer | undefined {
  switch (verdict.kind) {
    case 'allowed':
      return undefined;
    case 'later':
      return {
        status: 503,
        headers: { 'retry-after': String(verdict.retryAfterSeconds) },
        body: { message: 'Your data is being moved' },
      };
    case 'elsewhere': {
      const { realm, baseUrl } = verdict;
      return {
        status: 421,
        headers: {},
        body: { message: 'Your data has been moved', realm, baseUrl },
      };
    }
    case 'unknown':
      return UNAUTHORIZED;
  }
}
