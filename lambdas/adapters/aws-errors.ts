/** Which errors of AWS mean "slower", and which mean "again". All others are final. */

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

/** The table, the partition or the account takes no more just now. */
export const isThrottle = (error: unknown): boolean =>
  error instanceof Error && THROTTLES.has(error.name);

/** A server fault, or no answer at all: nobody knows whether it happened. */
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
