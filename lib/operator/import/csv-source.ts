/** Tenants as CSV of the columns that docs/operator.md names, for apps of any framework. */
import { defined } from '../../../lambdas/domain/defined.ts';
import { columnName, csvRows } from '../files/csv-rows.ts';
import { Failure } from '../terminal/failure.ts';
import { cellsRow } from './cells-row.ts';
import { gathered, type Source } from './framework-rows.ts';
import { storedAtOf, truthIn } from './typed-cells.ts';

export const CSV_COLUMNS = [
  'client_key',
  'shared_secret',
  'installation_id',
  'cloud_id',
  'base_url',
  'product_type',
  'tenant_key',
  'realm',
  'stored_at',
  'installed',
] as const;

const KNOWN: readonly string[] = CSV_COLUMNS.map(columnName);

export function csvSource(text: string, file: string): Source {
  const { columns, rows } = csvRows(text, file);
  const strange = columns.findIndex((column) => !KNOWN.includes(column));
  // A misspelt column would be left out in silence.
  if (strange !== -1)
    throw new Failure(
      `${file} is refused: line 1: column ${strange + 1} is none of ${CSV_COLUMNS.join(', ')}`,
    );
  return gathered(rows, ({ line, fields }) => {
    const { realm, installed } = fields;
    return {
      ...cellsRow(line, fields, storedAtOf(fields['storedat'], 'stored_at')),
      isUninstalled: installed !== undefined && !truthIn(installed, 'installed'),
      ...defined({ realm }),
    };
  });
}
