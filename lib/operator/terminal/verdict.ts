/** What a command found: for programs, for people, and for the exit code. */
export interface Verdict {
  /** What `--json` prints; its shape is part of docs/operator.md. */
  readonly report: unknown;
  /** What a terminal gets. */
  readonly text: string;
  /** `false` ends in exit code 1. */
  readonly isFine: boolean;
}
