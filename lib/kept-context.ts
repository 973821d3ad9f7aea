/**
 * What `"context"` in `cdk.json` keeps for every deployment. `cdk` reads it by itself; the command
 * line and the generated descriptor read it here, so that nothing has to be said twice.
 */
import { readFileSync } from 'node:fs';

const CDK_JSON = new URL('../cdk.json', import.meta.url);

/**
 * The realms that are deployed, between commas; `undefined` where all are. A list in the file is as
 * good as a text.
 */
export const keptRealms = (file: URL = CDK_JSON): string | undefined => kept('realms', file);

/**
 * The bootstrap of an account by which `cdk` deploys: its default, unless the file names another.
 */
export const bootstrapQualifier = (file: URL = CDK_JSON): string =>
  kept('@aws-cdk/core:bootstrapQualifier', file) ?? 'hnb659fds';

function kept(name: string, file: URL): string | undefined {
  const { context = {} }: { readonly context?: Readonly<Record<string, unknown>> } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const value = context[name];
  return value === undefined ? undefined : String(value);
}
