/** `receipt`: the signed-off record of a move, for an auditor: as JSON, and as a page to print. */

import { writeFile } from 'node:fs/promises';
import { defined } from '../../../lambdas/domain/defined.ts';
import { copiedText } from '../../../lambdas/domain/moving/ahead-text.ts';
import type { HistoryEntry } from '../../../lambdas/domain/moving/history.ts';
import {
  isFinal,
  type Migration,
  type PartChecksum,
} from '../../../lambdas/domain/moving/migration.ts';
import type { Receipt } from '../../../lambdas/domain/moving/receipt.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { migrationOf } from '../moves/find-migration.ts';
import type { Operator } from '../operator.ts';
import { Failure } from '../terminal/failure.ts';
import { moment, printable, sized, table } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { named, receiptPage, sayBuckets, sayNeverHeld } from './receipt-page.ts';
import { fingerprintOf, isSignedBy } from './receipt-signature.ts';

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
  readonly checksums: Readonly<Record<string, PartChecksum>>;
  readonly provenEmpty?: Receipt['provenEmpty'];
  /** Items of each part before it was proven empty; receipts of earlier versions have none. */
  readonly held?: Receipt['held'];
  /** Parts that never held an item of the tenant. That they are empty proves nothing. */
  readonly neverHeld: readonly string[];
  readonly backupsExpire?: string;
  /** Parts in buckets: what is counted of them are objects, and their buckets have no backup. */
  readonly buckets: readonly string[];
  /** What was copied before the window, and what became of it, as a sentence. */
  readonly ahead?: string;
  readonly history: readonly HistoryEntry[];
  /** Realms whose ledger holds exactly this receipt. */
  readonly keptIn: readonly Realm[];
  /** SHA-256 of the stored receipt, in canonical JSON. */
  readonly fingerprint: string;
  /** The stored receipt: what the fingerprint covers, and the signature. */
  readonly record: Receipt;
  /**
   * True: final, kept in every realm of the move, and signed by the realm that ended it. Otherwise
   * it is a draft.
   */
  readonly isFinal: boolean;
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
  const isWhole = report.isFinal;
  return {
    report,
    text:
      receiptText(report, isWhole) +
      (htmlFile === undefined ? '' : `\n\nwritten to ${printable(htmlFile)}`),
    isFine: isWhole,
  };
}

/** True where the key of the issuing realm verifies the receipt. */
export async function isSigned(operator: Operator, receipt: Receipt): Promise<boolean> {
  const { link } = receipt;
  if (link === undefined || !operator.realms.includes(link.realm)) return false;
  const alias = operator.names(link.realm).receiptKey;
  return isSignedBy(receipt, await operator.clients.publicKey(link.realm, alias));
}

async function receiptOf(operator: Operator, migration: Migration): Promise<ReceiptReport> {
  const { tenant, id, source, target } = migration;
  const realms = [...new Set([source, target])];
  const [history, ...kept] = await Promise.all([
    operator.ledger.migrations.history(migration),
    ...realms.map((realm) => operator.ledger.receipts.read(realm, tenant, id)),
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
  const keptIn = realms.filter((_, at) => kept[at] && fingerprintOf(kept[at]) === fingerprint);
  const isOver = isFinal(migration) && migration.status === found.state;
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
    checksums: found.checksums,
    ...defined({ provenEmpty: found.provenEmpty, held: found.held }),
    neverHeld: neverHeldIn(found),
    buckets: bucketsIn(found),
    ...(found.backupsExpire && { backupsExpire: found.backupsExpire }),
    ...(found.ahead && { ahead: aheadOf(found) }),
    history,
    keptIn,
    fingerprint,
    record: found,
    isFinal: isOver && keptIn.length === realms.length && (await isSigned(operator, found)),
    printedAt: new Date(operator.clock.now()).toISOString(),
  };
}

function aheadOf(found: Receipt): string {
  const copied = copiedText(found);
  if (found.state !== 'rolled-back') return `${copied}; the rest was copied within the window`;
  return found.provenEmpty === undefined ? copied : `${copied}; all of it was discarded`;
}

const bucketsIn = ({ scope }: Receipt): readonly string[] =>
  Object.entries(scope?.tables ?? {}).flatMap(([part, { source }]) =>
    source.split(':')[2] === 's3' ? [part] : [],
  );

/** Empty for a move that emptied nothing. */
function neverHeldIn({ state, checksums, held }: Receipt): readonly string[] {
  if (state !== 'committed') return [];
  const counts = Object.entries(held ?? {}).concat(
    Object.entries(checksums).flatMap(([part, { items }]) => (held ? [] : [[part, items]])),
  );
  return counts.filter(([, items]) => items === 0).map(([part]) => part);
}

async function writePage(file: string, page: string): Promise<void> {
  try {
    await writeFile(file, page);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    throw new Failure(`${file} cannot be written: ${code}`);
  }
}

/** Pure: the text for a terminal. */
export function receiptText(report: ReceiptReport, isWhole: boolean): string {
  const { tenant, migration, source, target, outcome, at, checksums, provenEmpty } = report;
  const emptied = provenEmpty
    ? `${provenEmpty.realm} was proven empty at ${moment(provenEmpty.at)}: ${withCommas(provenEmpty.ranges.length)} ranges, strongly consistent reads`
    : 'nothing had to be emptied';
  const missing = isWhole
    ? `✓ kept in ${report.keptIn.join(' and ')}`
    : `✗ DRAFT, not signed off: ${outcome}, kept in ${report.keptIn.join(' and ')}`;
  return [
    ...report.neverHeld.map((part) => `! ${sayNeverHeld(part)}`),
    `Receipt of migration ${printable(migration)} of ${printable(tenant)}: ${source} → ${target}, ${outcome} at ${moment(at)}`,
    table(
      ['part', 'items', 'size', 'digest'],
      Object.entries(checksums).map(([part, { items, bytes, sum }]) => [
        named(report, part),
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
      ...(provenEmpty && report.buckets.length > 0 ? [`  ${sayBuckets(report.buckets)}`] : []),
      ...(report.ahead === undefined ? [] : [`  ${report.ahead}`]),
      `  fingerprint ${report.fingerprint}`,
      ...(report.record.link
        ? [
            `  number ${report.record.link.number} in the chain of ${report.record.link.realm}, signed by ${printable(report.record.signature?.key ?? 'nobody')}`,
          ]
        : []),
    ].join('\n'),
    missing,
  ].join('\n\n');
}
