/** Where the tenants come from: which framework, and which file or table. */
import { fileText } from '../files/file-text.ts';
import type { Operator } from '../operator.ts';
import { UsageError } from '../terminal/failure.ts';
import { aceRows } from './ace-rows.ts';
import { aceTable } from './ace-table.ts';
import { csvSource } from './csv-source.ts';
import type { Source } from './framework-rows.ts';
import { springRows } from './spring-rows.ts';

export interface ImportOptions {
  readonly from: string;
  readonly file?: string;
  readonly table?: string;
  readonly region?: string;
  readonly realm?: string;
}

const PARSERS: Readonly<Record<string, (text: string, file: string) => Source>> = {
  ace: aceRows,
  spring: springRows,
  csv: csvSource,
};

/** Before anything is read. */
export function assertImportable(operator: Operator, options: ImportOptions): void {
  const { from, file, table, region, realm } = options;
  if (!(from in PARSERS))
    throw new UsageError(`--from is one of ${Object.keys(PARSERS).join(', ')}`);
  if (realm !== undefined) operator.realmNamed(realm);
  if (realm === undefined && from !== 'csv')
    throw new UsageError('which realm has their data? Say --realm');
  if ((file === undefined) === (table === undefined))
    throw new UsageError('say --file, or for ace --table and --region');
  if (table === undefined) {
    if (region !== undefined) throw new UsageError('--region belongs to --table');
    return;
  }
  if (from !== 'ace') throw new UsageError('--table is for ace alone');
  if (region === undefined || !/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region))
    throw new UsageError('--table wants --region, such as us-east-1');
}

export async function sourceOf(
  { clients }: Operator,
  { from, file, table, region }: ImportOptions,
): Promise<{ readonly source: Source; readonly origin: string }> {
  if (table !== undefined)
    return { source: await aceTable(clients, table, region ?? ''), origin: `table ${table}` };
  const parse = PARSERS[from];
  if (parse === undefined || file === undefined) throw new UsageError('say --file');
  return { source: parse(await fileText(file), file), origin: file };
}
