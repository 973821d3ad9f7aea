/**
 * Atlassian's list of an app's installations, as a file: what `forge install list --json` prints,
 * what the App Installations API answers (all pages), or CSV and JSON of the columns that
 * docs/tenants.md names. Nothing in it is secret.
 */
import { defined } from '../../../lambdas/domain/defined.ts';
import { hostOf } from '../../../lambdas/domain/tenants/identity.ts';
import { cloudIdOf, installationIdOf } from '../../../lambdas/domain/tenants/importing.ts';
import { columnName, csvRows } from '../files/csv-rows.ts';
import { type Problem, refuseProblems } from '../files/file-text.ts';
import { jsonRows } from '../files/json-rows.ts';
import { Failure } from '../terminal/failure.ts';

export interface Entry {
  /** Line of the file. */
  readonly line: number;
  readonly clientKey?: string;
  readonly installationId?: string;
  readonly cloudId?: string;
  readonly host?: string;
  /** Those that are known to tell tenants of one site apart; absent where another one is named. */
  readonly products?: readonly string[];
  /** In lower case. */
  readonly environment?: string;
}

/** By the names of `columnName`. */
type Cells = Readonly<Record<string, unknown>>;

const NAMES = {
  clientKey: ['clientkey'],
  installationId: ['installationid', 'id'],
  cloudId: ['cloudid'],
  context: ['installationcontext', 'context'],
  site: ['site', 'siteurl', 'baseurl', 'host', 'hostname'],
  product: ['product', 'producttype', 'atlassianapps'],
  environment: ['environment', 'environmentkey', 'environmenttype'],
} as const;

/**
 * Columns of a report of licences, which is refused: a site whose licence has ended may have the
 * app installed, and the other way round.
 */
const OF_LICENCES: readonly string[] = ['addonlicenseid', 'licenseid', 'licensetype', 'tier'];

/**
 * Throws a sentence with line numbers where the file is no list of installations, or is not all of
 * it.
 */
export function installationsIn(text: string, file: string): readonly Entry[] {
  const rows = /^\s*[[{]/.test(text.replace(/^\uFEFF/, ''))
    ? jsonCells(text, file)
    : csvRows(text, file).rows.map(({ line, fields }) => ({ line, cells: fields as Cells }));
  const problems: Problem[] = [];
  const entries = rows.flatMap(({ line, cells }) => {
    if (OF_LICENCES.some((name) => name in cells))
      throw new Failure(`${file} is a list of licences, and not of installations`);
    const found = entryOf(line, cells);
    if (typeof found === 'object') return [found];
    problems.push({ line, says: found });
    return [];
  });
  refuseProblems(file, problems);
  if (entries.length === 0) throw new Failure(`${file} lists no installation: it is not compared`);
  return entries;
}

/** Pages of the API may stand one below the other, or in an array. */
function jsonCells(text: string, file: string) {
  const { rows, around } = jsonRows(text, file, ['installations']);
  let cursor = around['cursor'];
  const cells = rows.flatMap(({ line, value }) => {
    const fields: Readonly<Record<string, unknown>> = Object(value);
    const { installations } = fields;
    if (!Array.isArray(installations)) return [{ line, cells: spelled(fields) }];
    cursor = fields['cursor'];
    return installations.map((one: unknown) => ({ line, cells: spelled(Object(one)) }));
  });
  if (cursor !== undefined && cursor !== null)
    throw new Failure(`${file} is not the whole list: its last page has a cursor to the next one`);
  return cells;
}

const spelled = (fields: Cells): Cells =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [columnName(name), value]));

/** The entry, or what is wrong with it. */
function entryOf(line: number, cells: Cells): Entry | string {
  const text = (of: keyof typeof NAMES): string | undefined => {
    const value = NAMES[of].map((name) => cells[name]).find((one) => typeof one === 'string');
    return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
  };
  const id = text('installationId');
  const cloud = text('cloudId');
  const clientKey = text('clientKey');
  const contexts = contextsIn(text('context'), cells['secondaryinstallationcontexts']);
  const installationId = id && installationIdOf(id);
  const cloudId = cloudIdOf(cloud ?? contexts[0]?.cloudId ?? '');
  if (id !== undefined && installationId === undefined) return 'its installation id is malformed';
  if (cloud !== undefined && cloudId === undefined) return 'its cloud id is malformed';
  const host = hostIn(text('site'));
  if ([clientKey, installationId, cloudId, host].every((name) => name === undefined))
    return 'it names no installation: no id, cloud id, client key or site';
  const product = contexts.map((one) => one.product).join() || text('product');
  return {
    line,
    ...defined({
      clientKey,
      installationId,
      cloudId,
      host,
      products: productsIn(product),
      environment: text('environment')?.toLowerCase(),
    }),
  };
}

/** `ari:cloud:confluence::site/<cloud id>`; an installation in a second product has another one. */
function contextsIn(first: string | undefined, others: unknown) {
  return [first, ...(Array.isArray(others) ? others : [])].flatMap((context) => {
    const [, product, cloudId] = CONTEXT.exec(String(context)) ?? [];
    return product === undefined || cloudId === undefined ? [] : [{ product, cloudId }];
  });
}

const CONTEXT = /^ari:cloud:([a-z-]+)::site\/(.+)$/;

const hostIn = (site: string | undefined): string | undefined =>
  site === undefined ? undefined : hostOf(site.includes('://') ? site : `https://${site}`);

/** Those that this app's installations may be told apart by. */
const PRODUCTS: readonly string[] = ['jira', 'confluence'];

function productsIn(text: string | undefined): readonly string[] | undefined {
  const words = (text ?? '').toLowerCase().split(/,\s*/);
  return words.every((word) => PRODUCTS.includes(word)) ? words : undefined;
}
