/**
 * What all sources come to: a row for the function that imports, or why a row has no business
 * there. Secrets are in it.
 */
import { Refusal } from '../../../lambdas/domain/refusal.ts';
import { type ImportRow, importRow } from '../../../lambdas/domain/tenants/import-row.ts';
import type { Problem } from '../files/file-text.ts';

/** One tenant that a file, or a table, names. */
export interface SourceRow {
  /** Line of the file; for a table, the number of the row. */
  readonly line: number;
  /** For people: the client key, or the id of the installation. */
  readonly name: string;
  /** As it was typed in the file; otherwise the command says it for all. */
  readonly realm?: string;
  readonly row: ImportRow;
  /** The app itself says so: nothing is written for it. */
  readonly isUninstalled: boolean;
  /** The app that the installation is of, where that is said. */
  readonly appKey?: string;
}

export interface Source {
  readonly rows: readonly SourceRow[];
  readonly problems: readonly Problem[];
  /** Rows about something else than installations. */
  readonly others: number;
}

/**
 * What `installed` delivers besides the secret. Whatever else an app keeps there may be a secret of
 * its own, and stays behind.
 */
const FACTS = [
  'key',
  'clientKey',
  'oauthClientId',
  'publicKey',
  'serverVersion',
  'pluginsVersion',
  'baseUrl',
  'displayUrl',
  'displayUrlServicedeskHelpCenter',
  'productType',
  'description',
  'serviceEntitlementNumber',
  'entitlementId',
  'entitlementNumber',
  'capabilitySet',
  'installationId',
  'cloudId',
] as const;

export const factsOf = (
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    FACTS.flatMap((name) => {
      const value = fields[name];
      return typeof value === 'string' && value !== '' ? [[name, value]] : [];
    }),
  );

/** Runs a parser on each, and gathers what it refuses, with the line. */
export function gathered<T extends { readonly line: number }>(
  rows: readonly T[],
  parse: (row: T) => SourceRow | undefined,
): Source {
  const found: SourceRow[] = [];
  const problems: Problem[] = [];
  const lines = new Map<string, number>();
  let others = 0;
  for (const row of rows) {
    try {
      const one = parse(row);
      if (one === undefined) {
        others += 1;
        continue;
      }
      for (const name of namesOf(one)) {
        const earlier = lines.get(name);
        if (earlier !== undefined)
          throw new Problematic(`it is about the same tenant as line ${earlier}`);
        lines.set(name, one.line);
      }
      found.push(one);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Problematic)) throw error;
      problems.push({ line: row.line, says: error.message });
    }
  }
  return { rows: found, problems, others };
}

const namesOf = ({ name, row: { tenantKey } }: SourceRow): readonly string[] => [
  JSON.stringify([name]),
  ...(tenantKey === undefined ? [] : [JSON.stringify(['own id', tenantKey])]),
];

/** A clause about one row, without its values. */
export class Problematic extends Error {}

/** Checked as the function will check it again. */
export const checkedRow = (row: ImportRow): ImportRow => importRow(row, Date.now());
