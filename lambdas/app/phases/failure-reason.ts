/** Why a task failed, as Step Functions hands it on: the message of an error of ours, and of any other only the name. */

/** `{ Error, Cause }` of a Catch. Never a stack trace, and never what somebody else's error says. */
export function failureIn(failure: unknown): string {
  const { Error: name, Cause: cause }: { Error?: unknown; Cause?: unknown } = {
    ...(typeof failure === 'object' ? failure : {}),
  };
  try {
    const { errorMessage }: { errorMessage?: unknown } = JSON.parse(String(cause));
    const isOurs = name === 'PermanentError' || name === 'Fault';
    if (isOurs && typeof errorMessage === 'string') return errorMessage.slice(0, 300);
  } catch {
    // Not the cause of a Lambda: its name says enough.
  }
  return `a task failed for good: ${String(name)}`;
}
