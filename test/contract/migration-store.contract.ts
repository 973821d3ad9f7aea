/** The contract of every store of migrations. */
import { describe, expect, test } from 'vitest';
import { type Migration, STATUSES } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { migrationRecord, rangeRecord, receiptOf } from '../support/builders.ts';
import { SECOND } from '../support/clock.ts';
import type { LedgerSuite } from './ledger-suite.ts';

const COMPLETE: Required<Omit<Migration, 'tenant'>> = {
  ...migrationRecord(),
  keyValues: {
    tenant: 'tenant-1',
    cloudId: 'cloud-1',
    installations: ['ari:cloud:ecosystem::installation/1'],
    tenantKey: '17',
  },
  lateInstallations: ['ari:cloud:ecosystem::installation/1'],
  facts: {
    location: 'de',
    startTime: '2026-12-26T00:00:00.000Z',
    endTime: '2026-12-26T02:00:00.000Z',
  },
  status: 'committing',
  phase: 'commit',
  attempt: 7,
  phaseBegan: 6,
  driven: 7,
  failedExecutions: 2,
  lastFailure: 'FAILED: a test says so',
  error: { code: 'E0004', reason: 'a test says so' },
  estimate: { at: '2026-12-25T12:00:00.000Z', items: 3, bytes: 99, seconds: 9, limit: 'cpu' },
  ahead: {
    begunAt: '2026-12-25T13:00:00.000Z',
    finishedAt: '2026-12-25T14:00:00.000Z',
    items: 3,
    bytes: 99,
    stopped: 'a test says so',
  },
  startedAt: '2026-12-26T00:00:00.000Z',
  startedIat: 1_798_243_200,
  projection: {
    at: '2026-12-26T00:15:00.000Z',
    endsAt: '2026-12-26T02:15:00.000Z',
    fraction: 0.125,
    beyond: 1,
  },
  pointOfNoReturn: '2026-12-26T03:00:00.000Z',
  checksums: {
    templates: {
      items: 3,
      bytes: 99,
      sum: 'f'.repeat(64),
      lastingItems: 2,
      lastingSum: '0'.repeat(64),
    },
  },
  restored: true,
  committedAt: '2026-12-26T04:00:00.000Z',
  halted: 'a test says so',
  expiresAt: 1_800_000_000,
};

export function migrationStoreContract({ the, ledger, clock, tenant, keyOf }: LedgerSuite): void {
  const store = () => ledger().migrations;
  const record = (rest: Partial<Migration> = {}) => migrationRecord({ tenant: tenant(), ...rest });
  const put = (rest: Partial<Migration> = {}, actor = 'schedule') => {
    const next = record(rest);
    return store().change(next, actor, () => next);
  };

  describe('of migrations', () => {
    test('keeps every field as it is, but for the time of the change', async () => {
      clock.advance(SECOND);
      await put(COMPLETE);
      const updatedAt = new Date(clock.now()).toISOString();
      expect(await store().read(keyOf())).toEqual({ ...COMPLETE, tenant: tenant(), updatedAt });
    });

    test('finds a migration only under its whole key', async () => {
      await put();
      expect(await store().read(keyOf('5750'))).toBeUndefined();
      expect(await store().read(keyOf('57500', 'de'))).toBeUndefined();
      expect(await store().read({ ...keyOf(), tenant: `${tenant()}0` })).toBeUndefined();
    });

    test('lists those of a tenant, and nothing else', async () => {
      await put({ id: '1' });
      await put({ id: '10', status: 'committed' });
      await put({ id: '2', ledger: 'de' });
      await store().change(record({ tenant: `${tenant()}0` }), 'schedule', () =>
        record({ tenant: `${tenant()}0` }),
      );
      await ledger().rangeRecords.put('us', keyOf('1'), rangeRecord());
      await ledger().receipts.write('us', receiptOf({ tenant: tenant(), id: '3' }));
      const ids = (await store().list('us', tenant())).map(({ id }) => id);
      expect([...ids].sort()).toEqual(['1', '10']);
    });

    test('loses none of two changes at once', async () => {
      await put();
      const raise = () =>
        store().change(
          keyOf(),
          'settle',
          (current) => current && { ...current, attempt: current.attempt + 1 },
        );
      await Promise.all([raise(), raise(), raise()]);
      expect((await store().read(keyOf()))?.attempt).toBe(3);
    });

    test('lets one of two racing steps win, and shows the other who did', async () => {
      await put({ status: 'ready-to-commit' });
      const step = (status: Migration['status']) =>
        store().change(keyOf(), status, (current) =>
          current?.status === 'ready-to-commit' ? { ...current, status } : undefined,
        );
      const [commit, rollback] = await Promise.all([step('committing'), step('rolling-back')]);
      expect([commit?.changed, rollback?.changed].filter(Boolean)).toHaveLength(1);
      expect(commit?.record?.status).toBe(rollback?.record?.status);
    });

    test('decides again when another writer wrote in between', async () => {
      await put();
      the().beforeNextWrite(async () => {
        await store().change(
          keyOf(),
          'rollback',
          (current) => current && { ...current, status: 'rolled-back' },
        );
      });
      const { changed, record: stands } = await store().change(keyOf(), 'start', (current) =>
        current?.status === 'scheduled' ? { ...current, status: 'copying' } : undefined,
      );
      expect([changed, stands?.status]).toEqual([false, 'rolled-back']);
    });

    test('removes', async () => {
      await put();
      expect(await store().change(keyOf(), 'janitor', () => 'remove')).toEqual({
        changed: true,
        record: undefined,
      });
      expect(await store().read(keyOf())).toBeUndefined();
    });
  });

  describe('of history', () => {
    test('has an entry for each change of status, with its actor and its time', async () => {
      await put();
      const at = new Date(clock.now()).toISOString();
      clock.advance(SECOND);
      await store().change(
        keyOf(),
        'start',
        (current) => current && { ...current, status: 'copying' },
      );
      await store().change(keyOf(), 'settle', (current) => current && { ...current, attempt: 5 });
      clock.advance(SECOND);
      const error = { code: 'E9999', reason: 'a test says so' } as const;
      await store().change(
        keyOf(),
        'janitor',
        (current) => current && { ...current, status: 'failed', error },
      );
      await store().change(keyOf(), 'janitor', () => undefined);
      const [first, second, third, ...others] = await store().history(keyOf());
      expect(first).toMatchObject({ status: 'scheduled', actor: 'schedule', at });
      expect(second).toMatchObject({ status: 'copying', actor: 'start' });
      expect(third).toMatchObject({ status: 'failed', actor: 'janitor', error });
      expect(others).toEqual([]);
    });

    test('also has what an operator did without moving the status, once for each attempt', async () => {
      await put({ status: 'copying', phase: 'copy', attempt: 1 });
      const next = (attempt: number, actor: string) =>
        store().change(keyOf(), actor, (current) => current && { ...current, attempt });
      await next(2, 'settle');
      await next(3, 'operator ada');
      await next(4, 'operator ada');
      await next(4, 'operator ada');
      const entries = (await store().history(keyOf())).slice(1);
      expect(entries.map(({ actor, attempt }) => `${actor} ${attempt}`)).toEqual([
        'operator ada 3',
        'operator ada 4',
      ]);
    });

    test('is that of one migration', async () => {
      await put({ id: '5' });
      await put({ id: '57' });
      expect(await store().history(keyOf('5'))).toHaveLength(1);
    });
  });

  describe('of what is open', () => {
    test('has every status but the final ones', async () => {
      for (const status of STATUSES) await put({ id: status, status });
      const open = (await store().open('us')).filter((migration) => migration.tenant === tenant());
      expect(open.map(({ id }) => id).sort()).toEqual(
        STATUSES.filter((status) => status !== 'committed' && status !== 'rolled-back').sort(),
      );
      for (const { id, status } of open) expect(status).toBe(id);
    });

    test('has one only until it is final, and again when it is rolled back', async () => {
      const isOpen = async () =>
        (await store().open('us')).some((migration) => migration.tenant === tenant());
      await put({ status: 'committing' });
      expect(await isOpen()).toBe(true);
      await put({ status: 'committed' });
      expect(await isOpen()).toBe(false);
      await put({ status: 'rolling-back' });
      expect(await isOpen()).toBe(true);
    });

    test('has what no facts are known of, and nothing of another realm', async () => {
      const { facts: _, ...withoutFacts } = record({ status: 'copying' });
      await store().change(keyOf(), 'start', () => withoutFacts);
      const openIn = async (realm: Realm) =>
        (await store().open(realm)).filter((found) => found.tenant === tenant());
      expect(await openIn('us')).toHaveLength(1);
      expect(await openIn('de')).toEqual([]);
    });
  });

  describe('of migrations whose replies are lost', () => {
    test('changes a migration once, and leaves one entry of history', async () => {
      the().loseReplies(1);
      expect(await put()).toMatchObject({ changed: true, record: { status: 'scheduled' } });
      clock.advance(SECOND);
      the().loseReplies(2);
      const raised = await store().change(
        keyOf(),
        'start',
        (current) => current && { ...current, status: 'copying', attempt: current.attempt + 1 },
      );
      expect(raised).toMatchObject({ changed: true, record: { attempt: 1 } });
      expect((await store().read(keyOf()))?.attempt).toBe(1);
      expect((await store().history(keyOf())).map(({ status }) => status)).toEqual([
        'scheduled',
        'copying',
      ]);
    });

    test('removes once', async () => {
      await put();
      the().loseReplies(1);
      expect(await store().change(keyOf(), 'janitor', () => 'remove')).toEqual({
        changed: true,
        record: undefined,
      });
    });
  });
}
