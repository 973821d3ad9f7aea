/** A copy waits for writers that this app does not know: only the vendor can say for how long. */
import { describe, expect, test } from 'vitest';
import type { Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { otherWritersSecondsOf } from '../../../lambdas/domain/datasets/other-writers.ts';
import { defineResidency } from '../../../lambdas/domain/residency.ts';
import { startLocalHost } from '../../../lib/local/host.ts';
import { residency } from '../../../residency.config.ts';

const parts = residency.parts;
const theirs: readonly Part[] = parts.map((part, at) =>
  at === 1 ? { ...part, tableName: (realm, stage) => `theirs-${stage}-${realm}` } : part,
);
const REFUSAL = 'part "exports" is a table of your own: set otherWritersSeconds';

describe('how long others may write', () => {
  test('is nothing where every table is ours, unless it is said', () => {
    expect(otherWritersSecondsOf({ parts })).toBe(0);
    expect(otherWritersSecondsOf({ parts, otherWritersSeconds: 30 })).toBe(30);
  });

  test('must be said where a table is the vendor’s own, also if it is nothing', () => {
    expect(() => otherWritersSecondsOf({ parts: theirs })).toThrow(REFUSAL);
    expect(otherWritersSecondsOf({ parts: theirs, otherWritersSeconds: 900 })).toBe(900);
    expect(otherWritersSecondsOf({ parts: theirs, otherWritersSeconds: 0 })).toBe(0);
  });

  test.each([-1, 0.5, 86_401, Number.NaN, Number.POSITIVE_INFINITY])('is not %s seconds', (value) =>
    expect(() => otherWritersSecondsOf({ parts, otherWritersSeconds: value })).toThrow(
      'a whole number of seconds from 0 to 86400',
    ),
  );

  test('is looked at when a configuration is loaded, and when the local host starts', async () => {
    const without = { ...residency, parts: theirs };
    expect(() => defineResidency(without)).toThrow(REFUSAL);
    await expect(startLocalHost({ residency: without, ephemeral: true })).rejects.toThrow(REFUSAL);
  });
});
