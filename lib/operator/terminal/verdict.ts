/** The result of a command: for programs, for people, and for the exit code. */
export interface Verdict {
  /** What `--json` prints; its shape is part of docs/operator.md. */
  readonly report: unknown;
  /** The text for a terminal. */
  readonly text: string;
  /** `false` ends in exit code 1. */
  readonly isFine: boolean;
}
