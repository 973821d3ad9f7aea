/** How one check of `preflight` becomes rows: its findings, or what kept it from looking. */
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { bad, type Check, type Found } from '../doctor/check.ts';
import { errorNameOf, sentenceOf } from '../terminal/failure.ts';

export type Look = () => Promise<readonly Found[]>;

export async function checked(
  realm: Realm | 'all',
  check: string,
  look: Look,
): Promise<readonly Check[]> {
  const found = await look().catch((error: unknown) => [unseen(error)]);
  return found.map((one) => ({ realm, check, ...one }));
}

const REFUSALS = /AccessDenied|Unauthorized|NotAuthorized/;

/** Takes only the name of the right from AWS's sentence: the rest may quote what was sent. */
function unseen(error: unknown): Found {
  const name = errorNameOf(error);
  if (!REFUSALS.test(name)) return bad(sentenceOf(error), 'run preflight again when it is mended');
  const message = error instanceof Error ? error.message : '';
  const right = /perform: ([a-z0-9]+:[A-Za-z]+)/.exec(message)?.[1];
  return bad(
    `these credentials may not look (${right ?? name})`,
    'add the policy of docs/deploy.md, "Before the first deployment", to whoever runs this',
  );
}

/** AWS says by one of these names that something is not there. */
export const isNamed = (error: unknown, ...names: readonly string[]): boolean =>
  names.includes(errorNameOf(error));
