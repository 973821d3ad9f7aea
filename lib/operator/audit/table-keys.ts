/** To which part a partition key, or a prefix, belongs where parts share a table or bucket. */

import type { DynamoDbPart, Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { isNoTenants } from '../../../lambdas/domain/datasets/key-declaration.ts';
import { makersOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { isRehearsalKey } from '../../../lambdas/domain/operating/rehearsal.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';

/** The parts of the dataset in a realm, by the table that they are in. */
export function partsByTable(
  { residency, names }: Pick<Operator, 'residency' | 'names'>,
  realm: Realm,
): ReadonlyMap<string, readonly [DynamoDbPart, ...DynamoDbPart[]]> {
  const tables = new Map<string, [DynamoDbPart, ...DynamoDbPart[]]>();
  for (const part of tablesOf(residency.parts)) {
    const table = names(realm).part(part);
    const known = tables.get(table);
    if (known === undefined) tables.set(table, [part]);
    else known.push(part);
  }
  return tables;
}

/** The part, of those in one place, that declares such keys; the first where none does. */
export const partOfKey = <P extends Part>(parts: readonly [P, ...P[]], key: string): P =>
  parts.find((part) => isDeclared(part, key)) ?? parts[0];

const isDeclared = (part: Part, key: string): boolean =>
  isRehearsalKey(part, key) ||
  isNoTenants(part.notOfTenants, key) ||
  makersOf(part, key).length > 0;
