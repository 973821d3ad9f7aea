/** The contract of every store of measurements. */
import { expect, test } from 'vitest';
import type { LedgerSuite } from './ledger-suite.ts';

export function measurementStoreContract({ ledger, tenant }: LedgerSuite): void {
  const store = () => ledger().measurements;

  test('keeps the last count of a tenant, per realm', async () => {
    expect(await store().read('us', tenant())).toBeUndefined();
    const begun = {
      begunAt: '2026-12-25T12:00:00.000Z',
      ranges: {
        'templates/00': { items: 3, expired: 1, bytes: 99, complete: false, cursor: 'x' },
      },
    };
    await store().write('us', tenant(), begun);
    expect(await store().read('us', tenant())).toEqual(begun);
    const finished = { ...begun, finishedAt: '2026-12-25T12:01:00.000Z' };
    await store().write('us', tenant(), finished);
    expect(await store().read('us', tenant())).toEqual(finished);
    expect(await store().read('de', tenant())).toBeUndefined();
    const obstacles = { at: begun.begunAt, says: ['x'], complete: true, ranges: {} };
    await store().writeObstacles('us', tenant(), obstacles);
    await store().write('us', tenant(), begun);
    expect(await store().read('us', tenant())).toEqual({ ...begun, obstacles });
    await store().writeObstacles('de', tenant(), obstacles);
    expect(await store().read('de', tenant())).toMatchObject({ ranges: {}, obstacles });
    expect(await ledger().migrations.list('us', tenant())).toEqual([]);
  });
}
