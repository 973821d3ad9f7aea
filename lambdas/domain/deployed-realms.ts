/**
 * A deployment of some of the configured realms. It is a configuration that has no other rows: what
 * looks at "all realms" then neither asks, nor grants, nor names the others, and a move to one of
 * them has no target.
 */
import { type Realm, stackRows } from './realm.ts';
import type { Residency } from './residency.ts';

/**
 * `text` names the realms between commas, as `-c realms=us,de`, `--realms us,de` and the variable
 * `REALMS` do; without it all are deployed. Throws a sentence where it names one that is not
 * configured, or leaves out one that another realm needs.
 */
export function deployedIn(residency: Residency, text: string | undefined): Residency {
  if (text === undefined) return residency;
  const { realms, defaultRealm, app, baseUrls } = residency;
  const wanted = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const isDeployed = (realm: Realm) => wanted.includes(realm);
  const unknown = wanted.find((name) => !realms.some(({ realm }) => realm === name));
  if (unknown !== undefined)
    throw new Error(
      `realms names "${unknown}", which is not configured: there are ${realms.map(({ realm }) => realm).join(', ')}`,
    );
  const rows = realms.filter(({ realm }) => isDeployed(realm));
  for (const { realm, servedBy } of rows)
    if (servedBy !== undefined && !isDeployed(servedBy))
      throw new Error(`realms names ${realm} without ${servedBy}, whose stack serves it`);
  if (!stackRows(rows).some(({ realm }) => realm === defaultRealm))
    throw new Error(
      `realms leaves out the default realm, ${defaultRealm}, which serves every customer without a location`,
    );
  const forwardUrls = app.installedForwardUrl;
  return {
    ...residency,
    realms: rows,
    ...(baseUrls !== undefined && { baseUrls: only(baseUrls, isDeployed) }),
    ...(typeof forwardUrls === 'object' && {
      app: { ...app, installedForwardUrl: only(forwardUrls, isDeployed) },
    }),
  };
}

const only = <T>(
  byRealm: Readonly<Record<Realm, T>>,
  isWanted: (realm: Realm) => boolean,
): Readonly<Record<Realm, T>> =>
  Object.fromEntries(Object.entries(byRealm).filter(([realm]) => isWanted(realm)));

/** As a deployment says it: between commas. */
export const realmNames = ({ realms }: Pick<Residency, 'realms'>): string =>
  realms.map(({ realm }) => realm).join(',');
