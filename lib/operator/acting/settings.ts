/**
 * `settings`: what operators have set for a realm and for a tenant in it: which value, by whom, and
 * since when.
 */
import { defined } from '../../../lambdas/domain/defined.ts';
import { SETTING_NAMES, settingsWords } from '../../../lambdas/domain/operating/setting-words.ts';
import type { Settings } from '../../../lambdas/domain/operating/settings.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { StoredSettings } from '../ledger-reader.ts';
import type { Operator } from '../operator.ts';
import { assertKnown } from '../tenants/known-tenant.ts';
import { UsageError } from '../terminal/failure.ts';
import { moment, printable } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';

export interface SettingsFilter {
  readonly realm?: string | undefined;
  readonly tenant?: string | undefined;
  readonly all?: boolean | undefined;
}

/** One setting that an operator has made. Without a tenant it is the realm's. */
export interface SettingFact {
  readonly realm: Realm;
  readonly tenant?: string;
  readonly setting: keyof Settings;
  readonly value: boolean | number;
  /** The setting in words, without the realm and the operator. */
  readonly words: string;
  /** ISO; absent where the history has no entry. */
  readonly since?: string;
  readonly by?: string;
}

export async function settings(operator: Operator, filter: SettingsFilter): Promise<Verdict> {
  const { realm, tenant, all } = filter;
  if (all && tenant !== undefined) throw new UsageError('--tenant and --all exclude each other');
  if (tenant !== undefined) await assertKnown(operator, tenant);
  const realms = realm === undefined ? operator.realms : [operator.realmNamed(realm)];
  const found = await Promise.all(
    realms.map(async (one) => [
      ...(await factsIn(operator, one)),
      ...(tenant === undefined ? [] : await factsIn(operator, one, tenant)),
      ...(all ? await factsOfTenants(operator, one) : []),
    ]),
  );
  const facts = found.flat();
  return {
    report: { settings: facts },
    text: settingsText(facts, realms, filter),
    isFine: true,
  };
}

/** Settings of a realm, or of one tenant in it. */
export async function factsIn(
  operator: Operator,
  realm: Realm,
  tenant?: string,
): Promise<readonly SettingFact[]> {
  const stored = await operator.records.settings(realm, tenant);
  return factsOf(operator, realm, tenant, stored);
}

async function factsOfTenants(operator: Operator, realm: Realm): Promise<readonly SettingFact[]> {
  const facts: SettingFact[] = [];
  for await (const { tenant, ...stored } of operator.records.tenantSettings(realm))
    facts.push(...(await factsOf(operator, realm, tenant, stored)));
  return facts;
}

/**
 * Takes the operator from the history. Where an entry is missing, the time of the last change is
 * the latest possible time.
 */
async function factsOf(
  operator: Operator,
  realm: Realm,
  tenant: string | undefined,
  { settings: set, at, actor }: StoredSettings,
): Promise<readonly SettingFact[]> {
  const names = SETTING_NAMES.filter((name) => set[name] !== undefined);
  if (names.length === 0) return [];
  const history = await operator.ledger.settings.history(realm, tenant);
  return names.flatMap((setting) => {
    const value = set[setting];
    if (value === undefined) return [];
    // A setting that was set twice to the same value holds since the first time.
    const entries = history.filter(({ change }) => change[setting] !== undefined);
    const other = entries.findLastIndex(({ change }) => change[setting] !== value);
    const entry = entries[other + 1] ?? { at, actor };
    return {
      realm,
      ...defined({ tenant }),
      setting,
      value,
      words: settingsWords({ [setting]: value }).join(),
      ...defined({ since: entry.at, by: entry.actor }),
    };
  });
}

/** Pure: "new moves off in us since … by …". */
export function factText({ realm, tenant, words, since, by }: SettingFact): string {
  const whose = tenant === undefined ? '' : ` for ${tenant}`;
  const when = since === undefined ? '' : ` since ${moment(since)}`;
  return printable(`${words}${whose} in ${realm}${when}${by === undefined ? '' : ` by ${by}`}`);
}

/** Pure: the text for a terminal. */
export function settingsText(
  facts: readonly SettingFact[],
  realms: readonly Realm[],
  { tenant, all }: SettingsFilter,
): string {
  const silent = realms.filter((realm) => !facts.some((fact) => fact.realm === realm));
  const rest = silent.length === 0 ? [] : [`  nothing is set in ${silent.join(', ')}`];
  const hint =
    tenant === undefined && !all
      ? ['  (only the realms’ settings; --tenant or --all also shows those of tenants)']
      : [];
  return [...facts.map((fact) => `  ${factText(fact)}`), ...rest, ...hint].join('\n');
}
