/**
 * `status`: one screen for an operator on call: what is wrong, most urgent first, and the next
 * command for each.
 */

import { defined } from '../../../lambdas/domain/defined.ts';
import { isNoOp, type Migration } from '../../../lambdas/domain/moving/migration.ts';
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import { factsIn } from '../acting/settings.ts';
import type { Operator } from '../operator.ts';
import { commandFor } from '../terminal/command-name.ts';
import { printable } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { type ProjectedEnd, projectionOf } from './projected-end.ts';
import {
  KINDS,
  type Kind,
  type OpenMove,
  type StatusEntry,
  statusEntries,
} from './status-entries.ts';

/** How many entries that need nothing are shown. Entries that need an operator are always shown. */
const MOST_SHOWN = 8;

/**
 * Reads the index of open moves, both records of each, and the realms' settings. Fails only where
 * it cannot read.
 */
export async function status(
  operator: Operator,
  { all = false }: { readonly all?: boolean },
): Promise<Verdict> {
  const [open, settings] = await Promise.all([
    Promise.all(operator.realms.map((realm) => operator.ledger.migrations.open(realm))),
    Promise.all(operator.realms.map((realm) => factsIn(operator, realm))),
  ]);
  const moves = await Promise.all(open.flat().map((migration) => lookedAt(operator, migration)));
  const entries = statusEntries(moves, settings.flat(), operator.clock.now());
  const isFine = entries.every(({ needsYou }) => !needsYou);
  return {
    report: {
      entries: entries.map((entry) => ({ ...entry, next: nextCommand(operator, entry) })),
      counts: countsOf(entries),
    },
    text: statusText(operator, entries, all),
    isFine,
  };
}

async function lookedAt(operator: Operator, migration: Migration): Promise<OpenMove> {
  const { tenant, source, target } = migration;
  const [here, there, projection] = await Promise.all([
    operator.tenants.read(source, tenant),
    operator.tenants.read(target, tenant),
    projected(operator, migration),
  ]);
  return {
    migration,
    source: here?.state ?? 'none',
    target: there?.state ?? 'none',
    ...defined({ projection }),
  };
}

/** Projects only where the size is known, because a count would take too long here. */
async function projected(
  operator: Operator,
  migration: Migration,
): Promise<ProjectedEnd | undefined> {
  const { status, target, estimate } = migration;
  if (status !== 'copying' || estimate === undefined || isNoOp(migration)) return undefined;
  const [entries, records] = await Promise.all([
    operator.ledger.migrations.history(migration),
    operator.ledger.rangeRecords.list(target, migration),
  ]);
  const ranges = records.map((record) => ({ realm: target, record }));
  return projectionOf(operator, migration, ranges, entries);
}

/** A command that writes needs the other role. */
function nextCommand(operator: Operator, { next: [verb = '', ...words] }: StatusEntry): string {
  const writes = verb === 'retry' || verb === 'set';
  const role = operator.role !== undefined && writes ? 'operator-act' : operator.role;
  return commandFor({ ...operator, role }, verb, ...words);
}

function countsOf(entries: readonly StatusEntry[]): Readonly<Partial<Record<Kind, number>>> {
  const byKind = Map.groupBy(entries, ({ kind }) => kind);
  return Object.fromEntries([...byKind].map(([kind, found]) => [kind, found.length]));
}

const WORDS: Readonly<Record<Kind, string>> = {
  'nobody-serves': 'served by nobody',
  late: 'too late for the window',
  halted: 'halted',
  failed: 'failed',
  stuck: 'stuck',
  paused: 'paused',
  'under-way': 'under way',
  scheduled: 'scheduled',
  set: 'settings',
};

function statusText(operator: Operator, entries: readonly StatusEntry[], all: boolean): string {
  const bad = entries.filter(({ needsYou }) => needsYou);
  const others = entries.filter(({ needsYou }) => !needsYou);
  const shown = all ? others : others.slice(0, MOST_SHOWN);
  const folded = others.length - shown.length;
  const counts = countsOf(entries);
  const sums = KINDS.flatMap((kind) =>
    counts[kind] === undefined ? [] : [`${withCommas(counts[kind])} ${WORDS[kind]}`],
  );
  return [
    ...[...bad, ...shown].map((entry) => entryText(operator, entry)),
    ...(folded > 0 ? [`  and ${withCommas(folded)} more: --all shows them`] : []),
    ...(bad.length > 0
      ? [`✗ ${sums.join(', ')}`]
      : [`✓ nothing needs you${sums.length > 0 ? `: ${sums.join(', ')}` : ': no move is open'}`]),
  ].join('\n');
}

function entryText(operator: Operator, entry: StatusEntry): string {
  const { needsYou, tenant, migration, source, target, says } = entry;
  const sign = needsYou ? '✗' : '·';
  const command = `    ${nextCommand(operator, entry)}`;
  if (migration === undefined) return `${sign} ${printable(says)}\n${command}`;
  const head = `${sign} ${printable(tenant, 40)} · ${printable(migration, 20)} · ${source} → ${target}`;
  return [head, ...says.split('; ').map((line) => `    ${printable(line, 200)}`), command].join(
    '\n',
  );
}
