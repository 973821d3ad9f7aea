/**
 * What every handler of the app asks first, stream and queue consumers included: does this realm serve the tenant, and
 * may it be written? Once per invocation, strongly consistently; a Lambda cannot outlive its time-out, so that after the
 * drain time no write that passed before the fence is still under way.
 */
import type { Realm } from '../domain/realm.ts';
import type { Ports } from '../ports.ts';

export type Access = 'read' | 'write';

export type Verdict =
  | { readonly kind: 'allowed' }
  /** Answer 503 with `Retry-After`. */
  | { readonly kind: 'later'; readonly retryAfterSeconds: number }
  /** Answer 421 and say where the tenant is. */
  | { readonly kind: 'elsewhere'; readonly realm: Realm; readonly baseUrl: string | undefined }
  | { readonly kind: 'unknown' };

const RETRY_AFTER_SECONDS = 60;

export interface GuardSettings {
  readonly realm: Realm;
  readonly baseUrls: Readonly<Record<Realm, string>>;
}

export function guard({ tenants }: Pick<Ports, 'tenants'>, { realm, baseUrls }: GuardSettings) {
  return async function check(tenant: string, access: Access): Promise<Verdict> {
    const record = await tenants.read(realm, tenant);
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
  };
}
