/**
 * npm's `copy-dynamodb-table`, which has version 2 of the SDK: reads 25 items, writes 25 items, and
 * so on.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { CREDENTIALS, type Variant } from './job.ts';

const require = createRequire(import.meta.url);

/** It is a dependency of `bench/` alone: `npm ci --prefix bench`. */
export const isInstalled = (): boolean =>
  existsSync(new URL('../node_modules/copy-dynamodb-table', import.meta.url));

interface Side {
  readonly config: object;
  readonly tableName: string;
  readonly active: true;
}
type Copy = (
  options: { readonly source: Side; readonly destination: Side },
  done: (error: Error | null) => void,
) => void;

export const run: Variant = async (job, begin) => {
  process.env['AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE'] = '1';
  const { endpoint, sourceRegion, sourceTable, targetRegion, targetTable } = job;
  const { copy }: { copy: Copy } = require('copy-dynamodb-table');
  const side = (region: string, tableName: string): Side => ({
    config: { region, endpoint, ...CREDENTIALS },
    tableName,
    active: true,
  });
  await begin();
  await new Promise<void>((resolve, reject) => {
    copy(
      { source: side(sourceRegion, sourceTable), destination: side(targetRegion, targetTable) },
      (error) => (error ? reject(error) : resolve()),
    );
  });
};
