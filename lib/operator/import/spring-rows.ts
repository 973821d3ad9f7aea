/**
 * Tenants of atlassian-connect-spring-boot: its table `atlassian_host` as CSV, of older versions
 * and of newer ones.
 */
import { csvRows, needColumns } from '../files/csv-rows.ts';
import { cellsRow } from './cells-row.ts';
import { gathered, type Source } from './framework-rows.ts';
import { storedAtIfClear, truthIn } from './typed-cells.ts';

/** Since its first version. Cloud id and installation came later. */
const NEEDED = ['client_key', 'shared_secret', 'addon_installed'] as const;

export function springRows(text: string, file: string): Source {
  const table = csvRows(text, file);
  needColumns(table, file, NEEDED);
  return gathered(table.rows, ({ line, fields }) => {
    const installed = fields['addoninstalled'];
    const changed = fields['lastmodifieddate'] ?? fields['createddate'];
    return {
      ...cellsRow(line, fields, storedAtIfClear(changed, 'last_modified_date')),
      isUninstalled: installed !== undefined && !truthIn(installed, 'addon_installed'),
    };
  });
}
