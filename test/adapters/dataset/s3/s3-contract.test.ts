/** The part kind over S3 keeps the contract of every part kind. */
import { partKindContract } from '../../../contract/part-kind.contract.ts';
import { itemsInS3 } from '../../../support/s3-part-kind-host.ts';

partKindContract('S3', itemsInS3, { isOfItems: false });
