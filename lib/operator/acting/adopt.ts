/**
 * `adopt` and `disown`: say which tenant a Forge installation belongs to, where only its host name
 * connects the two.
 */
import { defined } from '../../../lambdas/domain/defined.ts';
import { isCloudId, isInstallationId } from '../../../lambdas/domain/tenants/identity.ts';
import type { Operator } from '../operator.ts';
import { unknownTenant } from '../tenants/known-tenant.ts';
import { Failure, UsageError } from '../terminal/failure.ts';
import { printable } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { answered, type Confirm, operate } from './act.ts';

export interface AdoptionOptions {
  readonly installation: string;
  readonly cloudId?: string | undefined;
}

/** Writes to the record in the realm that serves the tenant. */
export async function adopt(
  operator: Operator,
  tenant: string,
  options: AdoptionOptions,
  confirm: Confirm,
): Promise<Verdict> {
  const asked = askedOf(options);
  const known = await recordsOf(operator, tenant);
  const home = known.find(({ record }) => record.state === 'active');
  if (known.length === 0) throw unknownTenant(tenant);
  if (home === undefined) throw new Failure(`no realm serves ${tenant}`);
  const { realm: ledger } = home;
  await confirm(
    `Take ${asked.installation} for ${printable(tenant)} in ${ledger}? It reads, writes and moves all data of that tenant from then on.`,
  );
  return answered(await operate(operator, ledger, { verb: 'adopt', ledger, tenant, ...asked }));
}

/**
 * Writes in every realm that has a record of the tenant: stubs and copies list its installations
 * too.
 */
export async function disown(
  operator: Operator,
  tenant: string,
  options: AdoptionOptions,
  confirm: Confirm,
): Promise<Verdict> {
  const asked = askedOf(options);
  const known = await recordsOf(operator, tenant);
  if (known.length === 0) throw unknownTenant(tenant);
  const realms = known.map(({ realm }) => realm);
  await confirm(
    `Take ${asked.installation} from ${printable(tenant)} in ${realms.join(' and ')}? It then has no access to that tenant.`,
  );
  const verdicts: Verdict[] = [];
  for (const ledger of realms)
    verdicts.push(
      answered(await operate(operator, ledger, { verb: 'disown', ledger, tenant, ...asked })),
    );
  return {
    report: { answers: verdicts.map(({ report }) => report) },
    text: verdicts.map(({ text }) => text).join('\n'),
    isFine: verdicts.every(({ isFine }) => isFine),
  };
}

function askedOf({ installation, cloudId }: AdoptionOptions) {
  if (!isInstallationId(installation))
    throw new UsageError('--installation is an ARI: ari:cloud:ecosystem::installation/…');
  if (cloudId !== undefined && !isCloudId(cloudId))
    throw new UsageError('--cloud-id is a cloud id, as the alarm names it');
  return { installation, ...defined({ cloudId }) };
}

async function recordsOf({ tenants, realms }: Operator, tenant: string) {
  const found = await Promise.all(
    realms.map(async (realm) => ({ realm, record: await tenants.read(realm, tenant) })),
  );
  return found.flatMap(({ realm, record }) => (record === undefined ? [] : [{ realm, record }]));
}
