/** What a comparison with Atlassian's list says. */
import type { RetireAnswer } from '../../../lambdas/domain/operating/tenant-operations.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { printable, table } from '../terminal/print.ts';

/**
 * `gone`: active here, and not in the list. `doubt`: perhaps, and never retired. `unknown`: in the
 * list, and no realm has a record. `not-served`: in the list, and retired here.
 */
export interface Row {
  readonly found: 'gone' | 'doubt' | 'unknown' | 'not-served';
  readonly tenant?: string;
  readonly realm?: Realm;
  /** Line of the list. */
  readonly line?: number;
  readonly installation?: string;
  readonly says: string;
  /** What has become of it, with `--apply`. */
  readonly outcome?: RetireAnswer['outcome'];
}

export interface Reconciled {
  readonly file: string;
  readonly asOf: string;
  readonly applied: boolean;
  readonly listed: number;
  /** Entries of other environments of the app, which are not compared. */
  readonly otherEnvironments: number;
  readonly tenants: number;
  /** After the list was made: not compared either. */
  readonly installedLater: number;
  readonly rows: readonly Row[];
}

/** Pure. */
export function reconcileText(report: Reconciled): string {
  const { applied, listed, otherEnvironments, tenants, installedLater, rows, asOf } = report;
  const count = (found: Row['found']) => rows.filter((row) => row.found === found).length;
  const retired = rows.filter(({ outcome }) => outcome === 'retired' || outcome === 'cancelling');
  const left = rows.filter(({ outcome }) => outcome === undefined || outcome === 'refused');
  const seen = [
    `  compared ${withCommas(tenants - installedLater)} tenants with ${withCommas(listed)} installations, as of ${asOf}`,
    ...(installedLater > 0 ? [`${withCommas(installedLater)} tenants were installed later`] : []),
    ...(otherEnvironments > 0
      ? [`${withCommas(otherEnvironments)} installations of other environments`]
      : []),
  ].join('; ');
  if (rows.length === 0) return `${seen}\n\n✓ both have the same`;
  const rest = [
    `${count('gone')} gone`,
    `${count('doubt')} in doubt`,
    `${count('unknown')} unknown here`,
    `${count('not-served')} not served here`,
  ].join(', ');
  return [
    table(
      ['what', 'tenant', 'realm', 'line', 'installation', ''],
      rows.map(({ found, outcome, tenant, realm, line, installation, says }) => [
        outcome ?? found,
        printable(tenant ?? '', 48),
        realm,
        line,
        printable(installation ?? '', 60),
        printable(says, 120),
      ]),
    ),
    '',
    seen,
    '',
    `${left.length === 0 ? '✓' : '✗'} ${rest}${applied ? `; ${withCommas(retired.length)} were retired` : ''}`,
  ].join('\n');
}
