/**
 * `import`: tenants that exist already, into the realm that has their data. Says what it would
 * write; `--apply` writes it.
 */
import { keyValuesOf } from '../../../lambdas/domain/datasets/key-values.ts';
import type { ImportAnswer } from '../../../lambdas/domain/operating/tenant-operations.ts';
import { MOST_ROWS } from '../../../lambdas/domain/operating/tenant-operations.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { importedArrival } from '../../../lambdas/domain/tenants/import-row.ts';
import { actorOf, type Confirm, invoked } from '../acting/act.ts';
import { refuseProblems } from '../files/file-text.ts';
import type { Operator } from '../operator.ts';
import { Failure, UsageError } from '../terminal/failure.ts';
import type { Verdict } from '../terminal/verdict.ts';
import type { SourceRow } from './framework-rows.ts';
import { type ImportOptions, sourceOf } from './import-source.ts';
import { type ImportedRow, type ImportReport, importText } from './import-text.ts';
import { misplaced } from './misplaced.ts';

/** A row with the realm that it goes to. */
type Placed = SourceRow & { readonly to: Realm };

export async function importTenants(
  operator: Operator,
  options: ImportOptions & { readonly apply?: boolean },
  confirm: Confirm,
): Promise<Verdict> {
  const { source, origin } = await sourceOf(operator, options);
  refuseProblems(origin, source.problems);
  if (source.rows.length === 0) throw new Failure(`${origin} holds no installation`);
  const rows = placed(operator, source.rows, options.realm, origin);
  const planned = await plannedOf(operator, rows);
  const report = (found: readonly ImportedRow[], applied: boolean): ImportReport => ({
    from: options.from,
    origin,
    applied,
    otherRows: source.others,
    rows: found,
  });
  const writable = rows.filter((_, at) => isWritable(planned[at]));
  if (!options.apply || writable.length === 0)
    return verdictOn(report(planned, options.apply === true));
  await confirm(questionOf(writable, planned));
  const answers = await asked(operator, writable, true);
  const written = planned.map((row) => {
    const answer = answers.get(row.line);
    // An earlier try has written it, although its answer was lost.
    if (answer?.outcome === 'unchanged') return { ...row, written: true, says: answer.says };
    return answer === undefined ? row : { ...row, ...answer };
  });
  return verdictOn(report(written, true));
}

function verdictOn(report: ImportReport): Verdict {
  const isFine = report.rows.every(({ outcome }) => outcome !== 'conflict' && outcome !== 'failed');
  return { report, text: importText(report), isFine };
}

const isWritable = (row: ImportedRow | undefined): boolean =>
  row !== undefined && ['new', 'renewed', 'learned'].includes(row.outcome);

function placed(
  operator: Operator,
  rows: readonly SourceRow[],
  otherwise: string | undefined,
  origin: string,
): readonly Placed[] {
  const known = operator.residency.realms.map(({ realm }) => realm);
  const problems = rows
    .filter(({ realm }) => realm !== undefined && !known.includes(realm.toLowerCase()))
    .map(({ line }) => ({ line, says: `realm is none of ${known.join(', ')}` }));
  refuseProblems(origin, problems);
  return rows.map((row) => {
    const realm = row.realm ?? otherwise;
    if (realm === undefined)
      throw new UsageError('which realm has their data? Say --realm, or give each row one');
    return { ...row, to: operator.realmNamed(realm) };
  });
}

/**
 * Nothing is written. What the function would write is looked at once more: does the realm have the
 * data?
 */
async function plannedOf(
  operator: Operator,
  rows: readonly Placed[],
): Promise<readonly ImportedRow[]> {
  const ours = operator.residency.app.key;
  const left = new Map<number, { outcome: ImportedRow['outcome']; says: string }>();
  for (const { line, isUninstalled, appKey } of rows) {
    if (appKey !== undefined && appKey !== ours)
      left.set(line, {
        outcome: 'conflict',
        says: `it is an installation of another app than ${ours}`,
      });
    else if (isUninstalled)
      left.set(line, { outcome: 'uninstalled', says: 'the app says that it was uninstalled' });
  }
  const meant = rows.filter(({ line }) => !left.has(line));
  const answers = await asked(operator, meant, false);
  const fresh = meant.flatMap(({ line, name, to, row }) => {
    const answer = answers.get(line);
    if (answer?.outcome !== 'new') return [];
    const { identity } = importedArrival(row);
    return [{ line, to, values: keyValuesOf({ ...identity, tenant: answer.tenant ?? name }) }];
  });
  const elsewhere = await misplaced(operator, fresh);
  return rows.map((row): ImportedRow => {
    const { line, name, to: realm } = row;
    const about = { line, tenant: answers.get(line)?.tenant ?? name, realm, written: false };
    const says = elsewhere.get(line);
    if (says !== undefined) return { ...about, outcome: 'conflict', says };
    const answer = left.get(line) ?? answers.get(line);
    if (answer === undefined) throw new Failure('the function tenants gave no answer');
    return { ...about, outcome: answer.outcome, says: answer.says };
  });
}

/** A row that failed is asked for again: a call of the function may have been cut off. */
const MOST_TRIES = 3;

/** Asks the function of each realm, some rows at a time. By the line. */
async function asked(
  operator: Operator,
  rows: readonly Placed[],
  apply: boolean,
): Promise<ReadonlyMap<number, ImportAnswer>> {
  const actor = await actorOf(operator);
  const answers = new Map<number, ImportAnswer>();
  let left = rows;
  for (let tries = 0; tries < MOST_TRIES && left.length > 0; tries += 1) {
    for (const [realm, those] of Map.groupBy(left, ({ to }) => to))
      for (let at = 0; at < those.length; at += MOST_ROWS) {
        const batch = those.slice(at, at + MOST_ROWS);
        const input = { verb: 'import', realm, apply, actor, rows: batch.map(({ row }) => row) };
        const found = await answersOf(operator, realm, input, batch.length);
        for (const [nth, { line }] of batch.entries()) {
          const answer = found[nth];
          if (answer !== undefined) answers.set(line, answer);
        }
      }
    left = left.filter(({ line }) => answers.get(line)?.outcome === 'failed');
  }
  return answers;
}

async function answersOf(
  operator: Operator,
  realm: Realm,
  input: object,
  count: number,
): Promise<readonly ImportAnswer[]> {
  const answer = await invoked(operator, realm, 'tenants', input);
  const { rows }: { rows?: unknown } = Object(answer);
  if (!isAnswers(rows) || rows.length !== count)
    throw new Failure('the function tenants gave no answer');
  return rows;
}

const isAnswers = (value: unknown): value is readonly ImportAnswer[] =>
  Array.isArray(value) &&
  value.every(
    (one) => typeof one === 'object' && one !== null && 'outcome' in one && 'says' in one,
  );

function questionOf(rows: readonly Placed[], planned: readonly ImportedRow[]): string {
  const realms = [...Map.groupBy(rows, ({ to }) => to)].map(
    ([realm, { length: count }]) => `${count} ${count === 1 ? 'tenant' : 'tenants'} into ${realm}`,
  );
  const left = planned.filter((row) => row.outcome === 'conflict').length;
  const out = left === 0 ? '' : ` The ${left} in conflict are left out.`;
  return `Import ${realms.join(', ')}?${out} Hooks are answered, and data is moved, by these records from then on.`;
}
