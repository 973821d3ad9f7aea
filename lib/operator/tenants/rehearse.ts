/**
 * `rehearse`: everything of a move but the move. Says how long it will take, what it will cost, and
 * whether it fits its window.
 */

import { misplacement, unknownIn } from '../../../lambdas/domain/datasets/key-placement.ts';
import { defined } from '../../../lambdas/domain/defined.ts';
import { LEASE, type RehearsalReport } from '../../../lambdas/domain/operating/rehearsal.ts';
import { DEFAULT_CONCURRENCY } from '../../../lambdas/domain/operating/settings.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import { isOfObjects } from '../../../lambdas/domain/planning/objects.ts';
import { type PartScans, scansOf } from '../../../lambdas/domain/planning/scans.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { type Confirm, invoked } from '../acting/act.ts';
import { sayStrange } from '../audit/key-sample.ts';
import { emptyPartsWithLookAlikes } from '../audit/look-alikes.ts';
import { tooLargeIn } from '../audit/scanned-tables.ts';
import { sampleKeys } from '../audit/strange-keys.ts';
import { keyValuesIn, type Operator, type PartCount } from '../operator.ts';
import { Failure, UsageError } from '../terminal/failure.ts';
import { lasting, moment, printable, sized, table } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { type Forecast, forecast } from './forecast.ts';
import { lookedAt, NOT_ALL_LOOKED_AT } from './storage-obstacles.ts';
import { holdingsOf, homeOf, type RealmHolding } from './where.ts';

export interface RehearseOptions {
  readonly to: string;
  /** Items of the sample; without it nothing is copied, and the move is only planned. */
  readonly items?: number;
  readonly confirm: Confirm;
}

export interface Rehearsed {
  readonly tenant: string;
  readonly source: Realm;
  readonly target: Realm;
  readonly parts: readonly PartCount[];
  readonly forecast: Forecast;
  /** Of each table that is scanned, by its declared size. */
  readonly scans: readonly PartScans[];
  /** Parts in buckets: no sample of them is copied. */
  readonly unmeasured: readonly string[];
  readonly window: {
    /** As declared to Atlassian. */
    readonly hours: number;
    readonly share: number;
    readonly fits: boolean;
  };
  /** Without it, nothing was copied. */
  readonly rehearsal?: RehearsalReport;
  /** Why a move could not begin now, or would not take everything. */
  readonly obstacles: readonly string[];
}

/** A move ends itself this long before its window does; and a forecast is a forecast. */
export const LARGEST_SHARE = 0.8;

export async function rehearse(
  operator: Operator,
  tenant: string,
  { to, items, confirm }: RehearseOptions,
): Promise<Verdict> {
  const target = operator.realmNamed(to);
  const holdings = await holdingsOf(operator, tenant);
  const home = homeOf(holdings, tenant);
  if (home.realm === target)
    throw new UsageError(`${tenant} is in ${target} already: a move there moves nothing`);
  const there = holdings.find(({ realm }) => realm === target);
  const request = items === undefined ? undefined : { tenant, source: home.realm, items };
  if (request !== undefined) {
    await assertFree(operator, target);
    await confirm(
      `Copy up to ${withCommas(request.items)} items of ${tenant} from ${home.realm} to ${target}, verify and discard them there? Backups of ${target} keep them for a week.`,
    );
  }
  const [rehearsal, obstacles, settings] = await Promise.all([
    request && sampled(operator, target, request),
    obstaclesTo(operator, home, target, there?.state ?? 'none', tenant),
    operator.ledger.settings.read(target, tenant),
  ]);
  const predicted = forecast({
    parts: operator.residency.parts,
    sizes: home.parts,
    concurrency: settings.concurrency ?? DEFAULT_CONCURRENCY,
    isLocal: operator.localPort !== undefined,
    measured: rehearsal?.measured,
    sample: rehearsal,
  });
  const hours = operator.residency.maxMigrationDurationHours;
  const share = predicted.seconds / (hours * 3600);
  const report: Rehearsed = {
    tenant,
    source: home.realm,
    target,
    parts: home.parts,
    forecast: predicted,
    scans: scansOf(operator.residency.parts),
    unmeasured: operator.residency.parts.filter(isOfObjects).map(({ name }) => name),
    window: { hours, share, fits: share <= LARGEST_SHARE },
    ...defined({ rehearsal }),
    obstacles,
  };
  const isFine = report.window.fits && obstacles.length === 0 && rehearsal?.verified !== false;
  return { report, text: rehearseText(report, isFine), isFine };
}

/**
 * Two rehearsals at once would discard each other's sample: the function refuses the second, and so
 * does this.
 */
async function assertFree({ ledger, clock }: Operator, target: Realm): Promise<void> {
  const until = (await ledger.rangeRecords.read(target, LEASE, LEASE.id))?.lease?.until ?? 0;
  if (until > clock.now())
    throw new Failure(
      `another rehearsal is running in ${target}, until ${moment(until)} at the latest`,
    );
}

/**
 * The function that does it runs in the target, with rights like those of the workers: that it
 * succeeds is the check.
 */
async function sampled(
  operator: Operator,
  target: Realm,
  request: { readonly tenant: string; readonly source: Realm; readonly items: number },
): Promise<RehearsalReport> {
  const answer = await invoked(operator, target, 'rehearse', request);
  const { refused }: { refused?: unknown } = Object(answer);
  if (typeof refused === 'string') throw new Failure(refused);
  if (!isReport(answer)) throw new Failure('the function rehearse gave no answer');
  return answer;
}

const isReport = (value: unknown): value is RehearsalReport =>
  typeof value === 'object' && value !== null && 'measured' in value && 'verified' in value;

/**
 * What `schedule`, `start` or the copy would refuse; and parts whose tables or buckets hold what
 * their declarations do not say.
 */
async function obstaclesTo(
  operator: Operator,
  home: RealmHolding,
  target: Realm,
  there: string,
  tenant: string,
): Promise<readonly string[]> {
  const { ledger, residency } = operator;
  const values = await keyValuesIn(operator, tenant);
  const [settings, samples, large, alike, looked] = await Promise.all([
    ledger.settings.read(home.realm, tenant),
    Promise.all(residency.parts.map((part) => sampleKeys(operator, home.realm, part))),
    Promise.all([home.realm, target].map((realm) => tooLargeIn(operator, realm))),
    emptyPartsWithLookAlikes(operator, home.realm, home.parts, values),
    lookedAt(operator, home.realm, tenant),
  ]);
  const unplaced = unknownIn(residency.parts, values) ?? misplacement(residency.parts, values);
  return [
    ...(settings.noNewMoves
      ? [`new moves are switched off in ${home.realm}, or for this tenant`]
      : []),
    ...(home.state === 'frozen' ? [`migration ${home.migration} is under way`] : []),
    ...(['none', 'moved', 'retired'].includes(there)
      ? []
      : [`the target has a record of this tenant that is ${there}`]),
    ...(unplaced === undefined ? [] : [unplaced]),
    ...looked.says,
    ...(looked.complete ? [] : [NOT_ALL_LOOKED_AT]),
    ...large.flat(),
    ...alike,
    ...samples
      .filter(({ strange }) => strange > 0)
      .map((sample) => `part ${sample.part} in ${home.realm}: ${sayStrange(sample)}`),
  ];
}

const LIMITS: Readonly<Record<Forecast['limit'], string>> = {
  partition: 'how fast one partition key takes writes',
  table: 'how fast the table takes writes',
  reading: 'how fast items come from the source',
  writing: 'how fast writes reach the target',
  cpu: 'how fast a worker handles items',
  objects: 'how fast S3 takes requests and copies bytes',
  records: 'the steps of the move itself: there is little to copy',
};

/** Pure. */
export function rehearseText(report: Rehearsed, isFine: boolean): string {
  const { tenant, source, target, parts, forecast: said, scans, window, rehearsal } = report;
  const percent = `${window.share < 0.01 ? 'under 1' : Math.round(window.share * 100)} %`;
  const rows = parts.map(({ part, policy, items, bytes }) => [
    part,
    policy === 'drop' ? 'dropped (cache)' : 'moved',
    items,
    sized(bytes),
  ]);
  const sample = rehearsal
    ? [
        `  ${rehearsal.verified ? '✓' : '✗'} ${withCommas(rehearsal.items)} items (${sized(rehearsal.bytes)}) of ${rehearsal.ranges} ranges were copied to ${target}, read back${rehearsal.verified ? ' and found equal' : ' and found DIFFERENT'}, and discarded`,
        `  ✓ nothing of them is left in ${target}; its point-in-time backups hold them until ${rehearsal.backupsExpire}`,
        ...(rehearsal.leftovers > 0
          ? [
              `  ✓ ${withCommas(rehearsal.leftovers)} items that an earlier rehearsal had left behind were discarded`,
            ]
          : []),
        `  one record takes ${lasting(rehearsal.measured.sourceMs / 1000)} from ${source}, ${lasting(rehearsal.measured.targetMs / 1000)} from ${target}`,
      ]
    : [
        '  nothing was copied: planned by DynamoDB’s published limits alone (--sample copies some items, and measures)',
      ];
  return [
    `${printable(tenant)}: ${source} → ${target}`,
    table(['part', '', 'items', 'size'], rows),
    sample.join('\n'),
    table(
      ['', 'lasts'],
      [
        ['drain: writes that had passed the guard', lasting(said.drainSeconds)],
        [`copy: ${withCommas(said.items)} items, ${sized(said.bytes)}`, lasting(said.copySeconds)],
        ['verification', lasting(said.verifySeconds)],
        ['steps of the workflow', lasting(said.overheadSeconds)],
        ['start to ready-to-commit', lasting(said.seconds)],
      ],
    ),
    ...(scans.length === 0 ? [] : [scansText(scans)]),
    ...(report.unmeasured.length === 0
      ? []
      : [
          `  ${printable(report.unmeasured.join(', '))}: objects are planned by S3’s published request rates, and never measured, with --sample neither`,
        ]),
    [
      `  limited by ${LIMITS[said.limit]}; costs about $${said.dollars.toFixed(2)}`,
      `  ${percent} of the ${window.hours} h declared as maxMigrationDurationHours`,
      ...report.obstacles.map((obstacle) => `  ✗ ${printable(obstacle)}`),
    ].join('\n'),
    isFine
      ? `✓ it can be moved, in about ${lasting(said.seconds)}`
      : `✗ it cannot be moved like this: ${printable(whyNot(report))}`,
  ].join('\n\n');
}

/** What the scans of the whole move take, by the size that is declared of each table. */
const scansText = (scans: readonly PartScans[]): string =>
  table(
    ['scanned', 'segments', 'one lasts', 'the table lasts', 'scans', 'cost'],
    scans.map(({ part, segments, segmentSeconds, seconds, all, dollars }) => [
      part,
      segments,
      lasting(segmentSeconds),
      lasting(seconds),
      all,
      `$${dollars.toFixed(2)}`,
    ]),
  );

function whyNot({ window, obstacles, rehearsal }: Rehearsed): string {
  const [obstacle] = obstacles;
  if (obstacle !== undefined) return obstacle;
  if (rehearsal?.verified === false) return 'the sample did not arrive as it was';
  return `it takes more than ${LARGEST_SHARE * 100} % of the ${window.hours} h that are declared`;
}
