/** `receipt`: the signed-off record of a move, for an auditor: as JSON, and as a page to print. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { HistoryEntry } from '../../lambdas/domain/moving/history.ts';
import type { Migration, PartSeal } from '../../lambdas/domain/moving/migration.ts';
import type { Receipt } from '../../lambdas/domain/moving/receipt.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Failure } from './failure.ts';
import { migrationOf } from './find-migration.ts';
import type { Operator } from './operator.ts';
import { counted, moment, printable, sized, table } from './print.ts';
import { receiptPage } from './receipt-page.ts';
import type { Verdict } from './verdict.ts';

export interface ReceiptReport {
  readonly app: string;
  readonly stage: string;
  readonly tenant: string;
  readonly migration: string;
  readonly source: Realm;
  readonly sourceRegion: string;
  readonly target: Realm;
  readonly targetRegion: string;
  readonly outcome: Receipt['state'];
  readonly at: string;
  /** Count, size and digest by part, as both sides were verified to be equal. */
  readonly seals: Readonly<Record<string, PartSeal>>;
  readonly provenEmpty?: Receipt['provenEmpty'];
  readonly backupsExpire?: string;
  readonly history: readonly HistoryEntry[];
  /** Realms whose ledger holds this receipt, word for word. */
  readonly keptIn: readonly Realm[];
  /** SHA-256 of the receipt as it is kept, in canonical JSON. */
  readonly fingerprint: string;
  readonly printedAt: string;
}

export async function receipt(
  operator: Operator,
  tenant: string,
  id: string,
  htmlFile: string | undefined,
): Promise<Verdict> {
  const migration = await migrationOf(operator, tenant, id);
  const report = await receiptOf(operator, migration);
  if (htmlFile !== undefined) await writePage(htmlFile, receiptPage(report));
  const isWhole = report.outcome !== 'ready-to-commit' && report.keptIn.length === sides(migration);
  return {
    report,
    text:
      receiptText(report, isWhole) +
      (htmlFile === undefined ? '' : `\n\nwritten to ${printable(htmlFile)}`),
    isFine: isWhole,
  };
}

const sides = ({ source, target }: Migration): number => (source === target ? 1 : 2);

async function receiptOf(operator: Operator, migration: Migration): Promise<ReceiptReport> {
  const { tenant, id, source, target } = migration;
  const realms = [...new Set([source, target])];
  const [history, ...kept] = await Promise.all([
    operator.ledger.history(migration),
    ...realms.map((realm) => operator.ledger.readReceipt(realm, tenant, id)),
  ]);
  const [found] = kept
    .filter((one) => one !== undefined)
    .toSorted((one, other) => (one.at < other.at ? 1 : -1));
  if (found === undefined) {
    throw new Failure(
      `migration ${id} has no receipt yet: it is ${migration.status}, and the first receipt is written at ready-to-commit`,
    );
  }
  const fingerprint = fingerprintOf(found);
  return {
    app: operator.residency.app.key,
    stage: operator.stage,
    tenant,
    migration: id,
    source,
    sourceRegion: operator.region(source),
    target,
    targetRegion: operator.region(target),
    outcome: found.state,
    at: found.at,
    seals: found.seals,
    ...(found.provenEmpty && { provenEmpty: found.provenEmpty }),
    ...(found.backupsExpire && { backupsExpire: found.backupsExpire }),
    history,
    keptIn: realms.filter((_, at) => kept[at] && fingerprintOf(kept[at]) === fingerprint),
    fingerprint,
    printedAt: new Date(operator.clock.now()).toISOString(),
  };
}

/** Names in their order, so that the same receipt has the same fingerprint wherever it is kept. */
export const fingerprintOf = (value: Receipt): string =>
  createHash('sha256').update(canonical(value)).digest('hex');

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`);
  return `{${fields.join(',')}}`;
}

async function writePage(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    throw new Failure(`${file} cannot be written: ${code}`);
  }
}

/** Pure. */
export function receiptText(report: ReceiptReport, isWhole: boolean): string {
  const { tenant, migration, source, target, outcome, at, seals, provenEmpty } = report;
  const emptied = provenEmpty
    ? `${provenEmpty.realm} was proven empty at ${moment(provenEmpty.at)}: ${counted(provenEmpty.ranges.length)} ranges, strongly consistent reads`
    : 'nothing had to be emptied';
  const missing = isWhole
    ? `✓ kept in ${report.keptIn.join(' and ')}`
    : `✗ not signed off: ${outcome}, kept in ${report.keptIn.join(' and ')}`;
  return [
    `Receipt of migration ${printable(migration)} of ${printable(tenant)}: ${source} → ${target}, ${outcome} at ${moment(at)}`,
    table(
      ['part', 'items', 'size', 'digest'],
      Object.entries(seals).map(([part, { items, bytes, sum }]) => [
        part,
        items,
        sized(bytes),
        `${sum.slice(0, 16)}…`,
      ]),
    ),
    [
      `  ${emptied}`,
      ...(report.backupsExpire
        ? [
            `  no backup of ${printable(provenEmpty?.realm ?? source)} holds the data from ${printable(report.backupsExpire)} on`,
          ]
        : []),
      `  fingerprint ${report.fingerprint}`,
    ].join('\n'),
    missing,
  ].join('\n\n');
}
