/**
 * Checks a realm that the configuration has and this deployment leaves out. The functions of the
 * other realms never ask it. So where it was deployed once, a tenant of it could be installed a
 * second time elsewhere.
 */
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';
import { errorNameOf } from '../terminal/failure.ts';
import { bad, type Found, fine } from './check.ts';

/** AWS says so where the table is not there, and where the account has not enabled the region. */
const NOT_THERE = [
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
];

export async function leftOut(
  { clients, deployed, names }: Pick<Operator, 'clients' | 'deployed' | 'names'>,
  realm: Realm,
): Promise<Found> {
  const table = names(realm).tenants;
  try {
    await clients.dynamoDb(realm).send(new DescribeTableCommand({ TableName: table }));
  } catch (error) {
    const name = errorNameOf(error);
    if (NOT_THERE.includes(name)) return fine('it is not deployed, and no other realm asks it');
    // By --role: a realm that is not deployed has no role that could be taken.
    if (name === 'AccessDenied' || name === 'AccessDeniedException')
      return fine('nothing of it may be read: it is not deployed, or not for these credentials');
    throw error;
  }
  return bad(
    `it is left out of --realms ${deployed}, but its table ${table} is there: the other realms do not ask it whether a tenant lives in it`,
    `add ${realm} to the realms and deploy all of them again; only where the table holds no tenant, delete its stack instead`,
  );
}
