/**
 * Imports tenants that existed before these stacks. A realm is opened for them as by `installed`:
 * the opening is written, the other realms are asked, and only then it is active. But an import
 * never takes a tenant over from another realm.
 */
import { misplacement } from '../../domain/datasets/key-placement.ts';
import { keyValuesOf } from '../../domain/datasets/key-values.ts';
import { defined } from '../../domain/defined.ts';
import { operatorActor } from '../../domain/moving/history.ts';
import type {
  ImportAnswer,
  ImportAnswers,
  TenantsOperation,
} from '../../domain/operating/tenant-operations.ts';
import { Fault, Refusal } from '../../domain/refusal.ts';
import { hostOf, newestInstallation } from '../../domain/tenants/identity.ts';
import {
  type ImportedArrival,
  type ImportRow,
  importedArrival,
} from '../../domain/tenants/import-row.ts';
import { importVerdict, type Standing, withImported } from '../../domain/tenants/importing.ts';
import {
  type Arrival,
  abandonOpening,
  beginOpening,
  finishOpening,
} from '../../domain/tenants/takeover.ts';
import { type AppContext, stackRealms } from '../app-context.ts';
import { arrivals } from '../arrivals.ts';
import { concurrently } from '../concurrently.ts';
import { identification } from '../identification.ts';

type Asked = Extract<TenantsOperation, { verb: 'import' }>;

export function importTenants(context: AppContext) {
  const { tenants, log } = context.ports;
  const { realm: here, parts } = context.settings;
  const [, ...otherRealms] = stackRealms(context.settings);
  const { connectTenant, forgeArrival, holderBeside } = identification(context);
  const { sharedKey, rivalOf, joinedTwin } = arrivals(context);

  /**
   * Safe twice: what an earlier call has written is `unchanged`, and what a crash left half done is
   * finished.
   */
  async function importAll({ rows, apply, actor }: Asked): Promise<ImportAnswers> {
    const answers = await concurrently(rows, (row) => answered(row, apply));
    for (const { outcome, written, tenant } of answers)
      if (written) log.info(`${operatorActor(actor)}: import: ${outcome}`, { clientKey: tenant });
    return { rows: answers };
  }

  async function answered(row: ImportRow, apply: boolean): Promise<ImportAnswer> {
    try {
      return await imported(row, apply);
    } catch (error) {
      const says = error instanceof Error ? error.message : '';
      if (error instanceof Refusal) return { outcome: 'conflict', says, written: false };
      if (error instanceof Fault) return { outcome: 'failed', says, written: false };
      throw error;
    }
  }

  async function imported(row: ImportRow, apply: boolean): Promise<ImportAnswer> {
    const arrival = await tenantFor(importedArrival(row));
    const { tenant, identity = {} } = arrival;
    const holder = await holderOf(tenant, identity);
    if (holder !== undefined)
      return conflict(tenant, `its installation belongs to tenant ${holder}`);
    const own = { realm: here, record: await tenants.read(here, tenant) };
    if (own.record === undefined) {
      const reason = await sharedKey(arrival);
      if (reason !== undefined) return conflict(tenant, reason);
    }
    const verdict = importVerdict(own, await elsewhere(tenant), arrival);
    const { outcome } = verdict;
    if (outcome !== 'conflict' && outcome !== 'unchanged') {
      const next = withImported(own.record, arrival) ?? { ...identity, tenant };
      const reason = misplacement(parts, keyValuesOf(next));
      const isKnown = own.record && misplacement(parts, keyValuesOf(own.record)) === reason;
      if (reason !== undefined && !isKnown) return conflict(tenant, reason);
      const rival = await rivalOf(keyValuesOf(next));
      if (rival !== undefined) return conflict(tenant, rival.says);
    }
    const answer = { ...verdict, tenant, written: false };
    if (!apply || outcome === 'conflict' || outcome === 'unchanged') return answer;
    if (outcome === 'new') return open(arrival);
    const { changed } = await tenants.change(here, tenant, (current) =>
      withImported(current, arrival),
    );
    return changed
      ? { ...answer, written: true }
      : conflict(tenant, 'it has changed at this moment');
  }

  async function tenantFor(arrival: ImportedArrival): Promise<Arrival> {
    const { clientKey, ...rest } = arrival;
    if (clientKey === undefined) return forgeTenantFor(arrival);
    const known = await connectTenant(clientKey, arrival.identity);
    if (known === undefined || known.tenant === clientKey) return { ...rest, tenant: clientKey };
    return { ...rest, tenant: known.tenant, identity: { ...rest.identity, clientKey } };
  }

  async function forgeTenantFor(arrival: ImportedArrival): Promise<Arrival> {
    const { installation, identity, credentials } = arrival;
    const { cloudId, product } = identity;
    const host = hostOf(installation['baseUrl']);
    const { tenant } = await forgeArrival({
      installationId: newestInstallation(identity)?.id ?? '',
      iat: credentials.iat,
      ...defined({ cloudId, product, host }),
    });
    return { tenant, credentials, installation, identity };
  }

  const holderOf = async (tenant: string, identity: Arrival['identity'] & object) =>
    (await holderBeside(tenant, identity))?.tenant;

  const elsewhere = (tenant: string): Promise<readonly Standing[]> =>
    Promise.all(
      otherRealms.map(async (realm) => ({ realm, record: await tenants.read(realm, tenant) })),
    );

  /**
   * Writes the opening, then asks the other realms, then makes it active. Of an import and an
   * `installed` in another realm at the same instant, at least one sees the other, and the import
   * gives way. A crash in between leaves an opening, which does not serve the tenant, and which the
   * same import or an `installed` finishes.
   */
  async function open(arrival: Arrival): Promise<ImportAnswer> {
    const { tenant, credentials } = arrival;
    const { record: begun } = await tenants.change(here, tenant, (current) =>
      current === undefined || current.state === 'opening'
        ? beginOpening(current, arrival)
        : undefined,
    );
    if (begun?.state !== 'opening' || begun.openingIat !== credentials.iat)
      return conflict(tenant, 'another installation of it is under way, or done');
    const twin = await joinedTwin(arrival);
    if (twin !== undefined)
      return conflict(
        tenant,
        `Forge announces it at this moment as ${twin.tenant}: import it again`,
      );
    const rival = await rivalOf(keyValuesOf(begun));
    if (rival !== undefined) {
      await tenants.change(here, tenant, (current) => abandonOpening(current, credentials.iat));
      return conflict(tenant, rival.says);
    }
    const there = (await elsewhere(tenant)).find(({ record }) => record !== undefined);
    if (there !== undefined) {
      await tenants.change(here, tenant, (current) => abandonOpening(current, credentials.iat));
      return conflict(tenant, `it is being installed in realm ${there.realm} at this moment`);
    }
    const opened = await tenants.change(here, tenant, (current) =>
      finishOpening(current, credentials.iat),
    );
    if (opened.record?.state !== 'active')
      return conflict(tenant, 'another installation of it is under way');
    return {
      outcome: 'new',
      says: `is active in realm ${here}`,
      tenant,
      written: opened.changed,
    };
  }

  return importAll;
}

const conflict = (tenant: string, says: string): ImportAnswer => ({
  outcome: 'conflict',
  says,
  tenant,
  written: false,
});
