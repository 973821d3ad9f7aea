/**
 * DATA: what our roles do with the key of a table, through DynamoDB. Their policies and the check
 * of a key go by it.
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
