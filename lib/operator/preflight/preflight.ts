/**
 * `preflight`: checks before the first deployment of a stage, and before another realm is added. It
 * finds in a minute what a deployment would find after half an hour, and names what to do. It only
 * reads.
 */
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { FoundBucket } from '../doctor/bucket-form.ts';
import { type Check, fine } from '../doctor/check.ts';
import { concurrency } from '../doctor/doctor.ts';
import { leftOut } from '../doctor/left-out.ts';
import type { Operator } from '../operator.ts';
import { printable } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { type PreflightClients, preflightClients } from './aws.ts';
import { addressTaken, delegation, NO_ZONE, type Zone, zoneFound, zoneIn } from './domain.ts';
import { checked } from './finding.ts';
import { stackNames } from './names.ts';
import {
  bucketDifferences,
  bucketFormsFound,
  ownBuckets,
  partsInOwnBuckets,
} from './own-buckets.ts';
import { ownKeys } from './own-keys.ts';
import { differences, formsFound, type OwnTable, ownParts, ownTables } from './own-tables.ts';
import { logPolicy, roleQuotas, rolesTaken } from './quotas.ts';
import { account, bootstrap, isEnabled, regionFound, regionStatus } from './regions.ts';
import { isDeployed, namesTaken, stackFound, stackStatus } from './stacks.ts';

export interface PreflightOptions {
  /** The Route 53 zone, where it is given to `cdk` by `-c hostedZoneId=…`. */
  readonly hostedZone?: string;
}

export async function preflight(operator: Operator, options: PreflightOptions): Promise<Verdict> {
  const aws = preflightClients(operator);
  const realms = await Promise.all(
    operator.realms.map((realm) => realmChecks(operator, aws, realm)),
  );
  const checks = [
    ...(await checked('all', 'account', () => account(operator))),
    ...realms.flatMap((one) => one.checks),
    ...(await wholeChecks(operator, aws, realms, options)),
  ];
  const isFine = checks.every(({ ok }) => ok);
  return { report: { fine: isFine, checks }, text: preflightText(checks), isFine };
}

/** What was found in a realm, and what the checks of all realms together go by. */
interface RealmFacts {
  readonly realm: Realm;
  readonly checks: readonly Check[];
  /** Its stack takes names, roles and policies that are not its own yet. */
  readonly isMissing: boolean;
  readonly tables: readonly OwnTable[];
  readonly buckets: readonly FoundBucket[];
}

async function realmChecks(
  operator: Operator,
  aws: PreflightClients,
  realm: Realm,
): Promise<RealmFacts> {
  const name = operator.region(realm);
  let isOff = false;
  const region = await checked(realm, 'region', async () => {
    const status = await regionStatus(aws, realm, name);
    isOff = !isEnabled(status);
    return [regionFound(name, status)];
  });
  // Where the region is off, every other call fails for that reason alone.
  if (isOff) return { realm, checks: region, isMissing: true, tables: [], buckets: [] };
  const names = stackNames(operator.residency, operator.stage, realm);
  let status: string | undefined;
  const stack = await checked(realm, 'stack', async () => {
    status = await stackStatus(aws, realm, names);
    return [stackFound(names, status)];
  });
  let tables: readonly OwnTable[] = [];
  const own = await checked(realm, 'own tables', async () => {
    tables = await ownTables(operator, realm);
    return formsFound(operator, realm, tables);
  });
  let buckets: readonly FoundBucket[] = [];
  const inBuckets = await checked(realm, 'own buckets', async () => {
    buckets = await ownBuckets(operator, realm);
    return bucketFormsFound(buckets);
  });
  const others = await Promise.all([
    checked(realm, 'bootstrap', () => bootstrap(operator, aws, realm)),
    checked(realm, 'concurrency', async () => [await concurrency(operator, realm)]),
    checked(realm, 'log policy', () => logPolicy(aws, realm)),
    ...(isDeployed(status)
      ? []
      : [checked(realm, 'names', () => namesTaken(operator, aws, realm, names))]),
    ...(tables.length + buckets.length === 0
      ? []
      : [checked(realm, 'own keys', () => ownKeys(operator, realm, tables, buckets))]),
  ]);
  return {
    realm,
    checks: [...region, ...stack, ...others.flat(), ...inBuckets, ...own],
    isMissing: !isDeployed(status),
    tables,
    buckets,
  };
}

async function wholeChecks(
  operator: Operator,
  aws: PreflightClients,
  realms: readonly RealmFacts[],
  options: PreflightOptions,
): Promise<readonly Check[]> {
  const missing = realms.filter(({ isMissing }) => isMissing).map(({ realm }) => realm);
  const names = missing.map((realm) => stackNames(operator.residency, operator.stage, realm));
  const tables = new Map(realms.map((one) => [one.realm, one.tables]));
  const buckets = new Map(realms.map((one) => [one.realm, one.buckets]));
  const found = await Promise.all([
    checked('all', 'quotas', () => roleQuotas(operator, aws, names)),
    checked('all', 'roles', () => rolesTaken(operator, aws, names)),
    ...ownParts(operator).map((part) =>
      checked('all', 'own tables', async () => differences(tables, part)),
    ),
    ...partsInOwnBuckets(operator).map((part) =>
      checked('all', 'own buckets', async () => bucketDifferences(buckets, part)),
    ),
    domainChecks(operator, aws, missing, options),
    ...operator.leftOut.map((realm) =>
      checked(realm, 'left out', async () => [await leftOut(operator, realm)]),
    ),
  ]);
  return found.flat();
}

async function domainChecks(
  operator: Operator,
  aws: PreflightClients,
  missing: readonly Realm[],
  { hostedZone }: PreflightOptions,
): Promise<readonly Check[]> {
  const { domain, hostedZoneId: configured } = operator.residency;
  if (domain === undefined)
    return checked('all', 'hosted zone', async () => [fine('no domain is configured')]);
  const id = hostedZone ?? configured;
  if (id === undefined) return checked('all', 'hosted zone', async () => [NO_ZONE]);
  let usable: Zone | undefined;
  const zone = await checked('all', 'hosted zone', async () => {
    const there = await zoneIn(operator, aws, id);
    const found = zoneFound(domain, id, there);
    if (found.ok) usable = there;
    return [found];
  });
  if (usable === undefined) return zone;
  const inZone: Zone = usable;
  const others = await Promise.all([
    checked('all', 'delegation', async () => [await delegation(inZone)]),
    ...missing.map((realm) =>
      checked(realm, 'address', () => addressTaken(operator, aws, { zone: inZone, domain, realm })),
    ),
  ]);
  return [...zone, ...others.flat()];
}

/** Pure. */
export function preflightText(checks: readonly Check[]): string {
  const lines = checks.map(({ realm, check, ok, says, fix }) => {
    const line = `${ok ? '✓' : '✗'} ${realm}, ${check}: ${printable(says, 600)}`;
    return ok || fix === undefined ? line : `${line}\n    → ${printable(fix, 600)}`;
  });
  const wrong = checks.filter(({ ok }) => !ok).length;
  return [
    ...lines,
    '',
    wrong === 0 ? '✓ nothing stands in the way of a deployment' : `✗ ${wrong} to mend first`,
  ].join('\n');
}
