/**
 * The fence: for each write on a tenant's record, its condition, its result, and that it acts only
 * for the migration that owns the record.
 */
import { describe, expect, test } from 'vitest';
import {
  claim,
  cleaned,
  close,
  freeze,
  kept,
  open,
  release,
  retire,
  stub,
  withCredentials,
  withdraw,
  withFactsOf,
  withUninstalled,
} from '../../../lambdas/domain/tenants/fence.ts';
import {
  arrivedBy,
  hasReleased,
  isInMove,
  type TenantRecord,
  type TenantState,
} from '../../../lambdas/domain/tenants/tenant.ts';
import { tenantRecord } from '../../support/builders.ts';

const NOW = 1_800_000_000_000;
const [M, N] = ['57500', 'other'];
const THIRTY_DAYS = 30 * 24 * 60 * 60;
const STATES: readonly TenantState[] = [
  'active',
  'frozen',
  'standby',
  'moved',
  'withdrawn',
  'retired',
  'opening',
];

const owned = (state: TenantState, migration = M, rest: Partial<TenantRecord> = {}): TenantRecord =>
  tenantRecord({ state, migration, ledger: 'us', fencedAt: 1, ...rest });
const arrived = (rest: Partial<TenantRecord> = {}) =>
  tenantRecord({ arrivedBy: M, ledger: 'us', ...rest });

/** By name: the write, and the records of M that it changes. */
const WRITES: Readonly<
  Record<
    string,
    readonly [
      write: (record: TenantRecord | undefined) => TenantRecord | undefined,
      from: readonly TenantState[],
    ]
  >
> = {
  close: [(record) => close(record, M, 'de'), ['frozen']],
  open: [(record) => open(record, M, NOW), ['standby']],
  withdraw: [(record) => withdraw(record, M, NOW), ['standby']],
  cleaned: [(record) => cleaned(record && { ...record, unclean: true }, M), ['standby']],
  stub: [(record) => stub(record, M, 1), ['moved']],
  kept: [(record) => kept(record && { ...record, expiresAt: 1 }, M), ['moved']],
};

describe.each(Object.entries(WRITES))('%s', (_, [write, from]) => {
  test.each(STATES)('looks at whose record it is: %s', (state) => {
    expect(write(owned(state)) !== undefined).toBe(from.includes(state));
    expect(write(owned(state, N))).toBeUndefined();
    expect(write(tenantRecord({ state }))).toBeUndefined();
  });

  test('writes nothing where there is no record', () => expect(write(undefined)).toBeUndefined());

  test('writes nothing the second time', () => {
    for (const state of from) {
      const once = write(owned(state));
      // Those two set the flag themselves, above.
      const twice =
        write === WRITES['cleaned']?.[0] || write === WRITES['kept']?.[0] ? undefined : write(once);
      expect(once).toBeDefined();
      expect(twice).toBeUndefined();
    }
  });
});

describe('freeze', () => {
  test('makes an active record the migration’s own, and says since when', () => {
    expect(freeze(tenantRecord(), M, 'us', NOW)).toEqual({
      ...tenantRecord(),
      state: 'frozen',
      migration: M,
      ledger: 'us',
      fencedAt: NOW,
    });
  });

  test.each(STATES.filter((state) => state !== 'active'))(
    'leaves a record alone that is %s',
    (state) => {
      expect(freeze(owned(state), M, 'us', NOW)).toBeUndefined();
      expect(freeze(owned(state, N), M, 'us', NOW)).toBeUndefined();
    },
  );

  test('never fences again for a migration that has let go', () => {
    expect(freeze(tenantRecord({ released: [N, M] }), M, 'us', NOW)).toBeUndefined();
    expect(freeze(tenantRecord({ released: [N] }), M, 'us', NOW)).toMatchObject({
      migration: M,
      released: [N],
    });
  });

  test('writes nothing where there is no record', () =>
    expect(freeze(undefined, M, 'us', NOW)).toBeUndefined());
});

describe('close', () => {
  test('names the new realm, and remembers the migration', () => {
    expect(close(owned('frozen', M, { released: [N] }), M, 'de')).toMatchObject({
      state: 'moved',
      migration: M,
      movedTo: 'de',
      released: [N, M],
    });
  });
});

describe('open', () => {
  test('makes the tenant active, arrived by the migration, and no longer its own', () => {
    expect(open(owned('standby'), M, NOW)).toEqual({
      ...tenantRecord(),
      arrivedBy: M,
      ledger: 'us',
    });
  });

  test('makes a tenant that was uninstalled retired', () => {
    expect(open(owned('standby', M, { uninstalledIat: 2_000 }), M, NOW)).toMatchObject({
      state: 'retired',
      arrivedBy: M,
      purgeDueAt: NOW / 1000 + THIRTY_DAYS,
    });
  });

  test('does not open what still holds data of an earlier residency', () => {
    expect(open(owned('standby', M, { unclean: true }), M, NOW)).toBeUndefined();
  });
});

describe('release', () => {
  test.each(['frozen', 'moved'] as const)(
    'makes a record active that is %s, and remembers the migration',
    (state) => {
      const fenced = owned(state, M, { movedTo: 'de', expiresAt: 1, released: [N] });
      expect(release(fenced, M, NOW)).toEqual({ ...tenantRecord(), released: [N, M] });
    },
  );

  test('makes a tenant that was uninstalled retired', () => {
    expect(release(owned('frozen', M, { uninstalledIat: 2_000 }), M, NOW)).toMatchObject({
      state: 'retired',
      purgeDueAt: NOW / 1000 + THIRTY_DAYS,
      released: [M],
    });
  });

  test('names the migration also in a record that another one owns, and changes nothing else', () => {
    for (const state of STATES) {
      expect(release(owned(state, N), M, NOW)).toEqual({ ...owned(state, N), released: [M] });
    }
  });

  test('writes nothing the second time, nor where there is no record', () => {
    expect(release(release(owned('frozen'), M, NOW), M, NOW)).toBeUndefined();
    expect(release(release(tenantRecord(), M, NOW), M, NOW)).toBeUndefined();
    expect(release(undefined, M, NOW)).toBeUndefined();
  });

  test('remembers the last 50', () => {
    const released = Array.from({ length: 50 }, (_, number) => String(number));
    expect(release(tenantRecord({ released }), M, NOW)?.released).toEqual([
      ...released.slice(1),
      M,
    ]);
  });

  test('is not what closing leaves: that has a fence beside the same mark', () => {
    expect(hasReleased(close(owned('frozen'), M, 'de'), M)).toBe(false);
    expect(hasReleased(release(owned('frozen'), M, NOW), M)).toBe(true);
    expect(hasReleased(tenantRecord(), M)).toBe(false);
  });
});

describe('withdraw', () => {
  test('takes a target that never served, and notes nothing', () => {
    const withdrawn = withdraw(owned('standby'), M, NOW);
    expect(withdrawn).toMatchObject({ state: 'withdrawn', migration: M, fencedAt: NOW });
    expect(withdrawn?.wasOpen).toBeUndefined();
  });

  test.each(['active', 'retired'] as const)(
    'takes a target that has served and is %s, and notes that it has',
    (state) => {
      const withdrawn = withdraw(arrived({ state, purgeDueAt: 1 }), M, NOW);
      expect(withdrawn).toMatchObject({
        state: 'withdrawn',
        migration: M,
        wasOpen: true,
        fencedAt: NOW,
      });
      expect(withdrawn?.purgeDueAt).toBeUndefined();
    },
  );

  test('leaves a target alone that came by another migration, or is in the next move', () => {
    expect(withdraw(arrived({ arrivedBy: N }), M, NOW)).toBeUndefined();
    expect(withdraw(arrived({ state: 'frozen', migration: N }), M, NOW)).toBeUndefined();
    expect(withdraw(arrived({ state: 'moved', migration: N }), M, NOW)).toBeUndefined();
  });
});

describe('claim', () => {
  const source = tenantRecord({
    state: 'frozen',
    migration: M,
    ledger: 'us',
    fencedAt: 1,
    released: ['of source'],
  });

  test('puts a whole record where there is none', () => {
    expect(claim(undefined, source, M, 'us')).toEqual({
      ...tenantRecord(),
      state: 'standby',
      migration: M,
      ledger: 'us',
    });
  });

  test('takes the flag of an uninstallation along', () => {
    expect(claim(undefined, { ...source, uninstalledIat: 2_000 }, M, 'us')).toMatchObject({
      uninstalledIat: 2_000,
    });
  });

  test('takes the place of a stub, and of its expiry, and remembers who had let go', () => {
    const over = owned('moved', N, { expiresAt: 1, movedTo: 'us', released: [N] });
    expect(claim(over, source, M, 'us')).toEqual({
      ...tenantRecord(),
      state: 'standby',
      migration: M,
      ledger: 'us',
      released: [N],
    });
  });

  test('takes the place of a retired tenant and of its purge date, and must clear its data first', () => {
    const over = tenantRecord({ state: 'retired', uninstalledIat: 1_500, purgeDueAt: 5 });
    const claimed = claim(over, source, M, 'us');
    expect(claimed).toEqual({
      ...tenantRecord(),
      state: 'standby',
      migration: M,
      ledger: 'us',
      unclean: true,
    });
    expect(cleaned(claimed, M)?.unclean).toBeUndefined();
    expect(cleaned(cleaned(claimed, M), M)).toBeUndefined();
  });

  test.each<[string, TenantRecord]>([
    ['is active', tenantRecord()],
    ['is opening', tenantRecord({ state: 'opening', openingIat: 1 })],
    ['is a source that has only just been closed', owned('moved', N)],
    ['is fenced', owned('frozen', N)],
    ['is claimed by another migration', owned('standby', N)],
    ['is its own already', owned('standby')],
    ['is withdrawn', owned('withdrawn')],
    ['was kept by a take-over', tenantRecord({ state: 'retired', keep: true })],
  ])('leaves alone what %s', (_, record) => expect(claim(record, source, M, 'us')).toBeUndefined());
});

describe('stub', () => {
  test('keeps what verifies late hooks, and nothing of the installation', () => {
    const moved = owned('moved', M, { movedTo: 'de', arrivedBy: N });
    expect(stub(moved, M, 77)).toEqual({
      tenant: moved.tenant,
      state: 'moved',
      credentials: moved.credentials,
      installation: {},
      product: 'confluence',
      migration: M,
      ledger: 'us',
      fencedAt: 1,
      movedTo: 'de',
      expiresAt: 77,
    });
  });

  test('is kept for a rollback: its expiry goes', () => {
    const stubbed = stub(owned('moved'), M, 77);
    expect(kept(stubbed, M)).toMatchObject({ state: 'moved', migration: M });
    expect(kept(stubbed, M)?.expiresAt).toBeUndefined();
    expect(kept(kept(stubbed, M), M)).toBeUndefined();
    expect(kept(stubbed, N)).toBeUndefined();
  });

  test('is no part of a move any more', () => {
    expect(isInMove(owned('moved'))).toBe(true);
    expect(isInMove(owned('moved', M, { expiresAt: 1 }))).toBe(false);
    expect(STATES.filter((state) => isInMove(tenantRecord({ state })))).toEqual([
      'frozen',
      'standby',
      'moved',
      'withdrawn',
    ]);
  });
});

describe('credentials', () => {
  const newer = { sharedSecret: 'secret-2', iat: 2_000 };

  test.each(STATES)('are replaced by newer ones, and a record that is %s stays so', (state) => {
    const renewed = withCredentials(owned(state), newer, { displayUrl: 'new' });
    expect(renewed).toEqual({
      ...owned(state),
      credentials: newer,
      installation: { displayUrl: 'new' },
    });
  });

  test('are not replaced by older ones', () => {
    const record = tenantRecord({ credentials: newer });
    expect(withCredentials(record, { sharedSecret: 'secret-1', iat: 1_999 })).toBeUndefined();
    expect(withCredentials(undefined, newer)).toBeUndefined();
  });

  test('come without facts into a stub', () => {
    const stubbed = stub(owned('moved'), M, 77);
    expect(withCredentials(stubbed, newer, { displayUrl: 'new' })).toMatchObject({
      installation: {},
      credentials: newer,
    });
  });

  test('that are newer than an uninstallation take it back, and older ones do not', () => {
    const flagged = owned('frozen', M, { uninstalledIat: 1_500 });
    expect(withCredentials(flagged, newer)?.uninstalledIat).toBeUndefined();
    expect(withCredentials(flagged, { ...newer, iat: 1_400 })?.uninstalledIat).toBe(1_500);
  });

  test('and an uninstallation of another record come along only where they are newer', () => {
    const [old, recent] = [
      tenantRecord(),
      tenantRecord({ credentials: newer, installation: { displayUrl: 'new' } }),
    ];
    expect(withFactsOf(old, recent)).toEqual(recent);
    expect(withFactsOf(recent, old)).toEqual(recent);
    expect(withFactsOf(old, { ...old, uninstalledIat: 3_000 })?.uninstalledIat).toBe(3_000);
    expect(withFactsOf(recent, { ...old, uninstalledIat: 1_500 })?.uninstalledIat).toBeUndefined();
    // Uninstalled and installed again within one second; the other record does not have the
    // installation yet.
    expect(withFactsOf(recent, { ...old, uninstalledIat: 2_000 })?.uninstalledIat).toBeUndefined();
    expect(withFactsOf(recent, { ...recent, uninstalledIat: 2_000 })?.uninstalledIat).toBe(2_000);
  });
});

describe('an uninstallation', () => {
  test('retires an active tenant, whose data is kept for 30 days', () => {
    expect(retire(tenantRecord(), 2_000, NOW)).toEqual({
      ...tenantRecord(),
      state: 'retired',
      uninstalledIat: 2_000,
      purgeDueAt: NOW / 1000 + THIRTY_DAYS,
    });
  });

  test.each(STATES.filter((state) => state !== 'active'))('retires nobody who is %s', (state) => {
    expect(retire(owned(state), 2_000, NOW)).toBeUndefined();
  });

  test('is a flag beside any fence', () => {
    for (const state of STATES)
      expect(withUninstalled(owned(state), 2_000)).toEqual({
        ...owned(state),
        uninstalledIat: 2_000,
      });
  });

  test('is ignored when it is older than the installation, or than another uninstallation', () => {
    expect(retire(tenantRecord(), 999, NOW)).toBeUndefined();
    expect(withUninstalled(owned('frozen'), 999)).toBeUndefined();
    expect(withUninstalled(owned('frozen', M, { uninstalledIat: 2_000 }), 2_000)).toBeUndefined();
    expect(withUninstalled(owned('frozen', M, { uninstalledIat: 2_000 }), 1_999)).toBeUndefined();
    expect(withUninstalled(undefined, 2_000)).toBeUndefined();
  });
});

describe('the steps of a migration, one after the other', () => {
  test('of a commit leave one realm that serves, at every instant', () => {
    const serves = (record: TenantRecord | undefined) =>
      record?.state === 'active' || record?.state === 'frozen';
    let [from, to]: readonly (TenantRecord | undefined)[] = [tenantRecord(), undefined];
    from = freeze(from, M, 'us', NOW) ?? from;
    to = claim(to, from ?? tenantRecord(), M, 'us');
    expect([serves(from), serves(to)]).toEqual([true, false]);
    from = close(from, M, 'de');
    expect([serves(from), serves(to)]).toEqual([false, false]);
    to = open(to, M, NOW);
    expect([serves(from), serves(to)]).toEqual([false, true]);
    expect(arrivedBy(to, M)).toBe(true);
    to = withdraw(to, M, NOW);
    expect([serves(from), serves(to)]).toEqual([false, false]);
    from = release(from, M, NOW);
    expect([serves(from), serves(to)]).toEqual([true, false]);
    expect(freeze(from, M, 'us', NOW)).toBeUndefined();
  });
});
