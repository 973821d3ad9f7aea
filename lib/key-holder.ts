/**
 * DATA: the function whose environment names the key that its stack encrypts tables with. `doctor`
 * reads the key's ARN there.
 */
export const KEY_HOLDER = {
  entry: 'hooks/health',
  word: 'health',
  variable: 'TABLE_KEY_ARN',
} as const;
