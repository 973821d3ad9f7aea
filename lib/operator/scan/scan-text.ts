/** What a scan of all tenants says: a table for people, and CSV for a spreadsheet. */
import { stringify } from 'csv-stringify/sync';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { sayStrange } from '../audit/key-sample.ts';
import { lasting, printable, sized, table } from '../terminal/print.ts';
import type { Obstacle } from './obstacles.ts';
import type { Scanned, ScannedTenant } from './scan.ts';

const MOST_SHOWN = 200;

/** Pure. Those that something stops come first, then the largest. */
export function scanText(
  { tenants, notServed, samples, window, cost }: Scanned,
  realms: readonly Realm[],
  csv: string | undefined,
): string {
  const isStopped = ({ obstacles }: ScannedTenant) => obstacles.some(({ stops }) => stops);
  const stopped = tenants.filter(isStopped);
  const shown = [...stopped, ...tenants.filter((one) => !isStopped(one))].slice(0, MOST_SHOWN);
  const longest = tenants
    .flatMap(({ moves }) => moves.map(({ seconds }) => seconds))
    .reduce((most, seconds) => Math.max(most, seconds), 0);
  return [
    ...samples.map(
      (sample) => `  ✗ ${sample.realm}, part ${sample.part}: ${printable(sayStrange(sample), 200)}`,
    ),
    ...(samples.length > 0 ? [''] : []),
    ...(shown.length > 0
      ? [
          table(
            ['tenant', 'realm', 'items', 'size', ...realms.map((realm) => `to ${realm}`), ''],
            shown.map((one) => [
              printable(one.tenant, 48),
              one.realm,
              one.items,
              sized(one.bytes),
              ...realms.map((realm) => timeTo(one, realm)),
              printable(one.obstacles.map(kindOf).join(', '), 80),
            ]),
          ),
          '',
        ]
      : []),
    ...(shown.length < tenants.length
      ? [`  ${withCommas(tenants.length - shown.length)} more: --csv or --json has all`, '']
      : []),
    `  ${withCommas(tenants.length)} tenants, the longest move ${lasting(longest)} of the ${window.hours} h that are declared; ${withCommas(notServed)} that no realm serves`,
    `  planned by DynamoDB’s published limits, without the drain time; counting cost about $${cost.dollars.toFixed(2)}`,
    ...(csv === undefined ? [] : [`  ${csv} has every tenant`]),
    '',
    stopped.length === 0
      ? '✓ nothing stands in the way of a move'
      : `✗ something stands in the way of ${withCommas(stopped.length)} tenants: ${kindsIn(stopped)}`,
  ].join('\n');
}

const kindOf = ({ kind, to, stops }: Obstacle): string =>
  `${kind}${to === undefined ? '' : ` to ${to}`}${stops ? '' : ' (note)'}`;

const timeTo = ({ moves }: ScannedTenant, realm: Realm): string => {
  const move = moves.find(({ to }) => to === realm);
  return move === undefined ? '' : lasting(move.seconds);
};

function kindsIn(tenants: readonly ScannedTenant[]): string {
  const kinds = tenants.flatMap(({ obstacles }) => [
    ...new Set(obstacles.filter(({ stops }) => stops).map(({ kind }) => kind)),
  ]);
  return [...Map.groupBy(kinds, (kind) => kind)]
    .map(([kind, those]) => `${kind} (${withCommas(those.length)})`)
    .join(', ');
}

/** Pure. One row for each tenant. A text that a spreadsheet would take for a formula is escaped. */
export const scanCsv = ({ tenants }: Scanned, realms: readonly Realm[]): string =>
  stringify(
    tenants.map((one) => ({
      tenant: one.tenant,
      realm: one.realm,
      host: one.host ?? '',
      cloud_id: one.cloudId ?? '',
      product: one.product ?? '',
      items: one.items,
      bytes: one.bytes,
      ...Object.fromEntries(
        realms.map((realm) => {
          const move = one.moves.find(({ to }) => to === realm);
          return [`seconds_to_${realm}`, move === undefined ? '' : Math.ceil(move.seconds)];
        }),
      ),
      can_move: one.obstacles.every(({ stops, to }) => !stops || to !== undefined),
      obstacles: one.obstacles.map(({ says }) => says).join('; '),
    })),
    {
      header: true,
      escape_formulas: true,
      columns: [
        ...['tenant', 'realm', 'host', 'cloud_id', 'product', 'items', 'bytes'],
        ...realms.map((realm) => `seconds_to_${realm}`),
        ...['can_move', 'obstacles'],
      ],
      cast: { boolean: String },
    },
  );
