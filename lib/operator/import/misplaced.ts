/**
 * Whether new tenants have their items in the realm that they are imported into. A record in the
 * wrong realm would make the app look for its data where none is, and a move would find nothing to
 * move.
 */
import { concurrently } from '../../../lambdas/app/concurrently.ts';
import { rangesOf } from '../../../lambdas/domain/datasets/dataset.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';

interface Placed {
  readonly line: number;
  readonly values: KeyValues;
  readonly to: Realm;
}

/**
 * Why each of those should not be written, by its line. Of a tenant without any item, nothing is
 * said.
 */
export async function misplaced(
  operator: Operator,
  rows: readonly Placed[],
): Promise<ReadonlyMap<number, string>> {
  const found = await concurrently(rows, async ({ line, values, to }) => {
    if (await hasItems(operator, to, values)) return undefined;
    for (const realm of operator.realms)
      if (realm !== to && (await hasItems(operator, realm, values)))
        return [line, `its items are in realm ${realm}, and none are in ${to}`] as const;
    return undefined;
  });
  return new Map(found.filter((one) => one !== undefined));
}

async function hasItems(
  { partKind, residency }: Pick<Operator, 'partKind' | 'residency'>,
  realm: Realm,
  values: KeyValues,
): Promise<boolean> {
  const ranges = rangesOf(residency.parts, values);
  const empty = await Promise.all(ranges.map((range) => partKind.isEmpty(range, realm)));
  return empty.includes(false);
}
