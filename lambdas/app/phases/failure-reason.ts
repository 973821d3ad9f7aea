/**
 * Why a task failed, from what Step Functions passes on: the message of an error of ours, and of
 * any other error only its name.
 */

/**
 * Reads the `{ Error, Cause }` of a Catch. Never returns a stack trace, or the message of an error
 * that is not ours.
 */
export function failureIn(failure: unknown): string {
  const { Error: name, Cause: cause }: { Error?: unknown; Cause?: unknown } = {
    ...(typeof failure === 'object' ? failure : {}),
  };
  try {
    const { errorMessage }: { errorMessage?: unknown } = JSON.parse(String(cause));
    const isOurs = name === 'PermanentError' || name === 'Fault';
    if (isOurs && typeof errorMessage === 'string') return errorMessage.slice(0, 300);
  } catch {
    // The error is not from one of our functions: its name says enough.
  }
  return `a task failed for good: ${String(name)}`;
}
