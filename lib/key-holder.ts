/** DATA: the function that is told which key its stack encrypts tables with, so that `doctor` can ask it for the ARN. */
export const KEY_HOLDER = {
  entry: 'hooks/health',
  word: 'health',
  variable: 'TABLE_KEY_ARN',
} as const;
