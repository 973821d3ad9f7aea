/** What operators can change while the system runs, per realm and per tenant. */
export interface Settings {
  /** New schedules are refused with E0003. */
  readonly noNewMoves: boolean;
}

export const DEFAULT_SETTINGS: Settings = { noNewMoves: false };
