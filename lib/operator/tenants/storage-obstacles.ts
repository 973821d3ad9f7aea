/**
 * What stands in the way of a tenant's move in its storage: the function `measure` looks, because
 * an operator may count objects, and may not read one.
 */
import { kindOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { Looked } from '../../../lambdas/domain/planning/obstacles.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { invoked } from '../acting/act.ts';
import type { Operator } from '../operator.ts';
import { Failure } from '../terminal/failure.ts';

/** Nothing is asked where no part can have such obstacles. One turn of up to five minutes. */
export async function lookedAt(operator: Operator, realm: Realm, tenant: string): Promise<Looked> {
  if (!operator.residency.parts.some((part) => kindOf(part).hasObstacles))
    return { says: [], complete: true };
  const answer = await asked(operator, realm, tenant);
  const { refused }: { refused?: unknown } = Object(answer);
  if (typeof refused === 'string') throw new Failure(refused);
  if (!isLooked(answer)) throw new Failure('the function measure gave no answer');
  return answer;
}

async function asked(operator: Operator, realm: Realm, tenant: string): Promise<unknown> {
  try {
    return await invoked(operator, realm, 'measure', { tenant });
  } catch (error) {
    if (error instanceof Error && error.name === 'AccessDeniedException')
      throw new Failure(
        'the function measure looks at objects, and only the role operator-act may call it: --role operator-act',
      );
    throw error;
  }
}

const isLooked = (value: unknown): value is Looked =>
  typeof value === 'object' && value !== null && 'says' in value && 'complete' in value;

export const NOT_ALL_LOOKED_AT =
  'not all objects are looked at yet: the same command again goes on where this one ended';
