/** What every ledger promises. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Bucket, type Digest, EMPTY_DIGEST } from '../../lambdas/domain/datasets/digest.ts';
import {
  type Migration,
  type MigrationKey,
  STATUSES,
} from '../../lambdas/domain/moving/migration.ts';
import type { RangeRecord } from '../../lambdas/domain/moving/range-record.ts';
import type { Receipt, ReceiptLink } from '../../lambdas/domain/moving/receipt.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Fault } from '../../lambdas/domain/refusal.ts';
import type { Clock, MigrationLedger } from '../../lambdas/ports.ts';
import { migrationRecord, rangeRecord, receiptOf } from '../support/builders.ts';
import { manualClock, SECOND } from '../support/clock.ts';
import type { CollectedLog } from '../support/log.ts';
import { settingsContract } from './ledger-settings.ts';

export interface LedgerHost {
  readonly ledger: MigrationLedger;
  readonly log: CollectedLog;
  /** Writes into the item of a tenant's settings as somebody with a console does. */
  setSettings(
    realm: Realm,
    settings: Readonly<Record<string, unknown>>,
    tenant: string,
  ): Promise<void>;
  setReachable(isReachable: boolean): void;
  beforeNextWrite(act: () => Promise<void>): void;
  /** Of the next writes: each happens, and the client has to send it again. */
  loseReplies(count: number): void;
  close(): Promise<void>;
}

const COMPLETE: Required<Omit<Migration, 'tenant'>> = {
  ...migrationRecord(),
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
  badEnds: 2,
  lastFailure: 'FAILED: a test says so',
  error: { code: 'E0004', reason: 'a test says so' },
  estimate: { at: '2026-12-25T12:00:00.000Z', items: 3, bytes: 99, seconds: 9, limit: 'cpu' },
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

export function ledgerContract(name: string, start: (clock: Clock) => Promise<LedgerHost>): void {
  describe(`a ledger (${name})`, () => {
    const clock = manualClock();
    let host: LedgerHost | undefined;
    let tenant = '';
    let count = 0;
    const the = () => {
      if (host === undefined) throw new Error('the host has not been started yet');
      return host;
    };
    const ledger = () => the().ledger;
    const keyOf = (id = '57500', realm = 'us'): MigrationKey => ({ ledger: realm, tenant, id });
    const record = (rest: Partial<Migration> = {}) => migrationRecord({ tenant, ...rest });
    const put = (rest: Partial<Migration> = {}, actor = 'schedule') => {
      const next = record(rest);
      return ledger().change(next, actor, () => next);
    };

    beforeAll(async () => {
      host = await start(clock);
    });
    afterAll(async () => host?.close());
    beforeEach(() => {
      count += 1;
      tenant = `tenant-${count}`;
    });

    describe('of migrations', () => {
      test('keeps every field as it is, but for the time of the change', async () => {
        clock.advance(SECOND);
        await put(COMPLETE);
        const updatedAt = new Date(clock.now()).toISOString();
        expect(await ledger().read(keyOf())).toEqual({ ...COMPLETE, tenant, updatedAt });
      });

      test('finds a migration only under its whole key', async () => {
        await put();
        expect(await ledger().read(keyOf('5750'))).toBeUndefined();
        expect(await ledger().read(keyOf('57500', 'de'))).toBeUndefined();
        expect(await ledger().read({ ...keyOf(), tenant: `${tenant}0` })).toBeUndefined();
      });

      test('lists those of a tenant, and nothing else', async () => {
        await put({ id: '1' });
        await put({ id: '10', status: 'committed' });
        await put({ id: '2', ledger: 'de' });
        await ledger().change(record({ tenant: `${tenant}0` }), 'schedule', () =>
          record({ tenant: `${tenant}0` }),
        );
        await ledger().putRange('us', keyOf('1'), rangeRecord());
        await ledger().writeReceipt('us', receiptOf({ tenant, id: '3' }));
        const ids = (await ledger().list('us', tenant)).map(({ id }) => id);
        expect([...ids].sort()).toEqual(['1', '10']);
      });

      test('loses none of two changes at once', async () => {
        await put();
        const raise = () =>
          ledger().change(
            keyOf(),
            'settle',
            (current) => current && { ...current, attempt: current.attempt + 1 },
          );
        await Promise.all([raise(), raise(), raise()]);
        expect((await ledger().read(keyOf()))?.attempt).toBe(3);
      });

      test('lets one of two racing steps win, and shows the other who did', async () => {
        await put({ status: 'ready-to-commit' });
        const step = (status: Migration['status']) =>
          ledger().change(keyOf(), status, (current) =>
            current?.status === 'ready-to-commit' ? { ...current, status } : undefined,
          );
        const [commit, rollback] = await Promise.all([step('committing'), step('rolling-back')]);
        expect([commit?.changed, rollback?.changed].filter(Boolean)).toHaveLength(1);
        expect(commit?.record?.status).toBe(rollback?.record?.status);
      });

      test('decides again when somebody wrote in between', async () => {
        await put();
        the().beforeNextWrite(async () => {
          await ledger().change(
            keyOf(),
            'rollback',
            (current) => current && { ...current, status: 'rolled-back' },
          );
        });
        const { changed, record: stands } = await ledger().change(keyOf(), 'start', (current) =>
          current?.status === 'scheduled' ? { ...current, status: 'copying' } : undefined,
        );
        expect([changed, stands?.status]).toEqual([false, 'rolled-back']);
      });

      test('removes', async () => {
        await put();
        expect(await ledger().change(keyOf(), 'janitor', () => 'remove')).toEqual({
          changed: true,
          record: undefined,
        });
        expect(await ledger().read(keyOf())).toBeUndefined();
      });
    });

    describe('of history', () => {
      test('has an entry for each change of status, with its actor and its time', async () => {
        await put();
        const at = new Date(clock.now()).toISOString();
        clock.advance(SECOND);
        await ledger().change(
          keyOf(),
          'start',
          (current) => current && { ...current, status: 'copying' },
        );
        await ledger().change(
          keyOf(),
          'settle',
          (current) => current && { ...current, attempt: 5 },
        );
        clock.advance(SECOND);
        const error = { code: 'E9999', reason: 'a test says so' } as const;
        await ledger().change(
          keyOf(),
          'janitor',
          (current) => current && { ...current, status: 'failed', error },
        );
        await ledger().change(keyOf(), 'janitor', () => undefined);
        const [first, second, third, ...others] = await ledger().history(keyOf());
        expect(first).toMatchObject({ status: 'scheduled', actor: 'schedule', at });
        expect(second).toMatchObject({ status: 'copying', actor: 'start' });
        expect(third).toMatchObject({ status: 'failed', actor: 'janitor', error });
        expect(others).toEqual([]);
      });

      test('also has what an operator did without moving the status, once for each attempt', async () => {
        await put({ status: 'copying', phase: 'copy', attempt: 1 });
        const next = (attempt: number, actor: string) =>
          ledger().change(keyOf(), actor, (current) => current && { ...current, attempt });
        await next(2, 'settle');
        await next(3, 'operator ada');
        await next(4, 'operator ada');
        await next(4, 'operator ada');
        const entries = (await ledger().history(keyOf())).slice(1);
        expect(entries.map(({ actor, attempt }) => `${actor} ${attempt}`)).toEqual([
          'operator ada 3',
          'operator ada 4',
        ]);
      });

      test('is that of one migration', async () => {
        await put({ id: '5' });
        await put({ id: '57' });
        expect(await ledger().history(keyOf('5'))).toHaveLength(1);
      });
    });

    describe('of what is open', () => {
      test('has every status but the final ones', async () => {
        for (const status of STATUSES) await put({ id: status, status });
        const open = (await ledger().open('us')).filter((migration) => migration.tenant === tenant);
        expect(open.map(({ id }) => id).sort()).toEqual(
          STATUSES.filter((status) => status !== 'committed' && status !== 'rolled-back').sort(),
        );
        for (const { id, status } of open) expect(status).toBe(id);
      });

      test('has one only until it is final, and again when it is rolled back', async () => {
        const isOpen = async () =>
          (await ledger().open('us')).some((migration) => migration.tenant === tenant);
        await put({ status: 'committing' });
        expect(await isOpen()).toBe(true);
        await put({ status: 'committed' });
        expect(await isOpen()).toBe(false);
        await put({ status: 'rolling-back' });
        expect(await isOpen()).toBe(true);
      });

      test('has what no facts are known of, and nothing of another realm', async () => {
        const { facts: _, ...withoutFacts } = record({ status: 'copying' });
        await ledger().change(keyOf(), 'start', () => withoutFacts);
        const openIn = async (realm: Realm) =>
          (await ledger().open(realm)).filter((found) => found.tenant === tenant);
        expect(await openIn('us')).toHaveLength(1);
        expect(await openIn('de')).toEqual([]);
      });
    });

    describe('of ranges', () => {
      const largest = (1n << 256n) - 1n;
      const everyBucket = new Map<number, Bucket>(
        Array.from({ length: 256 }, (_, number) => [
          number,
          { count: number + 1, sum: largest - BigInt(number) },
        ]),
      );
      const digests: readonly (readonly [string, Digest])[] = [
        ['that is empty', EMPTY_DIGEST],
        [
          'with one bucket',
          {
            items: 1,
            bytes: 350_000,
            buckets: new Map([[255, { count: 1, sum: 0n }]]),
            lasting: { count: 0, sum: 0n },
          },
        ],
        [
          'with 256 buckets',
          {
            items: 32_896,
            bytes: 2 ** 40,
            buckets: everyBucket,
            lasting: { count: 9, sum: largest },
          },
        ],
        [
          'with a large count',
          {
            items: 2 ** 32 - 1,
            bytes: 1,
            buckets: new Map([[0, { count: 2 ** 32 - 1, sum: 1n }]]),
            lasting: { count: 2 ** 32 - 1, sum: 1n },
          },
        ],
      ];

      test.each(digests)('keeps a digest %s as it is', async (_, digest) => {
        const source = { cursor: '{"id":"ü"}', done: false, digest, changed: 12 };
        const target = { done: true, digest, changed: 0 };
        await ledger().putRange('de', keyOf(), rangeRecord({ source, target }));
        expect(await ledger().readRange('de', keyOf(), 'templates/00')).toEqual(
          rangeRecord({ revision: expect.any(Number), source, target }),
        );
      });

      test('keeps every field as it is', async () => {
        const complete: RangeRecord = rangeRecord({
          tries: 1,
          done: true,
          cleared: true,
          repaired: true,
          lastError: 'a test says so',
          lease: { owner: 'invocation-1', until: 1_800_000_000_123 },
        });
        await ledger().putRange('de', keyOf(), complete);
        expect(await ledger().listRanges('de', keyOf())).toEqual([
          { ...complete, revision: expect.any(Number) },
        ]);
      });

      test('writes only over the revision that was read', async () => {
        const first = await ledger().putRange('de', keyOf(), rangeRecord());
        expect(first).toEqual(rangeRecord({ revision: expect.any(Number) }));
        expect(await ledger().putRange('de', keyOf(), rangeRecord({ tries: 5 }))).toBeUndefined();
        const second = first && (await ledger().putRange('de', keyOf(), { ...first, tries: 1 }));
        expect(second).toEqual(rangeRecord({ revision: expect.any(Number), tries: 1 }));
        expect(second?.revision).not.toBe(first?.revision);
        expect(
          first && (await ledger().putRange('de', keyOf(), { ...first, tries: 9 })),
        ).toBeUndefined();
        expect(
          await ledger().putRange('de', keyOf(), rangeRecord({ revision: 7 })),
        ).toBeUndefined();
        expect(await ledger().readRange('de', keyOf(), 'templates/00')).toEqual(second);
      });

      test('lets one of two workers have the range', async () => {
        const take = (owner: string) =>
          ledger().putRange('de', keyOf(), rangeRecord({ lease: { owner, until: 5 } }));
        const taken = await Promise.all([take('a'), take('b')]);
        expect(taken.filter((record) => record !== undefined)).toHaveLength(1);
      });

      test('keeps ranges, migrations and realms apart', async () => {
        await ledger().putRange('de', keyOf('5'), rangeRecord({ range: 'exports/00' }));
        await ledger().putRange('de', keyOf('5'), rangeRecord({ range: 'exports/01' }));
        await ledger().putRange('de', keyOf('57'), rangeRecord());
        expect(
          (await ledger().listRanges('de', keyOf('5'))).map(({ range }) => range).sort(),
        ).toEqual(['exports/00', 'exports/01']);
        expect(await ledger().listRanges('us', keyOf('5'))).toEqual([]);
        expect(await ledger().readRange('de', keyOf('5'), 'exports/0')).toBeUndefined();
      });
    });

    describe('of receipts', () => {
      const complete: Receipt = receiptOf({
        state: 'committed',
        checksums: {
          templates: { items: 1, bytes: 2, sum: 'a', lastingItems: 1, lastingSum: 'b' },
        },
        provenEmpty: { realm: 'us', at: '2026-12-26T03:00:00.000Z', ranges: ['templates/00'] },
        backupsExpire: '2027-01-03',
      });
      const read = (realm = 'de') => ledger().readReceipt(realm, tenant, '57500');

      test('keeps them as they are, by realm', async () => {
        await ledger().writeReceipt('de', { ...complete, tenant });
        expect(await read()).toEqual({ ...complete, tenant });
        expect(await read('us')).toBeUndefined();
        expect(await ledger().readReceipt('de', tenant, '5750')).toBeUndefined();
      });

      test('replaces one by a later one, and by one that says the same', async () => {
        for (const state of ['ready-to-commit', 'committed', 'committed', 'rolled-back'] as const) {
          await ledger().writeReceipt('de', receiptOf({ tenant, state, at: `at ${state}` }));
          expect(await read()).toMatchObject({ state, at: `at ${state}` });
        }
      });

      test('never replaces one by an earlier one that was delayed', async () => {
        await ledger().writeReceipt('de', receiptOf({ tenant, state: 'rolled-back' }));
        await ledger().writeReceipt('de', receiptOf({ tenant, state: 'committed' }));
        await ledger().writeReceipt('de', receiptOf({ tenant, state: 'ready-to-commit' }));
        expect(await read()).toMatchObject({ state: 'rolled-back' });
      });
    });

    describe('of the chain of receipts', () => {
      const link = (number: number, previous = ''): ReceiptLink => ({
        number,
        previous,
        tenant,
        id: '57500',
        state: 'committed',
        receipt: `hash ${number}`,
      });

      test('keeps links in the order of their numbers, by realm, and takes no number twice', async () => {
        const realm = 'us';
        const last = (await ledger().lastReceiptLink(realm))?.number ?? 0;
        for (const number of [last + 1, last + 2, last + 10])
          expect(await ledger().addReceiptLink(realm, link(number))).toBe(true);
        expect(await ledger().addReceiptLink(realm, link(last + 2, 'other'))).toBe(false);
        expect(await ledger().lastReceiptLink(realm)).toEqual(link(last + 10));
        const numbers = (await ledger().receiptLinks(realm)).map(({ number }) => number);
        expect(numbers.slice(-3)).toEqual([last + 1, last + 2, last + 10]);
      });

      test('gives one number to one of two that ask for it at once', async () => {
        const number = 1 + ((await ledger().lastReceiptLink('de'))?.number ?? 0);
        const added = await Promise.all(
          ['a', 'b'].map((previous) => ledger().addReceiptLink('de', link(number, previous))),
        );
        expect(added.sort()).toEqual([false, true]);
      });

      test('keeps of two receipts of one state the one that was signed later', async () => {
        const signed = (number: number) =>
          receiptOf({ tenant, state: 'committed', link: { realm: 'us', number, previous: '' } });
        await ledger().writeReceipt('us', signed(8));
        await ledger().writeReceipt('us', signed(7));
        expect((await ledger().readReceipt('us', tenant, '57500'))?.link?.number).toBe(8);
        await ledger().writeReceipt('us', signed(9));
        expect((await ledger().readReceipt('us', tenant, '57500'))?.link?.number).toBe(9);
      });
    });

    describe('of windows', () => {
      /** On a day of the test's own. */
      const at = (hour: number) => new Date(Date.UTC(2030, 0, count, hour)).toISOString();
      const take = (of: string, id: string, from = 1, to = 3, cap = 2) =>
        ledger().takeSlot(
          { ledger: 'de', tenant: `${tenant}-${of}`, id },
          { start: at(from), end: at(to) },
          cap,
        );
      const free = (of: string, id: string) =>
        ledger().freeSlot({ ledger: 'de', tenant: `${tenant}-${of}`, id });
      const held = async () =>
        (await ledger().slots('de')).filter((slot) => slot.tenant.startsWith(`${tenant}-`));

      test('gives as many that overlap as the cap says', async () => {
        expect([await take('a', '1'), await take('b', '1'), await take('c', '1')]).toEqual([
          true,
          true,
          false,
        ]);
        expect(await take('c', '2', 3, 5)).toBe(true);
        expect(await held()).toHaveLength(3);
      });

      test('counts a migration once, however often it asks, and even when there is no place left', async () => {
        expect([
          await take('a', '1'),
          await take('b', '1'),
          await take('a', '1'),
          await take('b', '1'),
        ]).toEqual([true, true, true, true]);
        expect(await held()).toHaveLength(2);
      });

      test('does not count the other windows of the same tenant', async () => {
        expect([await take('a', '1'), await take('b', '1'), await take('a', '2')]).toEqual([
          true,
          true,
          true,
        ]);
      });

      test('frees one, and that one only, as often as asked', async () => {
        await take('a', '1');
        await take('b', '1');
        await free('a', '1');
        await free('a', '1');
        await free('nobody', '1');
        expect((await held()).map((slot) => slot.tenant)).toEqual([`${tenant}-b`]);
        expect(await take('c', '1')).toBe(true);
      });

      test('gives the last place to one of two who ask at once', async () => {
        const answers = await Promise.all([take('a', '1', 1, 3, 1), take('b', '1', 1, 3, 1)]);
        expect(answers.toSorted()).toEqual([false, true]);
        expect(await held()).toHaveLength(1);
      });

      test('gives exactly as many as the cap says when many ask at once', async () => {
        const answers = await Promise.all(
          Array.from({ length: 40 }, (_, n) => take(`many-${n}`, '1', 1, 3, 15)),
        );
        expect(answers.filter(Boolean)).toHaveLength(15);
        expect(await held()).toHaveLength(15);
      });

      test('gives all of many that ask at once and do not overlap, whatever the cap', async () => {
        const answers = await Promise.all(
          Array.from({ length: 8 }, (_, hour) => take(`one-${hour}`, '1', hour, hour + 1, 1)),
        );
        expect(answers).toEqual(Array(8).fill(true));
        expect(await held()).toHaveLength(8);
      });

      test('counts a migration once that asks twice at the same time', async () => {
        const twice = await Promise.all([take('a', '1', 1, 3, 3), take('a', '1', 1, 3, 3)]);
        expect(twice).toEqual([true, true]);
        expect(await held()).toHaveLength(1);
        expect([await take('b', '1', 1, 3, 2), await take('c', '1', 1, 3, 2)]).toEqual([
          true,
          false,
        ]);
        await free('a', '1');
        expect(await take('c', '1', 1, 3, 2)).toBe(true);
      });

      test('counts what was taken under a higher cap', async () => {
        for (const of of ['a', 'b', 'c']) expect(await take(of, '1', 1, 3, 5)).toBe(true);
        expect(await take('d', '1', 1, 3, 3)).toBe(false);
        expect(await take('d', '2', 4, 5, 1)).toBe(true);
        await free('b', '1');
        expect(await take('d', '1', 1, 3, 3)).toBe(true);
        expect(await take('e', '1', 1, 3, 3)).toBe(false);
      });

      test('says since when, for whom and from when to when', async () => {
        await take('a', '1');
        expect(await held()).toEqual([
          {
            tenant: `${tenant}-a`,
            id: '1',
            takenAt: new Date(clock.now()).toISOString(),
            start: at(1),
            end: at(3),
          },
        ]);
      });
    });

    test('keeps the last count of a tenant, per realm', async () => {
      expect(await ledger().readMeasurement('us', tenant)).toBeUndefined();
      const begun = {
        begunAt: '2026-12-25T12:00:00.000Z',
        ranges: {
          'templates/00': { items: 3, expired: 1, bytes: 99, complete: false, cursor: 'x' },
        },
      };
      await ledger().writeMeasurement('us', tenant, begun);
      expect(await ledger().readMeasurement('us', tenant)).toEqual(begun);
      const finished = { ...begun, finishedAt: '2026-12-25T12:01:00.000Z' };
      await ledger().writeMeasurement('us', tenant, finished);
      expect(await ledger().readMeasurement('us', tenant)).toEqual(finished);
      expect(await ledger().readMeasurement('de', tenant)).toBeUndefined();
      expect(await ledger().list('us', tenant)).toEqual([]);
    });

    test('keeps the receipt of each purge of a retired tenant, per realm', async () => {
      const purged = (begunAt: string, at: string) => ({
        tenant,
        uninstalledIat: 1_000,
        begunAt,
        at,
        provenEmpty: ['templates/00'],
        backupsExpire: '2026-12-31',
      });
      expect(await ledger().purges('us', tenant)).toEqual([]);
      await ledger().writePurge('us', purged('2026-01', '2026-02'));
      await ledger().writePurge('us', purged('2026-01', '2026-03'));
      await ledger().writePurge('us', purged('2026-05', '2026-06'));
      expect(await ledger().purges('us', tenant)).toEqual([
        purged('2026-01', '2026-03'),
        purged('2026-05', '2026-06'),
      ]);
      expect(await ledger().purges('de', tenant)).toEqual([]);
    });

    describe('whose replies are lost', () => {
      test('changes a migration once, and leaves one entry of history', async () => {
        the().loseReplies(1);
        expect(await put()).toMatchObject({ changed: true, record: { status: 'scheduled' } });
        clock.advance(SECOND);
        the().loseReplies(2);
        const raised = await ledger().change(
          keyOf(),
          'start',
          (current) => current && { ...current, status: 'copying', attempt: current.attempt + 1 },
        );
        expect(raised).toMatchObject({ changed: true, record: { attempt: 1 } });
        expect((await ledger().read(keyOf()))?.attempt).toBe(1);
        expect((await ledger().history(keyOf())).map(({ status }) => status)).toEqual([
          'scheduled',
          'copying',
        ]);
      });

      test('knows a lease that it took itself, and not one that another took', async () => {
        const take = (owner: string) =>
          ledger().putRange('de', keyOf(), rangeRecord({ lease: { owner, until: 5 } }));
        the().loseReplies(1);
        const mine = await take('a');
        expect(mine?.lease?.owner).toBe('a');
        expect(await take('b')).toBeUndefined();
        the().loseReplies(1);
        const next = mine && (await ledger().putRange('de', keyOf(), { ...mine, tries: 1 }));
        expect(next).toEqual(await ledger().readRange('de', keyOf(), 'templates/00'));
        expect(next?.tries).toBe(1);
      });

      test('lets one of two workers have the range', async () => {
        the().loseReplies(2);
        const taken = await Promise.all(
          ['a', 'b'].map((owner) =>
            ledger().putRange('de', keyOf(), rangeRecord({ lease: { owner, until: 5 } })),
          ),
        );
        the().loseReplies(0);
        const winners = taken.filter((record) => record !== undefined);
        expect(winners).toEqual([await ledger().readRange('de', keyOf(), 'templates/00')]);
      });

      test('removes once', async () => {
        await put();
        the().loseReplies(1);
        expect(await ledger().change(keyOf(), 'janitor', () => 'remove')).toEqual({
          changed: true,
          record: undefined,
        });
      });

      test('holds one window for a migration, and leaves one entry of a change of settings', async () => {
        const window = { start: '2031-01-01T00:00:00.000Z', end: '2031-01-01T01:00:00.000Z' };
        the().loseReplies(1);
        expect(await ledger().takeSlot(keyOf(), window, 1)).toBe(true);
        const held = (await ledger().slots('us')).filter((slot) => slot.tenant === tenant);
        expect(held).toHaveLength(1);
        the().loseReplies(1);
        await ledger().freeSlot(keyOf());
        expect((await ledger().slots('us')).filter((slot) => slot.tenant === tenant)).toEqual([]);
        the().loseReplies(2);
        const set = await ledger().changeSettings('us', tenant, 'operator ada', { concurrency: 3 });
        expect(set).toEqual({ changed: true, record: { concurrency: 3 } });
        expect(await ledger().settingsHistory('us', tenant)).toHaveLength(1);
      });
    });

    settingsContract({ the, clock, tenant: () => tenant });

    test('throws a fault, whatever is asked, when it cannot be reached', async () => {
      the().setReachable(false);
      const window = { start: '2030-01-01T00:00:00.000Z', end: '2030-01-01T01:00:00.000Z' };
      const calls: readonly (() => Promise<unknown>)[] = [
        () => ledger().read(keyOf()),
        () => ledger().list('us', tenant),
        () => put(),
        () => ledger().open('us'),
        () => ledger().readRange('us', keyOf(), 'templates/00'),
        () => ledger().listRanges('us', keyOf()),
        () => ledger().putRange('us', keyOf(), rangeRecord()),
        () => ledger().readReceipt('us', tenant, '57500'),
        () => ledger().writeReceipt('us', receiptOf({ tenant })),
        () => ledger().takeSlot(keyOf(), window, 5),
        () => ledger().freeSlot(keyOf()),
        () => ledger().slots('us'),
        () => ledger().settings('us', tenant),
        () => ledger().changeSettings('us', tenant, 'operator ada', { concurrency: 1 }),
        () => ledger().settingsHistory('us', tenant),
        () => ledger().history(keyOf()),
        () => ledger().readMeasurement('us', tenant),
        () => ledger().purges('us', tenant),
        () => ledger().writeMeasurement('us', tenant, { begunAt: 'now', ranges: {} }),
      ];
      for (const call of calls) await expect(call(), call.toString()).rejects.toThrow(Fault);
      the().setReachable(true);
      expect(await ledger().read(keyOf())).toBeUndefined();
    });
  });
}
