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
