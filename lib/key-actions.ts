/**
 * DATA: what our roles do with the key of a table, through DynamoDB, and with that of a bucket,
 * through S3. Their policies and the check of a key go by it.
 */

export const READ_WITH_KEY: readonly string[] = ['kms:Decrypt', 'kms:DescribeKey'];

/** The same actions as in the policy of the realm's own key. */
export const WRITE_WITH_KEY: readonly string[] = [
  ...READ_WITH_KEY,
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** S3 decrypts an object, or a checksum of it. It makes no grant, and does not describe the key. */
export const READ_OBJECTS_WITH_KEY: readonly string[] = ['kms:Decrypt'];

/** S3 takes a data key for each object, and decrypts parts to make one object of them. */
export const WRITE_OBJECTS_WITH_KEY: readonly string[] = [
  ...READ_OBJECTS_WITH_KEY,
  'kms:GenerateDataKey',
];
