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
export function keptRealms(file: URL = CDK_JSON): string | undefined {
  const { context }: { readonly context?: { readonly realms?: unknown } } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return context?.realms === undefined ? undefined : String(context.realms);
}
