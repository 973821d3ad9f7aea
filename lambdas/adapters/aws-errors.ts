/**
 * Sorts AWS's errors into those that mean "slower", "again" and "never". Messages of AWS are not
 * passed on, because they may quote an item; the error's name, the call and the table are.
 */
import { Fault, PermanentError } from '../domain/refusal.ts';
import type { SdkCall } from './aws-clients.ts';

const THROTTLES = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
]);
const NETWORK = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
]);

/** The table, the partition or the account takes no more at the moment. */
export const isThrottle = (error: unknown): boolean =>
  error instanceof Error && THROTTLES.has(error.name);

/** A server fault, or no answer at all: it is unknown whether the call took effect. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'TimeoutError' || ('code' in error && NETWORK.has(String(error.code))))
    return true;
  return statusOf(error) >= 500;
}

function statusOf(error: Error): number {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata))
    return 0;
  return Number(metadata.httpStatusCode);
}

/**
 * No retry mends these: a missing table, a missing right, a key that may not be used, a request
 * that does not fit the table.
 */
const PERMANENT = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'ValidationException',
  'ItemCollectionSizeLimitExceededException',
]);
const isPermanent = ({ name }: Error): boolean => PERMANENT.has(name) || name.startsWith('KMS');

/** A call that may succeed when it is repeated. Has the name and the status of AWS's error. */
class FailedCall extends Fault {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };
  readonly code: string | undefined;
  constructor(message: string, error: Error) {
    super(message);
    this.name = error.name;
    this.$metadata = { httpStatusCode: statusOf(error) };
    this.code = codeOf(error);
  }
}

/** Turns an error of this call into ours. A failed condition is an answer, and stays as it is. */
export function errorOf(error: unknown, call: SdkCall): unknown {
  if (!(error instanceof Error) || error.name === 'ConditionalCheckFailedException') return error;
  const isOfAws = '$metadata' in error || isThrottle(error) || isTransient(error);
  if (!isOfAws) return error;
  const what = `${call.command} on ${call.resources.join(', ')} in ${call.region}`;
  return isPermanent(error)
    ? new PermanentError(`DynamoDB refuses ${what}: ${error.name}${meaningOf(error)}`)
    : new FailedCall(`DynamoDB fails ${what}: ${codeOf(error) ?? error.name}`, error);
}

/** Explains the names that alone do not tell an operator what to mend. */
function meaningOf({ name, message }: Error): string {
  if (/kms|encryption/i.test(message) || name.startsWith('KMS'))
    return ' (the encryption key of the table cannot be used)';
  if (name === 'ResourceNotFoundException') return ' (there is no such table or index)';
  if (name === 'ValidationException' && /schema|type mismatch|missing the key/i.test(message))
    return ' (the table has other keys than are declared)';
  return '';
}

function codeOf(error: Error): string | undefined {
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
