/** The planner on objects: many small ones, one huge one, and tables beside them. */
import { expect, test } from 'vitest';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import { objectsOf } from '../../../lambdas/domain/planning/objects.ts';
import { estimateOf } from '../../../lambdas/domain/planning/window-fit.ts';
import { residency } from '../../../residency.config.ts';

const DOCUMENTS: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};
const TB = 1024 ** 4;
const GB = 1024 ** 3;
const at = '2026-12-01T00:00:00.000Z';

test('a million small objects wait for requests, and one of 5 TB for bytes', () => {
  const small = objectsOf(DOCUMENTS, { items: 1_000_000, bytes: 10 * GB });
  expect(small.copySeconds).toBeCloseTo(1_000, -1);
  expect(small.verifySeconds).toBeCloseTo(1_000, -1);
  expect(small.dollars).toBeCloseTo(7.24, 1);
  const huge = objectsOf(DOCUMENTS, { items: 1, bytes: 5 * TB });
  expect(huge.copySeconds).toBeCloseTo((5 * TB) / 5e9, 0);
  expect(huge.verifySeconds).toBeLessThan(1);
  // Between regions, a byte costs more than all requests.
  expect(huge.dollars).toBeCloseTo(102.5, 0);
});

test('bytes of objects are no write units of a table', () => {
  const parts = [...residency.parts, DOCUMENTS];
  const sizes = { templates: { items: 100, bytes: 100_000 } };
  const without = estimateOf({ at, parts: sizes }, residency.parts);
  const objects = { items: 10, bytes: 50 * GB };
  const all = estimateOf({ at, parts: { ...sizes, documents: objects } }, parts);
  expect(all.writeUnits).toBe(without.writeUnits);
  expect(all).toMatchObject({ limit: 'objects', bounds: without.bounds });
  expect(all.seconds).toBeLessThan(60);
});
