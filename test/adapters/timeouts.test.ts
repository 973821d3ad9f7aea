/** A server on this machine has more time to answer than one elsewhere. */
import { expect, test } from 'vitest';
import { timeoutFor } from '../../lambdas/adapters/timeouts.ts';

test.each([
  [undefined, 2_000],
  ['https://connect-install-keys.atlassian.com/kid', 2_000],
  ['https://dynamodb.eu-central-1.amazonaws.com', 2_000],
  ['https://127.example.com', 2_000],
  ['https://localhost.example.com', 2_000],
  ['http://127.0.0.1:8000', 20_000],
  ['http://127.1.2.3', 20_000],
  ['http://localhost:8000/kid', 20_000],
  ['http://[::1]:8000', 20_000],
])('a request to %s may take %i ms', (url, expected) => {
  expect(timeoutFor(url, 2_000)).toBe(expected);
});
