/** The part kind over S3 keeps the contract of every part kind. */
import { describe } from 'vitest';
import { partKindContract } from '../../../contract/part-kind.contract.ts';
import { itemsInS3 } from '../../../support/s3-part-kind-host.ts';
import { SECOND } from '../../../support/second-s3.ts';

partKindContract('S3', (options) => itemsInS3(options), { isOfItems: false });

describe.skipIf(SECOND === undefined)('with a second S3 (skipped where SECOND_S3 names none)', () =>
  partKindContract('S3', (options) => itemsInS3(options, SECOND), {
    isOfItems: false,
    takesAnyKey: false,
  }),
);
