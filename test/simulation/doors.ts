/**
 * Whether the simulated Atlassian sends by Connect or by Forge: what it sends, and how the app
 * finds the tenant from it.
 */
import type { Realm } from '../../lambdas/domain/realm.ts';
import type { Credentials, TenantRecord } from '../../lambdas/domain/tenants/tenant.ts';
import type { ForgeClaims } from '../../lambdas/ports.ts';
import { arrivalAt, TENANT } from '../support/builders.ts';
import type { MemoryApp } from '../support/memory-app.ts';

/** `both`: came by Connect, and became a Forge app without an announcement. */
export type DoorName = 'connect' | 'forge' | 'both';

export type Door = ReturnType<typeof door>;

const CLOUD = '11111111-1111-4111-8111-111111111111';
const installationId = (number: number) =>
  `ari:cloud:ecosystem::installation/00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export function door(name: DoorName, app: MemoryApp) {
  const isForge = name !== 'connect';
  let installation = installationId(0);
  const claims = (iat: number, id = installation): ForgeClaims => ({
    installationId: id,
    iat,
    cloudId: CLOUD,
    product: 'confluence',
  });
  const first = { id: installation, iat: 1 };

  return {
    isForge,
    /** What the tenant's record has from the beginning. */
    identity: {
      ...(isForge && { cloudId: CLOUD }),
      ...(name === 'forge' && { installations: [first] }),
    },

    /** Whether the realm takes the hook for this tenant's. */
    async isTenants(realm: Realm, hook: string, iat: number, secret: string): Promise<boolean> {
      if (!isForge)
        return (await app.tenants.read(realm, TENANT))?.credentials.sharedSecret === secret;
      const access = hook === 'status' ? 'look' : 'learn';
      const { tenant } = await app.realm(realm).identification.forgeCaller(claims(iat), access);
      return tenant === TENANT;
    },

    /** A reinstallation by its number: a new secret, or an installation with another id. */
    async installed(realm: Realm, credentials: Credentials, number: number): Promise<void> {
      const { lifecycle, identification } = app.realm(realm);
      const arrival = isForge
        ? await identification.forgeArrival(claims(credentials.iat, installationId(number)))
        : { ...arrivalAt(app.clock, '', TENANT), credentials };
      return lifecycle.installed(arrival);
    },

    async uninstalled(realm: Realm, iat: number): Promise<void> {
      const { lifecycle, identification } = app.realm(realm);
      const record = isForge ? await identification.forgeDeparture(claims(iat)) : undefined;
      const tenant = isForge ? record?.tenant : TENANT;
      if (tenant !== undefined) await lifecycle.uninstalled(tenant, iat);
    },

    /** The reinstallation of this number was answered: Atlassian's tokens name it from now on. */
    heard(number: number): void {
      installation = installationId(number);
    },

    /** Whether a record has the name that Atlassian's next hook will carry. */
    isKnownTo: ({ cloudId, installations = [] }: TenantRecord): boolean =>
      !isForge || cloudId === CLOUD || installations.some(({ id }) => id === installation),
  };
}
