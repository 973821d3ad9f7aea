/** What an import says: the same rows whether it has written or not. */
import type { ImportAnswer } from '../../../lambdas/domain/operating/tenant-operations.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { printable, table } from '../terminal/print.ts';

export interface ImportedRow {
  /** Line of the file; for a table, the number of the row. */
  readonly line: number;
  readonly tenant: string;
  readonly realm: Realm;
  readonly outcome: ImportAnswer['outcome'] | 'uninstalled';
  readonly says: string;
  readonly written: boolean;
}

export interface ImportReport {
  readonly from: string;
  readonly origin: string;
  readonly applied: boolean;
  /** Rows about something else than installations. */
  readonly otherRows: number;
  readonly rows: readonly ImportedRow[];
}

/** Those that an operator must look at come first. */
const ORDER: readonly ImportedRow['outcome'][] = [
  'conflict',
  'failed',
  'uninstalled',
  'new',
  'renewed',
  'learned',
  'unchanged',
];
const MOST_SHOWN = 200;

/** Pure. */
export function importText({ applied, otherRows, rows }: ImportReport): string {
  const sorted = [...rows].sort(
    (one, other) =>
      ORDER.indexOf(one.outcome) - ORDER.indexOf(other.outcome) || one.line - other.line,
  );
  const shown = sorted.filter(({ outcome }) => outcome !== 'unchanged').slice(0, MOST_SHOWN);
  const counts = ORDER.flatMap((outcome) => {
    const count = rows.filter((row) => row.outcome === outcome).length;
    return count === 0 ? [] : [`${withCommas(count)} ${outcome}`];
  });
  const written = rows.filter((row) => row.written).length;
  const bad = rows.filter(({ outcome }) => outcome === 'conflict' || outcome === 'failed').length;
  const wouldBe = rows.filter(({ outcome }) => ['new', 'renewed', 'learned'].includes(outcome));
  return [
    ...(shown.length > 0
      ? [
          table(
            ['line', 'tenant', 'realm', 'what', ''],
            shown.map(({ line, tenant, realm, outcome, says }) => [
              line,
              printable(tenant, 48),
              realm,
              outcome,
              printable(says, 120),
            ]),
          ),
          '',
        ]
      : []),
    `  ${counts.join(', ')}${otherRows > 0 ? `; ${withCommas(otherRows)} rows about something else` : ''}`,
    '',
    applied
      ? `${bad === 0 ? '✓' : '✗'} ${withCommas(written)} tenants were written`
      : `${bad === 0 ? '✓' : '✗'} nothing was written; --apply would write ${withCommas(wouldBe.length)} tenants`,
  ].join('\n');
}
