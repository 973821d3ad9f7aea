/** Settings in words, the same for the command line, its questions, and the function's answer. */
import type { Settings, SettingsChange } from './settings.ts';
import { withCommas } from './with-commas.ts';

/** The words for each value of each setting; `null` removes a setting. */
const WORDS: { readonly [Name in keyof Settings]-?: (value: SettingsChange[Name]) => string } = {
  noNewMoves(isOff) {
    if (isOff === null) return 'new moves by default';
    return isOff ? 'new moves off' : 'new moves on';
  },
  concurrency: (ranges) =>
    ranges === null
      ? 'concurrency by default'
      : `concurrency ${ranges} (ranges of one move at once)`,
  rateLimit: (items) =>
    items === null
      ? 'rate limit by default'
      : `rate limit ${withCommas(items ?? 0)} items a second (of one move in one table)`,
};

/** The words for all settings in `settings`. */
export function settingsWords(settings: SettingsChange): readonly string[] {
  const { noNewMoves, concurrency, rateLimit } = settings;
  return [
    ...(noNewMoves === undefined ? [] : [WORDS.noNewMoves(noNewMoves)]),
    ...(concurrency === undefined ? [] : [WORDS.concurrency(concurrency)]),
    ...(rateLimit === undefined ? [] : [WORDS.rateLimit(rateLimit)]),
  ];
}

export const SETTING_NAMES: readonly (keyof Settings)[] = [
  'noNewMoves',
  'concurrency',
  'rateLimit',
];
