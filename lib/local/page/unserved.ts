/** Finds tenants that no realm serves, which the watch page announces. */
import type { RealmView } from './view.ts';

export interface UnservedView {
  readonly tenant: string;
  /** `moved in us, standby in de` */
  readonly where: string;
}

/**
 * A frozen tenant is served: it can be read. A tenant whose records are all retired is uninstalled.
 */
const SERVED: readonly string[] = ['active', 'frozen'];

export function unservedIn(realms: readonly RealmView[]): UnservedView[] {
  const records = realms.flatMap(({ realm, tenants }) =>
    tenants.map(({ tenant, state }) => ({ realm, tenant, state })),
  );
  return [...Map.groupBy(records, ({ tenant }) => tenant)].flatMap(([tenant, own]) => {
    const kept = own.filter(({ state }) => state !== 'none');
    const isFine =
      kept.some(({ state }) => SERVED.includes(state)) ||
      kept.every(({ state }) => state === 'retired');
    if (isFine) return [];
    return [{ tenant, where: kept.map(({ state, realm }) => `${state} in ${realm}`).join(', ') }];
  });
}
