/** The part kind over DynamoDB keeps its contract on a second DynamoDB, where there is one. */
import { describe } from 'vitest';
import { partKindContract } from '../../contract/part-kind.contract.ts';
import { dynamoDbPartKindHost } from '../../support/dynamodb-part-kind-host.ts';

/** Its address, for instance that of moto's server. */
const SECOND = process.env['SECOND_DYNAMODB'];

describe.skipIf(SECOND === undefined)(
  'with a second DynamoDB (skipped where SECOND_DYNAMODB names none)',
  () =>
    partKindContract(
      'DynamoDB',
      (options) => dynamoDbPartKindHost(options, { elsewhere: SECOND ?? '' }),
      // moto 5 changes an attribute without a name, and says the same capacity of each read.
      { isExact: false },
    ),
);
