/** Answers that are the same from whichever function of the app: they tell the caller nothing that it did not know. */

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** The request proves nothing, or its tenant is not installed here: one and the same answer. */
export const UNAUTHORIZED: Answer = {
  status: 401,
  headers: {},
  body: { message: 'Unauthorized' },
};

/** A fault: a moment later it may be over. */
export const UNAVAILABLE: Answer = {
  status: 503,
  headers: { 'retry-after': '5' },
  body: { message: 'Temporarily unavailable' },
};
