/**
 * Answers that any function of the app may give. They tell the caller nothing that it did not know.
 */

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The request proves nothing, or its tenant is not installed here: the same answer for both. */
export const UNAUTHORIZED: Answer = {
  status: 401,
  headers: {},
  body: { message: 'Unauthorized' },
};

/** A fault, which may be over a moment later. */
export const UNAVAILABLE: Answer = {
  status: 503,
  headers: { 'retry-after': '5' },
  body: { message: 'Temporarily unavailable' },
};
