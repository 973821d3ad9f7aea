/** How slow a partition key is in a story of copying ahead, so that a person sees what it saves. */
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../../lambdas/domain/residency.ts';
import { writeCapacity } from '../dynamodb/write-capacity.ts';
import { STAGE } from '../host-setup.ts';

/** AWS takes 1,000 and then is as slow with a few million items as this is with a few thousand. */
const UNITS_PER_SECOND = 150;

/** For the option `inject` of the embedded DynamoDB: in one realm, to which the story moves. */
export function slowKeys(residency: Residency, realm: Realm): ReturnType<typeof writeCapacity> {
  const keys = tablesOf(residency.parts).map((part): [string, string] => [
    physicalNames(residency, STAGE, realm).part(part),
    part.partitionKey,
  ]);
  return writeCapacity({ unitsPerSecond: UNITS_PER_SECOND, keyOf: new Map(keys) });
}
