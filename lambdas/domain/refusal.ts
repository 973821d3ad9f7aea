/** The errors that are answers: final ones, and one transient one. */

/**
 * Atlassian's `errorResponseCode`s (protocol: data residency for Marketplace apps, realm
 * migration).
 */
export type RefusalCode = 'E0001' | 'E0002' | 'E0003' | 'E0004' | 'E9999';

/** A final no. With a code, Atlassian does not ask again. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: RefusalCode | undefined;
  constructor(status: 400 | 401 | 404 | 409 | 413, code: RefusalCode | undefined, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A transient failure: answered 503 without a code, so that Atlassian asks again. */
export class Fault extends Error {
  override readonly name: string = 'Fault';
}

/**
 * The request proves nothing: answered 401 with one body for all reasons; `message` is for the log
 * only.
 */
export class Unauthenticated extends Error {
  override readonly name = 'Unauthenticated';
}

/** A failure that no retry of the task mends. The state machine's retriers match its name. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError';
}

export const notScheduled = (id: string) =>
  new Refusal(404, 'E0001', `migration ${id} was never scheduled here`);
export const conflict = (message: string, code: RefusalCode = 'E9999') =>
  new Refusal(409, code, message);
export const invalid = (message: string) => new Refusal(400, 'E9999', message);
