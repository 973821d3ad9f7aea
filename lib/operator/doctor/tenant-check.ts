/** The check of `doctor` on one tenant: whether its items are where the parts are declared. */
import { misplacement, unknownIn } from '../../../lambdas/domain/datasets/key-placement.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { emptyPartsWithLookAlikes } from '../audit/look-alikes.ts';
import { keyValuesIn, type Operator, partCountsOf } from '../operator.ts';
import { printable } from '../terminal/print.ts';
import { bad, type Found, fine } from './check.ts';

/**
 * In a realm that serves the tenant: a part that holds nothing of it, while its table has keys that
 * look like the tenant's, is declared with other keys than the table has.
 */
export async function tenantCheck(
  operator: Operator,
  realm: Realm,
  tenant: string,
): Promise<Found> {
  const { residency, tenants } = operator;
  const record = await tenants.read(realm, tenant);
  if (record === undefined) return fine(`${printable(tenant)} is not here`);
  if (record.state !== 'active' && record.state !== 'frozen')
    return fine(`${printable(tenant)} is ${record.state} here`);
  const values = await keyValuesIn(operator, tenant);
  const unplaced = unknownIn(residency.parts, values) ?? misplacement(residency.parts, values);
  if (unplaced !== undefined)
    return bad(
      `${printable(tenant)} cannot be moved: ${printable(unplaced)}`,
      'give it the missing value by residency import; a tenant whose form does not fit needs other keys',
    );
  const counts = await partCountsOf(operator, realm, values);
  const alike = await emptyPartsWithLookAlikes(operator, realm, counts, values);
  if (alike.length > 0)
    return bad(
      alike.map((says) => printable(says)).join('; '),
      'declare the part as its table has it: a move would leave these items behind, and not notice it',
    );
  const items = counts.reduce((sum, part) => sum + part.items, 0);
  const empty = counts.filter((part) => part.items + part.expired === 0).map(({ part }) => part);
  return fine(
    `${items} items of ${printable(tenant)}${empty.length > 0 ? `; none in ${empty.join(', ')}, and nothing that looks like them` : ''}`,
  );
}
