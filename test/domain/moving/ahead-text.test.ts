/** What is said of data that was copied ahead of a window, in each status of its migration. */
import { expect, test } from 'vitest';
import { aheadText } from '../../../lambdas/domain/moving/ahead-text.ts';
import type { Ahead, Status } from '../../../lambdas/domain/moving/migration.ts';

const BEGUN: Ahead = { begunAt: '2026-12-25T01:00:00.000Z' };
const FINISHED: Ahead = {
  ...BEGUN,
  finishedAt: '2026-12-25T02:00:00.000Z',
  items: 1_200,
  bytes: 34_567,
};
const STOPPED: Ahead = { ...BEGUN, stopped: 'stopped by operator ada' };
const WHOLE =
  'copied ahead to de from 2026-12-25T01:00:00.000Z to 2026-12-25T02:00:00.000Z: 1,200 items, 34,567 bytes';

test.each<[Status, Ahead, string]>([
  ['scheduled', BEGUN, 'is being copied ahead to de, not serving, since 2026-12-25T01:00:00.000Z'],
  ['scheduled', STOPPED, 'given up, de is not serving: stopped by operator ada'],
  ['scheduled', FINISHED, `${WHOLE}, not serving`],
  ['copying', BEGUN, 'copied ahead to de in part, from 2026-12-25T01:00:00.000Z on'],
  ['committed', FINISHED, WHOLE],
  ['rolling-back', FINISHED, `${WHOLE}, and is being discarded there`],
  ['rolled-back', FINISHED, `${WHOLE}, and discarded there`],
])('of a migration that is %s, with %o', (status, ahead, says) => {
  expect(aheadText({ status, target: 'de', ahead })).toBe(says);
});

test('nothing of a migration that nothing was copied ahead for', () => {
  expect(aheadText({ status: 'copying', target: 'de' })).toBeUndefined();
});
