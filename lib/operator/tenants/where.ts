/**
 * `where`: which realm a tenant is in, by its records and by what every realm really holds of it.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Status } from '../../../lambdas/domain/moving/migration.ts';
import { isUnderWay, mayHoldItems } from '../../../lambdas/domain/operating/strays.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { TenantState } from '../../../lambdas/domain/tenants/tenant.ts';
import { keyValuesIn, type Operator, type PartCount, partCountsOf } from '../operator.ts';
import { Failure } from '../terminal/failure.ts';
import { printable, sized, table } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { unknownTenant } from './known-tenant.ts';
import type { TenantFacts } from './tenant-reader.ts';

export interface Where {
  readonly tenant: string;
  /**
   * `one`: exactly one realm has it. `moving`: two do, by a migration under way. `wrong`: something
   * is where it should not be.
   */
  readonly verdict: 'one' | 'moving' | 'unknown' | 'wrong';
  readonly realm?: Realm;
  readonly migration?: string;
  /** The same, as a sentence. */
  readonly says: string;
  readonly realms: readonly RealmHolding[];
}

export interface RealmHolding {
  readonly realm: Realm;
  readonly region: string;
  readonly state: TenantState | 'none';
  readonly migration?: string;
  /** The status of that migration, by its ledger. */
  readonly migrationStatus?: Status;
  readonly movedTo?: Realm;
  readonly items: number;
  readonly expired: number;
  readonly bytes: number;
  readonly parts: readonly PartCount[];
}

/**
 * A move that goes on while realm after realm is read can contradict itself: only what is wrong
 * twice is wrong.
 */
const SECOND_LOOK_MS = 1_000;

export async function where(operator: Operator, tenant: string): Promise<Verdict> {
  let found = await lookFor(operator, tenant);
  if (found.verdict === 'wrong') {
    await pause(SECOND_LOOK_MS);
    found = await lookFor(operator, tenant);
  }
  return {
    report: found,
    text: whereText(found),
    isFine: found.verdict === 'one' || found.verdict === 'moving',
  };
}

const lookFor = async (operator: Operator, tenant: string): Promise<Where> =>
  verdictOn(tenant, await holdingsOf(operator, tenant));

/** In every realm, under all keys that any of them knows of. */
export async function holdingsOf(
  operator: Operator,
  tenant: string,
): Promise<readonly RealmHolding[]> {
  const values = await keyValuesIn(operator, tenant);
  return Promise.all(operator.realms.map((realm) => holdingIn(operator, realm, values)));
}

/**
 * The status before the items: what a final migration has left behind is then not taken for what it
 * is still moving.
 */
async function holdingIn(
  operator: Operator,
  realm: Realm,
  values: KeyValues,
): Promise<RealmHolding> {
  const { tenant } = values;
  const record = await operator.tenants.read(realm, tenant);
  const { migration: id, ledger = realm } = record ?? {};
  const migration =
    id === undefined ? undefined : await operator.ledger.migrations.read({ ledger, tenant, id });
  const parts = await partCountsOf(operator, realm, values);
  return holdingOf(realm, operator.region(realm), record, migration?.status, parts);
}

export function holdingOf(
  realm: Realm,
  region: string,
  record: TenantFacts | undefined,
  migrationStatus: Status | undefined,
  parts: readonly PartCount[],
): RealmHolding {
  const total = (what: 'items' | 'expired' | 'bytes') =>
    parts.reduce((sum, part) => sum + part[what], 0);
  return {
    realm,
    region,
    state: record?.state ?? 'none',
    ...(record?.migration !== undefined && { migration: record.migration }),
    ...defined({ migrationStatus }),
    ...(record?.movedTo !== undefined && { movedTo: record.movedTo }),
    items: total('items'),
    expired: total('expired'),
    bytes: total('bytes'),
    parts,
  };
}

/** In these, a realm has the tenant to itself unless a migration says otherwise. */
const HOME: readonly RealmHolding['state'][] = ['active', 'frozen', 'retired', 'purging'];
/** In these, only a migration that is not final holds the tenant. */
const HELD: readonly RealmHolding['state'][] = ['frozen', 'standby', 'withdrawn'];

/**
 * Pure: what the records and counts of all realms, and the status of the migrations they name, come
 * to.
 */
export function verdictOn(tenant: string, realms: readonly RealmHolding[]): Where {
  const fact = (verdict: Where['verdict'], says: string, more: Partial<Where> = {}): Where => ({
    tenant,
    verdict,
    ...more,
    says,
    realms,
  });
  const homes = realms.filter(({ state }) => HOME.includes(state));
  const strays = realms.filter(
    (holding) => holding.items + holding.expired > 0 && !mayHoldItems(holding),
  );

  const [stray] = strays;
  if (stray !== undefined) {
    const { realm, state, migration: id, migrationStatus: status } = stray;
    const by = id === undefined ? '' : ` by migration ${id}, which is ${status ?? 'not on record'}`;
    const holds = `${realm} holds ${count(stray)} of it, where its state is ${state}${by}`;
    const home = homes[0] === undefined ? 'it is in no realm' : `it is in ${homes[0].realm}`;
    return fact('wrong', `${home}, but ${holds}`);
  }
  const left = realms.find((holding) => HELD.includes(holding.state) && !isUnderWay(holding));
  if (left !== undefined) {
    const status = left.migrationStatus ?? 'not on record';
    return fact(
      'wrong',
      `its record in ${left.realm} is ${left.state} by migration ${left.migration}, which is ${status}`,
    );
  }
  const migration = realms.find((holding) => isUnderWay(holding))?.migration;
  if (migration !== undefined) {
    const ahead = aheadIn(realms);
    if (ahead !== undefined) return fact('moving', ahead.says, { migration, realm: ahead.realm });
    const involved = realms.filter((one) => one.migration === migration);
    const names = new Set(
      involved.flatMap(({ realm, movedTo }) => [realm, ...(movedTo ? [movedTo] : [])]),
    );
    return fact(
      'moving',
      `it is in migration ${migration}, which has business in ${[...names].join(' and ')}`,
      { migration },
    );
  }
  const [home, second] = homes;
  if (home === undefined) {
    const text = realms.some(({ state }) => state !== 'none')
      ? 'it is in no realm: there are only records of moves'
      : 'no realm knows it';
    return fact('unknown', text);
  }
  if (second !== undefined) {
    const all = homes.map(({ realm, state }) => `${realm} (${state})`).join(' and ');
    return fact('wrong', `it is in more than one realm: ${all}`);
  }
  const state = home.state === 'active' ? '' : ` (${home.state})`;
  return fact('one', `it is in ${home.realm}${state}, and in no other realm`, {
    realm: home.realm,
  });
}

/**
 * The target of a schedule that is copied ahead, or of one that is undone: another realm serves,
 * which no migration holds.
 */
function aheadIn(
  realms: readonly RealmHolding[],
): { readonly realm: Realm; readonly says: string } | undefined {
  const home = realms.find(({ state }) => state === 'active');
  const copy = realms.find((holding) => HELD.includes(holding.state) && isUnderWay(holding));
  if (home === undefined || copy === undefined) return undefined;
  const { realm, migration, migrationStatus, state } = copy;
  if (migrationStatus === 'scheduled')
    return {
      realm: home.realm,
      says: `it is in ${home.realm}; migration ${migration}, which is scheduled, has copied ${count(copy)} ahead to ${realm}, not serving`,
    };
  return {
    realm: home.realm,
    says: `it is in ${home.realm}; ${realm} is ${state} by migration ${migration}, which is ${migrationStatus}, and not serving`,
  };
}

const count = ({ items, expired }: RealmHolding): string =>
  expired === 0
    ? `${items} ${items === 1 ? 'item' : 'items'}`
    : `${items} items and ${expired} expired ones`;

/** Realms that know nothing of the tenant are one line. */
export function whereText({ tenant, verdict, says, realms }: Where): string {
  const known = realms.filter(
    ({ state, items, expired }) => state !== 'none' || items + expired > 0,
  );
  const rows = known.flatMap((holding) => [
    [holding.realm, holding.state, 'all parts', holding.items, sized(holding.bytes)],
    ...holding.parts.map(({ part, policy, items, bytes }) => [
      '',
      '',
      policy === 'drop' ? `${part} (cache)` : part,
      items,
      sized(bytes),
    ]),
  ]);
  const silent = realms.filter((holding) => !known.includes(holding)).map(({ realm }) => realm);
  const sign = verdict === 'one' || verdict === 'moving' ? '✓' : '✗';
  return [
    ...(rows.length > 0 ? [table(['realm', 'state', 'part', 'items', 'size'], rows), ''] : []),
    ...(rows.length > 0 && silent.length > 0 ? [`  nothing in ${silent.join(', ')}`, ''] : []),
    `${sign} ${printable(tenant)}: ${printable(says)}`,
  ].join('\n');
}

/** For commands that need the tenant's present realm. */
export function homeOf(found: readonly RealmHolding[], tenant: string): RealmHolding {
  const home = found.find(({ state }) => state === 'active' || state === 'frozen');
  if (found.every(({ state }) => state === 'none')) throw unknownTenant(tenant);
  if (home === undefined) throw new Failure(`no realm serves ${tenant}`);
  return home;
}
