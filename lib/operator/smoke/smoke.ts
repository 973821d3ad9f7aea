/**
 * `smoke`: moves a synthetic tenant on real stacks, moves it back and rolls that back, and compares
 * every item and object. Refused in production.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { type Part, partitionsOf, rangesOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { unknownOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { bucketsOf, tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import { isSmokeTenant, mayTrustSmokeKey } from '../../../lambdas/domain/operating/smoke.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { MINUTE_MS } from '../../../lambdas/domain/time.ts';
import { leftUnder, objectsUnder } from '../../object-snapshots.ts';
import { differences, type Snapshot, snapshotOf } from '../../snapshots.ts';
import type { Confirm } from '../acting/act.ts';
import type { Operator } from '../operator.ts';
import { commandFor } from '../terminal/command-name.ts';
import { Failure, UsageError } from '../terminal/failure.ts';
import { lasting } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { seeded, smokeItems } from './smoke-items.ts';
import { localSmokeKey, smokeKeyIn } from './smoke-key.ts';
import { seededObjects } from './smoke-objects.ts';
import { type Answer, type SmokeSite, smokeSite } from './smoke-site.ts';

export interface SmokeOptions {
  readonly from: string;
  readonly to: string;
  readonly key?: string | undefined;
  /** Items per part. */
  readonly items: number;
  readonly confirm: Confirm;
  /** Called with each step when it is done. */
  readonly tell: (line: string) => void;
}

export interface SmokeReport {
  readonly tenant: string;
  readonly from: Realm;
  readonly to: Realm;
  readonly steps: readonly SmokeStep[];
  /** Why the test stopped early. */
  readonly failure?: string;
}

export interface SmokeStep {
  readonly step: string;
  readonly ok: boolean;
  readonly says: string;
  readonly seconds: number;
}

const PATIENCE_MS = 45 * MINUTE_MS;
const WINDOW_MS = 90 * MINUTE_MS;

/** Checks what was typed before any call to the deployment. */
export function assertSmokable(
  operator: Operator,
  options: Pick<SmokeOptions, 'from' | 'to'>,
): void {
  if (!mayTrustSmokeKey(operator.stage))
    throw new UsageError(
      `a smoke test is refused in stage ${operator.stage}: it has real customers`,
    );
  const [from, to] = [operator.realmNamed(options.from), operator.realmNamed(options.to)];
  if (from === to) throw new UsageError('--from and --to have the same stack: nothing would move');
}

export async function smoke(operator: Operator, options: SmokeOptions): Promise<Verdict> {
  const [from, to] = [operator.realmNamed(options.from), operator.realmNamed(options.to)];
  const key = await keyFor(operator, options.key);
  const site = smokeSite(operator.residency.app.key, key);
  const run = smokeRun(operator, site, options.tell);
  await assertPossible(operator, run, [from, to]);
  await options.confirm(
    `Move the synthetic tenant ${site.tenant} from ${from} to ${to}, with ${options.items} items in each part, and discard them?`,
  );
  let failure: string | undefined;
  try {
    await wholeStory(run, from, to, options.items);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failure = error.message;
  }
  const steps = run.steps();
  const isFine = failure === undefined && steps.every(({ ok }) => ok);
  const report: SmokeReport = {
    tenant: site.tenant,
    from,
    to,
    steps,
    ...(failure && { failure }),
  };
  const text = isFine
    ? `✓ moved ${from} → ${to}, rolled back ${to} → ${from}, every item as it was`
    : `✗ ${failure ?? 'not all is as it should be'}\n  the synthetic tenant is ${site.tenant}: ${commandFor(operator, 'where', site.tenant)}`;
  return { report, text, isFine };
}

/** Checks beforehand what would stop the test half-way. */
async function assertPossible(operator: Operator, run: Run, realms: readonly Realm[]) {
  const unknown = operator.residency.parts.find((part) => unknownOf(part, run.values).length > 0);
  if (unknown !== undefined)
    throw new Failure(
      `part ${unknown.name} is keyed by the app’s own id, and a synthetic tenant has none`,
    );
  for (const realm of realms) {
    run.url(realm);
    const { settings } = await operator.records.settings(realm);
    if (settings.noNewMoves)
      throw new Failure(`new moves are off in ${realm}: a smoke test would be refused`);
  }
}

function keyFor(operator: Operator, file: string | undefined) {
  if (file !== undefined) return smokeKeyIn(file);
  if (operator.localPort !== undefined) return localSmokeKey(operator);
  throw new UsageError(
    '--key names the private key that this stage was told to trust (residency smoke-key makes one)',
  );
}

type Run = ReturnType<typeof smokeRun>;

async function wholeStory(run: Run, from: Realm, to: Realm, items: number): Promise<void> {
  await run.answers(`installed in ${from}`, 204, (site) => site.installed(run.url(from)));
  const before = await run.filled(from, items);
  await run.moved(1, from, to, 'commit');
  await run.check(
    `every item is in ${to}, as it was`,
    async () => differences(before, await run.holdings(to, 'move')) === 0,
  );
  await run.check(`nothing is left in ${from}, caches included`, () => run.isEmpty(from));
  await run.check(
    `caches were not copied`,
    async () => (await run.holdings(to)).size === before.size,
  );
  await run.check(
    `the tenant is moved in ${from}, and active in ${to}`,
    async () => (await run.states(from, to)).join() === 'moved,active',
  );
  await run.moved(2, to, from, 'rollback');
  await run.check(
    `every item is still in ${to}`,
    async () => differences(before, await run.holdings(to)) === 0,
  );
  await run.check(`nothing has come back to ${from}`, () => run.isEmpty(from));
  await run.answers(`uninstalled in ${to}`, 204, (site) => site.uninstalled(run.url(to)));
  await run.check(
    `the tenant is retired in ${to}`,
    async () => (await run.states(to)).join() === 'retired',
  );
  await run.discarded(to);
}

function smokeRun(operator: Operator, site: SmokeSite, tell: (line: string) => void) {
  const { residency, clients, names, partKind, tenants, baseUrls } = operator;
  const every = operator.localPort === undefined ? 5_000 : 250;
  const { tenant, values } = site;
  const steps: SmokeStep[] = [];

  function url(realm: Realm): string {
    const found = baseUrls[realm];
    if (found === undefined)
      throw new Failure(
        `the base URL of ${realm} is not known: set baseUrls or a domain in residency.config.ts, or say --domain`,
      );
    return found;
  }

  function note(step: string, ok: boolean, says: string, begun: number): void {
    const seconds = (performance.now() - begun) / 1000;
    steps.push({ step, ok, says, seconds });
    tell(`${ok ? '✓' : '✗'} ${step}${says ? `: ${says}` : ''}  (${lasting(seconds)})`);
    if (!ok) throw new Failure(`${step}: ${says || 'no'}`);
  }

  async function answers(
    step: string,
    wanted: number,
    ask: (site: SmokeSite) => Promise<Answer>,
  ): Promise<void> {
    const begun = performance.now();
    const { status, says } = await ask(site);
    note(step, status === wanted, `${status} ${says}`.trim(), begun);
  }

  async function check(step: string, holds: () => Promise<boolean>): Promise<void> {
    const begun = performance.now();
    note(step, await holds(), '', begun);
  }

  const bucketOf = async (part: S3Part, realm: Realm): Promise<string> =>
    names(realm).part(part, {
      account: await operator.account(),
      region: operator.region(realm),
    });

  const found = async (part: Part, realm: Realm): Promise<Snapshot> =>
    part.kind === 's3'
      ? objectsUnder(
          clients.objects(realm),
          await bucketOf(part, realm),
          partitionsOf(part, values),
        )
      : snapshotOf(clients.dynamoDb(realm), names(realm).part(part), part, values);

  async function holdings(realm: Realm, policy?: 'move'): Promise<Snapshot> {
    const parts = residency.parts.filter((part) => policy === undefined || part.policy === policy);
    const snapshots = await Promise.all(
      parts.map(async (part) =>
        [...(await found(part, realm))].map(([key, hash]): [string, string] => [
          `${part.name} ${key}`,
          hash,
        ]),
      ),
    );
    return new Map(snapshots.flat());
  }

  /** No item and no object, and neither an old version, a delete marker nor an open upload. */
  async function isEmpty(realm: Realm): Promise<boolean> {
    const left = await Promise.all(
      bucketsOf(residency.parts).map(async (part) =>
        leftUnder(clients.objects(realm), await bucketOf(part, realm), partitionsOf(part, values)),
      ),
    );
    const isLeft = left.some(({ versions, markers, uploads }) => versions + markers + uploads > 0);
    return !isLeft && (await holdings(realm)).size === 0;
  }

  /** Writes items and objects into every part; returns those that a move must bring over. */
  async function filled(realm: Realm, count: number): Promise<Snapshot> {
    const begun = performance.now();
    let seededItems = 0;
    let objects = 0;
    for (const part of tablesOf(residency.parts)) {
      const items = smokeItems(part, values, count);
      await seeded(clients.dynamoDb(realm), names(realm).part(part), items);
      seededItems += items.length;
    }
    for (const part of bucketsOf(residency.parts)) {
      const bucket = await bucketOf(part, realm);
      objects += await seededObjects(clients.objects(realm), bucket, part, values);
    }
    const all = await holdings(realm);
    const what = `${seededItems} items${objects > 0 ? ` and ${objects} objects` : ''}`;
    note(
      `${what} in ${residency.parts.length} parts of ${realm}`,
      all.size === seededItems + objects,
      '',
      begun,
    );
    return holdings(realm, 'move');
  }

  async function moved(id: number, from: Realm, to: Realm, end: 'commit' | 'rollback') {
    const migrationId = id;
    const location = to.toUpperCase();
    const startTime = new Date().toISOString();
    const endTime = new Date(Date.now() + WINDOW_MS).toISOString();
    const facts = { startTime, endTime, location, migrationId };
    const here = url(from);
    await answers(`schedule ${from} → ${to}`, 200, (s) => s.hook(here, 'schedule', facts));
    await answers('start', 200, (s) => s.hook(here, 'start', facts));
    await reached(here, migrationId, 'ready-to-commit');
    await answers(end, 200, (s) => s.hook(here, end, { migrationId }));
    await reached(here, migrationId, end === 'commit' ? 'committed' : 'rolled-back');
  }

  /** Polls as Atlassian does, but more often. */
  async function reached(here: string, migrationId: number, wanted: string): Promise<void> {
    const begun = performance.now();
    for (;;) {
      const { status, says } = await site.hook(here, 'status', { migrationId });
      const isOver = performance.now() - begun > PATIENCE_MS;
      if (says === wanted || says.startsWith('failed') || status !== 200 || isOver)
        return note('status', says === wanted, `${status} ${says}`.trim(), begun);
      await pause(every);
    }
  }

  /** Discards the synthetic tenant's data. Throws for any tenant that could be a customer. */
  async function discarded(realm: Realm): Promise<void> {
    if (!isSmokeTenant(tenant)) throw new Error('only synthetic items are discarded');
    const begun = performance.now();
    for (const range of rangesOf(residency.parts, values)) {
      const purged = partKind.purge(range, realm, undefined, Number.POSITIVE_INFINITY);
      for await (const _ of purged);
    }
    note(`its items are discarded in ${realm}`, await isEmpty(realm), '', begun);
  }

  const states = (...realms: readonly Realm[]) =>
    Promise.all(realms.map(async (realm) => (await tenants.read(realm, tenant))?.state ?? 'none'));

  return {
    values,
    url,
    answers,
    check,
    holdings,
    isEmpty,
    filled,
    moved,
    discarded,
    states,
    steps: () => steps,
  };
}
