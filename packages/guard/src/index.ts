/**
 * The guard for apps that live outside the stacks of app-data-residency: does this realm serve the
 * tenant, and may it be written? Tenants are found, and verdicts given, by the code of the handlers
 * inside.
 */

import { namedTenants } from '../../../lambdas/app/named-tenants.ts';
import { isClientKey } from '../../../lambdas/domain/requests.ts';
import { objectOf, siteIn } from '../../../lambdas/domain/tenants/forge-site.ts';
import {
  isCloudId,
  isInstallationId,
  isProduct,
} from '../../../lambdas/domain/tenants/identity.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { VERDICT_ATTRIBUTES, verdictOn } from '../../../lambdas/domain/tenants/verdict.ts';
import { DAY_SECONDS } from '../../../lambdas/domain/time.ts';
import { allowedUntil } from './deadline.ts';
import { ResidencyFault } from './fault.ts';
import { readTenants, tenantsTable } from './tenants.ts';
import type { Access, GuardOptions, ResidencyGuard, Verdict, Whose } from './types.ts';

export { answerTo, FAULT_ANSWER } from './answers.ts';
export { isResidencyFault, ResidencyFault } from './fault.ts';
export { judged } from './judged.ts';
export type * from './types.ts';

/** Throws a sentence where the options cannot be meant. It reads nothing until it is asked. */
export function residencyGuard(options: GuardOptions): ResidencyGuard {
  const { realm, baseUrls = {}, otherWritersSeconds: seconds } = options;
  if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= DAY_SECONDS))
    throw new Error(`otherWritersSeconds is a whole number of seconds from 1 to ${DAY_SECONDS}`);
  const find = finding(options);

  async function look(whose: Whose): Promise<(access: Access) => Verdict> {
    // The time runs from before the read: a fence that the read has missed is set later than this.
    const allowed = allowedUntil(performance.now() + seconds * 1_000);
    const record = await find(whose);
    const found = { tenant: record?.tenant, state: record?.state };
    return (access) => {
      const verdict: ReturnType<typeof verdictOn> | undefined = verdictOn(record, access, baseUrls);
      // The stacks may be newer than this package.
      if (verdict === undefined)
        throw new ResidencyFault(
          `a tenant of realm ${realm} is "${record?.state}", which this version of app-data-residency-guard does not know`,
        );
      return verdict.kind === 'allowed' ? allowed(found) : { ...verdict, ...found };
    };
  }

  return Object.assign(async (whose: Whose, access: Access) => (await look(whose))(access), {
    look,
  });

  /**
   * The record that a handler of this realm would find; what has not the form of an id finds
   * no tenant.
   */
  function finding(table: GuardOptions) {
    const tenants = readTenants(tenantsTable(table), VERDICT_ATTRIBUTES);
    const { byClientKey, byInstallation, bySite } = namedTenants(tenants, realm);
    return async function found(whose: Whose): Promise<TenantRecord | undefined> {
      if (typeof whose === 'string') return isClientKey(whose) ? byClientKey(whose) : undefined;
      if ('clientKey' in whose) return found(whose.clientKey);
      if ('forge' in whose) {
        const { installationId } = objectOf(objectOf(whose.forge)['app']);
        if (!isInstallationId(installationId)) return undefined;
        return byInstallation(installationId, siteIn(objectOf(whose.forge)));
      }
      const { cloudId, product } = whose;
      const site = {
        ...(isCloudId(cloudId) ? { cloudId: cloudId.toLowerCase() } : {}),
        ...(isProduct(product) ? { product } : {}),
      };
      if (!('installationId' in whose)) return bySite(site);
      return isInstallationId(whose.installationId)
        ? byInstallation(whose.installationId, site)
        : undefined;
    };
  }
}

/** Nothing that writes a tenant's data runs for longer than a day. */
