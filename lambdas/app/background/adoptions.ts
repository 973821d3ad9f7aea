/**
 * `adopt` and `disown`: an operator says which tenant an installation belongs to, where its token
 * cannot tell.
 */
import { defined } from '../../domain/defined.ts';
import { operatorActor } from '../../domain/moving/history.ts';
import { isFinal } from '../../domain/moving/migration.ts';
import type { AdoptionAsked, OperationAnswer } from '../../domain/operating/operations.ts';
import type { Realm } from '../../domain/realm.ts';
import {
  adopted,
  disowned,
  isItsOwnCloud,
  setAside,
  strangeCloud,
} from '../../domain/tenants/adoption.ts';
import {
  isForgeOnly,
  type TenantName,
  tenantOfInstallation,
  withSite,
} from '../../domain/tenants/identity.ts';
import type { Adoption, TenantRecord } from '../../domain/tenants/tenant.ts';
import { type AppContext, stackRealms } from '../app-context.ts';

export function adoptions({ ports, settings }: AppContext) {
  const { tenants, migrations, clock, log } = ports;
  const { realm: here } = settings;
  const everywhere = stackRealms(settings);

  /**
   * Safe twice. An installation of another tenant stays with it, unless Forge has announced that
   * tenant for this very installation.
   */
  async function adopt(asked: AdoptionAsked): Promise<OperationAnswer> {
    const { tenant, installation, cloudId } = asked;
    const record = await tenants.read(here, tenant);
    if (record?.state !== 'active')
      return refused(
        `realm ${here} does not serve the tenant: it is ${record?.state ?? 'unknown'}`,
      );
    const strange = strangeCloud(record, cloudId);
    if (strange !== undefined) return refused(strange);
    for (const other of await othersOf(asked, record)) {
      const reason = await putAside(other);
      if (reason !== undefined) return refused(reason);
    }
    if (standsAlready(record, asked))
      return { outcome: 'left-alone', message: 'the installation is the tenant’s already' };
    const word = wordOf(asked);
    const iat = Math.floor(clock.now() / 1000);
    const { changed } = await tenants.change(here, tenant, (current) =>
      current?.state === 'active' && strangeCloud(current, cloudId) === undefined
        ? adopted(current, word, iat)
        : undefined,
    );
    if (!changed) return refused('the tenant has changed at this moment: look again');
    note(asked, word);
    return {
      outcome: 'adopted',
      message: `installation ${installation} is the tenant’s from now on, in realm ${here}`,
    };
  }

  /** Safe twice, and in any state: a tenant with a wrong installation may have begun a move. */
  async function disown(asked: AdoptionAsked): Promise<OperationAnswer> {
    const { tenant, installation, cloudId } = asked;
    const record = await tenants.read(here, tenant);
    if (record === undefined) return refused(`realm ${here} does not know the tenant`);
    if (tenant === tenantOfInstallation(installation))
      return refused('the tenant is this installation: it can only be uninstalled');
    if (isItsOwnCloud(record, cloudId))
      return refused('the cloud id is the one that the tenant’s own installation names');
    if (record.adoptions?.findLast((word) => word.installation === installation)?.verb === 'disown')
      return { outcome: 'left-alone', message: 'the installation is not the tenant’s' };
    const word = wordOf(asked);
    await tenants.change(here, tenant, (current) =>
      current === undefined ? undefined : disowned(current, word),
    );
    note(asked, word);
    return {
      outcome: 'disowned',
      message: `installation ${installation} is not the tenant’s any more, in realm ${here}`,
    };
  }

  const wordOf = ({ verb, installation, cloudId, actor }: AdoptionAsked): Adoption => ({
    verb,
    installation,
    ...defined({ cloudId }),
    actor: operatorActor(actor),
    at: new Date(clock.now()).toISOString(),
  });

  const note = ({ tenant }: AdoptionAsked, { verb, actor, installation, cloudId }: Adoption) =>
    log.info(`${actor}: ${verb}`, { clientKey: tenant, installationId: installation, cloudId });

  /** The tenants in all realms that have the installation, or are the tenant of its cloud. */
  async function othersOf(
    { tenant, installation, cloudId }: AdoptionAsked,
    own: TenantRecord,
  ): Promise<readonly (TenantRecord & { readonly at: Realm })[]> {
    const names: readonly TenantName[] = [
      { kind: 'installation', value: installation },
      ...(cloudId === undefined ? [] : [{ kind: 'site', value: cloudId } as const]),
    ];
    const found = await Promise.all(
      everywhere.flatMap((at) =>
        names.map(async (name) =>
          (await tenants.find(at, name))
            .filter((record) => name.kind === 'installation' || isOfSameProduct(record, own))
            .map((record) => ({ ...record, at })),
        ),
      ),
    );
    const others = found.flat().filter((record) => record.tenant !== tenant);
    return [...new Map(others.map((one) => [JSON.stringify([one.at, one.tenant]), one])).values()];
  }

  /**
   * `undefined` when it has no claim any more; otherwise the reason why it keeps the installation.
   */
  async function putAside(
    other: TenantRecord & { readonly at: Realm },
  ): Promise<string | undefined> {
    const keeps = `the installation, or its cloud, belongs to tenant ${other.tenant} in realm ${other.at}`;
    if (!isForgeOnly(other) || other.at !== here || other.state !== 'active') return keeps;
    const open = (await migrations.list(here, other.tenant)).find((one) => !isFinal(one));
    if (open !== undefined) return `${keeps}, whose migration ${open.id} must end first`;
    const { changed } = await tenants.change(here, other.tenant, (current) =>
      current === undefined ? undefined : setAside(current, clock.now()),
    );
    if (!changed) return keeps;
    log.error(
      'alarm: a tenant that Forge had announced is set aside, because an operator says that its installation is another’s: what it has stored is kept',
      { clientKey: other.tenant },
    );
    return undefined;
  }

  return { adopt, disown };
}

const standsAlready = (
  { installations = [], cloudId }: TenantRecord,
  asked: AdoptionAsked,
): boolean =>
  installations.some(({ id }) => id === asked.installation) &&
  (asked.cloudId === undefined || asked.cloudId === cloudId);

function isOfSameProduct(one: TenantRecord, other: TenantRecord): boolean {
  const [a, b] = [withSite(one).product, withSite(other).product];
  return a === undefined || b === undefined || a === b;
}

const refused = (message: string): OperationAnswer => ({ outcome: 'refused', message });
