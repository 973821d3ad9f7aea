/** DATA: the buttons of the watch page. */
const ACTIONS = [
  'install',
  'schedule',
  'start',
  'commit',
  'cancel',
  'lose-reply',
  'kill-worker',
] as const;
export type Action = (typeof ACTIONS)[number];
export const isAction = (word: string): word is Action => ACTIONS.some((action) => action === word);

/** What became of an action, in a sentence for the page. */
export interface Outcome {
  readonly isDone: boolean;
  readonly message: string;
}
