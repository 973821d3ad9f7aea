/**
 * What becomes of a tenant that existed before these stacks did: an operator brings what the app
 * had stored of it. Pure. An import opens nothing that was uninstalled, takes nothing over from
 * another realm, and never replaces what is newer.
 */
import type { Realm } from '../realm.ts';
import { isCloudId, isInstallationId, knows, withIdentity, withSite } from './identity.ts';
import type { Arrival } from './takeover.ts';
import type { Credentials, TenantRecord } from './tenant.ts';

type Current = TenantRecord | undefined;

/**
 * `new`: no realm has a record. `renewed`: the secret is newer than the one on record. `learned`:
 * the record lacks facts. `unchanged`: everything is on record. `conflict`: nothing is written, and
 * `says` is why.
 */
export type ImportOutcome = 'new' | 'renewed' | 'learned' | 'unchanged' | 'conflict';

export interface ImportVerdict {
  readonly outcome: ImportOutcome;
  /** A sentence without a secret. */
  readonly says: string;
}

export interface Standing {
  readonly realm: Realm;
  readonly record: Current;
}

/** Stands in a record's list of tokens: its secret was brought by an import, and by no token. */
const BY_IMPORT = 'import';

/**
 * `iat`: when the app stored the secret, in epoch seconds; 0 where that is unknown, which is older
 * than any token.
 */
export const importedCredentials = (sharedSecret: string | undefined, iat: number): Credentials =>
  sharedSecret === undefined ? { iat } : { sharedSecret, iat, tokens: [BY_IMPORT] };

export function importVerdict(
  own: Standing,
  others: readonly Standing[],
  arrival: Arrival,
): ImportVerdict {
  const { realm, record } = own;
  const there = others.find((one) => one.record !== undefined);
  if (there?.record !== undefined)
    return conflict(`realm ${there.realm}: ${sayState(there.record)}`);
  if (record === undefined) return { outcome: 'new', says: `is opened in realm ${realm}` };
  if (record.state === 'opening')
    return (record.openingIat ?? 0) <= arrival.credentials.iat
      ? {
          outcome: 'new',
          says: `is opened in realm ${realm}, where an earlier try has ended early`,
        }
      : conflict('a newer installation of it is under way');
  if (record.state !== 'active' || record.uninstalledIat !== undefined)
    return conflict(`realm ${realm}: ${sayState(record)}`);
  return verdictOnActive(record, arrival);
}

function verdictOnActive(record: TenantRecord, arrival: Arrival): ImportVerdict {
  const contradicted = contradiction(record, arrival);
  if (contradicted !== undefined) return conflict(`another ${contradicted} is on record`);
  if (isOtherSecret(record, arrival)) {
    const reason = whyNotRenewed(record, arrival.credentials.iat);
    return reason === undefined
      ? { outcome: 'renewed', says: 'the secret is newer than the one on record' }
      : conflict(reason);
  }
  return withImported(record, arrival) === undefined
    ? { outcome: 'unchanged', says: 'is on record already' }
    : { outcome: 'learned', says: 'is on record, and learns what it lacks' };
}

/**
 * What tells a site, and where its items lie, is never changed by an import: it is one of the two
 * that is wrong.
 */
function contradiction(record: TenantRecord, { identity: told = {} }: Arrival): string | undefined {
  const known = withSite(record);
  return (['tenantKey', 'cloudId', 'product'] as const).find(
    (name) => known[name] !== undefined && told[name] !== undefined && known[name] !== told[name],
  );
}

const isOtherSecret = ({ credentials: stored }: TenantRecord, { credentials }: Arrival): boolean =>
  credentials.sharedSecret !== undefined && credentials.sharedSecret !== stored.sharedSecret;

/**
 * The stub of a tenant that has moved here must learn it too, in the other realm: only a hook does
 * that.
 */
function whyNotRenewed({ credentials, arrivedBy }: TenantRecord, iat: number): string | undefined {
  if (credentials.sharedSecret === undefined) return undefined;
  const isNewer = iat > credentials.iat || (iat === 0 && credentials.iat === 0);
  if (!isNewer)
    return iat === 0
      ? 'another secret is on record, and the file does not say when this one was stored'
      : 'another secret is on record, and it is not older than this one';
  return arrivedBy === undefined
    ? undefined
    : `it came here by migration ${arrivedBy}: a newer secret comes by its own "installed"`;
}

/**
 * The write on an active record; `undefined` where the record says everything already, or may not
 * be changed.
 */
export function withImported(record: Current, arrival: Arrival): Current {
  if (record?.state !== 'active' || record.uninstalledIat !== undefined) return undefined;
  if (contradiction(record, arrival) !== undefined) return undefined;
  const { credentials, installation, identity } = arrival;
  const isRenewed = isOtherSecret(record, arrival);
  if (isRenewed && whyNotRenewed(record, credentials.iat) !== undefined) return undefined;
  // What `installed` delivered is more than a framework stores of it: that stands.
  const lacking = Object.entries(installation).filter(([name]) => !(name in record.installation));
  if (!isRenewed && lacking.length === 0 && knows(record, identity)) return undefined;
  return withIdentity<TenantRecord>(
    {
      ...record,
      ...(isRenewed && { credentials }),
      installation: { ...record.installation, ...Object.fromEntries(lacking) },
    },
    identity,
  );
}

function sayState({ state, movedTo, migration, uninstalledIat }: TenantRecord): string {
  switch (state) {
    case 'active':
      return uninstalledIat === undefined ? 'it is active there' : 'it is being uninstalled there';
    case 'opening':
      return 'it is being installed there';
    case 'moved':
      return `it has moved to ${movedTo}`;
    case 'retired':
    case 'purging':
      return 'it was uninstalled there: a new installation comes by its own "installed"';
    default:
      return `it is ${state} by migration ${migration}`;
  }
}

const conflict = (says: string): ImportVerdict => ({ outcome: 'conflict', says });

/** The app's own id of a tenant, of which templates of keys may be made. */
export const isTenantKey = (value: unknown): value is string =>
  typeof value === 'string' &&
  value === value.trim() &&
  /^[^\p{C}\p{Zl}\p{Zp}]{1,255}$/u.test(value);

/** With or without the words before the UUID. */
export function installationIdOf(text: string): string | undefined {
  const id = text.startsWith('ari:') ? text : `ari:cloud:ecosystem::installation/${text}`;
  return isInstallationId(id.toLowerCase()) ? id.toLowerCase() : undefined;
}

export const cloudIdOf = (text: string): string | undefined =>
  isCloudId(text) ? text.toLowerCase() : undefined;
