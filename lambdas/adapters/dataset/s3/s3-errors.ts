/** Sorts S3's errors into those that mean "slower", "not there" and "never". */
import { Fault, PermanentError } from '../../../domain/refusal.ts';
import { isTransient } from '../../aws-errors.ts';

const SLOW_DOWNS = new Set(['SlowDown', 'ServiceUnavailable', 'ThrottlingException']);
const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchVersion']);

/** The answer to a HEAD request has no body, and so its status alone tells. */
export const isSlowDown = (error: unknown): boolean =>
  error instanceof Error && (SLOW_DOWNS.has(error.name) || statusOf(error) === 503);

/** There is no such object, or its current version is a delete marker. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && MISSING.has(error.name);

export const isNoUpload = (error: unknown): boolean =>
  error instanceof Error && error.name === 'NoSuchUpload';

/** The object is another one than a condition says. */
export const isReplaced = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'PreconditionFailed' || statusOf(error) === 412);

export const statusOf = (error: Error): number => {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
    ? Number(metadata.httpStatusCode)
    : 0;
};

/** Explains the names that alone do not tell an operator what to mend. */
const MEANINGS: Readonly<Record<string, string>> = {
  NoSuchBucket: ' (there is no such bucket)',
  InvalidObjectState: ' (an object is archived, and has to be restored first)',
  PermanentRedirect: ' (the bucket is in another region)',
  AuthorizationHeaderMalformed: ' (the bucket is in another region)',
};

/**
 * Turns an error of S3 into ours. Messages of S3 are not passed on, because they may name an
 * object.
 */
export function s3Error(error: unknown, command: string, bucket: string): unknown {
  if (!(error instanceof Error) || error instanceof PermanentError || error instanceof Fault)
    return error;
  if (!('$metadata' in error) && !isTransient(error)) return error;
  const what = `${command} on bucket ${bucket}`;
  if (isSlowDown(error) || isTransient(error)) return new Fault(`S3 fails ${what}: ${error.name}`);
  return new PermanentError(`S3 refuses ${what}: ${error.name}${MEANINGS[error.name] ?? ''}`);
}
