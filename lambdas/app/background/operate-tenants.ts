/**
 * What an operator asks for whole tenants: to import them, or to retire one as an `uninstalled`
 * would have done.
 */
import { operatorActor } from '../../domain/moving/history.ts';
import {
  type ImportAnswers,
  type RetireAnswer,
  type TenantsOperation,
  tenantsOperation,
} from '../../domain/operating/tenant-operations.ts';
import { invalid } from '../../domain/refusal.ts';
import { installedIat } from '../../domain/tenants/identity.ts';
import type { TenantRecord } from '../../domain/tenants/tenant.ts';
import type { AppContext } from '../app-context.ts';
import { lifecycleHooks } from '../lifecycle-hooks.ts';
import { importTenants } from './import-tenants.ts';

type Retirement = Extract<TenantsOperation, { verb: 'retire' }>;

export function operateTenants(context: AppContext) {
  const { tenants, clock, log } = context.ports;
  const { realm: here } = context.settings;
  const { uninstalled } = lifecycleHooks(context);
  const importAll = importTenants(context);

  /**
   * Safe twice, because both verbs are. Faults of a retirement are thrown; those of an import are
   * in the row's answer.
   */
  async function operated(input: unknown): Promise<ImportAnswers | RetireAnswer> {
    const asked = tenantsOperation(input, clock.now());
    if (asked.realm !== here) throw invalid(`this function is realm ${here}'s`);
    return asked.verb === 'import' ? importAll(asked) : retire(asked);
  }

  /** Takes the steps of Atlassian's lost event as if it had come at `iat`. */
  async function retire({ tenant, iat, actor }: Retirement): Promise<RetireAnswer> {
    const record = await tenants.read(here, tenant);
    if (record === undefined)
      return { outcome: 'refused', message: `realm ${here} has no record of the tenant` };
    if (installedIat(record) > iat)
      return { outcome: 'left-alone', message: 'it was installed after the list was made' };
    const isGone = (one: TenantRecord) => one.state === 'retired' || one.state === 'purging';
    if (isGone(record)) return { outcome: 'left-alone', message: 'it is retired already' };
    await uninstalled(tenant, iat);
    const next = await tenants.read(here, tenant);
    log.info(`${operatorActor(actor)}: retire: ${next?.state ?? 'gone'}`, { clientKey: tenant });
    if (next !== undefined && isGone(next))
      return { outcome: 'retired', message: `it is retired in realm ${here}` };
    return {
      outcome: 'cancelling',
      message: `it is in a move, whose records say now that it is uninstalled: it retires when the move has ended or is undone`,
    };
  }

  return operated;
}
