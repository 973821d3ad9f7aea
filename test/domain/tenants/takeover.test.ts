/** The opening of a realm for a tenant at `installed`. */
import { describe, expect, test } from 'vitest';
import {
  abandonOpening,
  beginOpening,
  elsewhere,
  finishOpening,
  takeOver,
} from '../../../lambdas/domain/tenants/takeover.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { TENANT, tenantRecord } from '../../support/builders.ts';

const arrival = {
  tenant: TENANT,
  credentials: { sharedSecret: 'secret-2', iat: 2_000 },
  installation: { displayUrl: 'new' },
};
const opening = (openingIat: number, rest: Partial<TenantRecord> = {}) =>
  tenantRecord({
    state: 'opening',
    openingIat,
    credentials: { sharedSecret: 'secret-1', iat: openingIat },
    ...rest,
  });

describe('an opening', () => {
  test('of a realm without a record ends active', () => {
    const begun = beginOpening(undefined, arrival);
    expect(begun).toEqual({ ...arrival, state: 'opening', openingIat: 2_000 });
    expect(finishOpening(begun, 2_000)).toEqual({ ...arrival, state: 'active' });
  });

  test('of a retired tenant keeps what is known of its moves, and ends active without a purge date', () => {
    const retired = tenantRecord({
      state: 'retired',
      uninstalledIat: 1_500,
      purgeDueAt: 9,
      keep: true,
      arrivedBy: '1',
      ledger: 'us',
      released: ['0'],
    });
    const begun = beginOpening(retired, arrival);
    expect(begun).toMatchObject({ state: 'opening', openingIat: 2_000, purgeDueAt: 9, keep: true });
    expect(finishOpening(begun, 2_000)).toEqual({
      ...arrival,
      state: 'active',
      arrivedBy: '1',
      ledger: 'us',
      released: ['0'],
    });
  });

  test('is not begun by an installation older than what is known', () => {
    expect(
      beginOpening(tenantRecord({ state: 'retired', uninstalledIat: 2_001 }), arrival),
    ).toBeUndefined();
    expect(
      beginOpening(
        tenantRecord({ state: 'retired', credentials: { sharedSecret: 'x', iat: 2_001 } }),
        arrival,
      ),
    ).toBeUndefined();
    expect(beginOpening(opening(2_001), arrival)).toBeUndefined();
  });

  test('is begun again by the same installation, and by a newer one', () => {
    expect(beginOpening(opening(2_000), arrival)).toMatchObject({ openingIat: 2_000 });
    expect(beginOpening(opening(1_999), arrival)).toMatchObject({
      openingIat: 2_000,
      credentials: arrival.credentials,
    });
  });

  test.each(['active', 'frozen', 'standby', 'moved', 'withdrawn'] as const)(
    'is not begun where the tenant is %s',
    (state) => {
      expect(beginOpening(tenantRecord({ state }), arrival)).toBeUndefined();
    },
  );

  test('is finished only by the installation that holds it', () => {
    expect(finishOpening(opening(2_000), 1_999)).toBeUndefined();
    expect(finishOpening(tenantRecord(), 1_000)).toBeUndefined();
    expect(finishOpening(undefined, 1_000)).toBeUndefined();
  });

  test('that is taken back leaves what was there: nothing, or a retired tenant', () => {
    expect(abandonOpening(opening(2_000), 2_000)).toBe('remove');
    expect(abandonOpening(opening(2_000, { purgeDueAt: 9 }), 2_000)).toMatchObject({
      state: 'retired',
      purgeDueAt: 9,
    });
    expect(abandonOpening(opening(2_000, { keep: true }), 2_000)).toMatchObject({
      state: 'retired',
      keep: true,
    });
    expect(abandonOpening(opening(2_000), 1_999)).toBeUndefined();
    expect(abandonOpening(tenantRecord(), 1_000)).toBeUndefined();
  });
});

describe('a take-over', () => {
  test('retires what serves, keeps its data, and needs a newer installation', () => {
    expect(takeOver(tenantRecord(), 2_000)).toEqual({
      ...tenantRecord(),
      state: 'retired',
      keep: true,
      uninstalledIat: 2_000,
    });
    expect(takeOver(tenantRecord(), 1_000)).toBeUndefined();
    expect(takeOver(tenantRecord(), 999)).toBeUndefined();
  });

  test.each(['frozen', 'standby', 'moved', 'withdrawn', 'retired', 'opening'] as const)(
    'takes nothing that is %s',
    (state) => {
      expect(takeOver(tenantRecord({ state }), 2_000)).toBeUndefined();
    },
  );
});

describe('what another realm’s record means', () => {
  test.each<[string, TenantRecord | undefined, string]>([
    ['no record', undefined, 'nothing'],
    ['active', tenantRecord(), 'serves'],
    ['frozen', tenantRecord({ state: 'frozen' }), 'in-move'],
    ['standby', tenantRecord({ state: 'standby' }), 'in-move'],
    ['withdrawn', tenantRecord({ state: 'withdrawn' }), 'in-move'],
    ['moved', tenantRecord({ state: 'moved' }), 'in-move'],
    ['a stub', tenantRecord({ state: 'moved', expiresAt: 1 }), 'nothing'],
    ['retired', tenantRecord({ state: 'retired' }), 'nothing'],
  ])('%s', (_, record, meaning) => expect(elsewhere(record, 'us', 'de', 2_000)).toBe(meaning));

  test('another opening: the newer one goes first, and of equally new ones the realm earlier in the alphabet', () => {
    expect(elsewhere(opening(1_999), 'de', 'us', 2_000)).toBe('opens-later');
    expect(elsewhere(opening(2_001), 'us', 'de', 2_000)).toBe('opens-first');
    expect(elsewhere(opening(2_000), 'de', 'us', 2_000)).toBe('opens-first');
    expect(elsewhere(opening(2_000), 'us', 'de', 2_000)).toBe('opens-later');
  });
});
