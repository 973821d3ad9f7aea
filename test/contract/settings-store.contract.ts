/** The contract of every store of settings. */
import { afterEach, describe, expect, test } from 'vitest';
import type { SettingsChange } from '../../lambdas/domain/operating/settings.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { SECOND } from '../support/clock.ts';
import type { LedgerSuite } from './ledger-suite.ts';

export function settingsStoreContract({ the, ledger, clock, tenant }: LedgerSuite): void {
  const store = () => ledger().settings;

  describe('of settings', () => {
    const settings = (of = tenant(), realm: Realm = 'us') => store().read(realm, of);
    const set = (change: SettingsChange, of?: string, actor = 'operator ada') =>
      store().change('us', of, actor, change);

    afterEach(() => set({ noNewMoves: null, concurrency: null, rateLimit: null }));

    test('has what the realm has, unless the tenant has another', async () => {
      expect(await settings()).toEqual({ noNewMoves: false });
      await set({ noNewMoves: true, concurrency: 4 });
      expect(await settings()).toEqual({ noNewMoves: true, concurrency: 4 });
      await set({ noNewMoves: false, rateLimit: 100 }, tenant());
      expect(await settings()).toEqual({ noNewMoves: false, concurrency: 4, rateLimit: 100 });
      expect(await settings(`${tenant()}0`)).toEqual({ noNewMoves: true, concurrency: 4 });
      expect(await settings(tenant(), 'de')).toEqual({ noNewMoves: false });
    });

    test('changes what is named, takes back what is null, and says what is then set', async () => {
      await set({ noNewMoves: true, concurrency: 4 }, tenant());
      expect(await set({ concurrency: 2 }, tenant())).toEqual({
        changed: true,
        record: { noNewMoves: true, concurrency: 2 },
      });
      expect(await set({ noNewMoves: null, rateLimit: null }, tenant())).toEqual({
        changed: true,
        record: { concurrency: 2 },
      });
      expect(await set({ concurrency: 2 }, tenant())).toEqual({
        changed: false,
        record: { concurrency: 2 },
      });
    });

    test('remembers who changed what, and when', async () => {
      const begun = clock.now();
      await set({ concurrency: 4 }, tenant(), 'operator ada');
      clock.advance(SECOND);
      await set({ concurrency: 4 }, tenant(), 'operator eve'); // changes nothing
      await set({ concurrency: null, noNewMoves: true }, tenant(), 'operator bob');
      await set({ concurrency: 1 }, `${tenant()}0`);
      const at = (time: number) => new Date(time).toISOString();
      expect(await store().history('us', tenant())).toEqual([
        { at: at(begun), actor: 'operator ada', change: { concurrency: 4 } },
        {
          at: at(begun + SECOND),
          actor: 'operator bob',
          change: { concurrency: null, noNewMoves: true },
        },
      ]);
      const ofRealm = (await store().history('us', undefined)).length;
      await set({ concurrency: 9 });
      expect(await store().history('us', undefined)).toHaveLength(ofRealm + 1);
      expect(await store().history('de', tenant())).toEqual([]);
    });

    test('changed by two at once are what both have set', async () => {
      await Promise.all([
        set({ concurrency: 4 }, tenant()),
        set({ rateLimit: 9 }, tenant()),
        set({ noNewMoves: true }, tenant()),
      ]);
      expect(await settings()).toEqual({ noNewMoves: true, concurrency: 4, rateLimit: 9 });
      expect(await store().history('us', tenant())).toHaveLength(3);
    });

    test('that an operator wrote by hand are ignored, with an alarm, where they are no settings', async () => {
      const alarms = () => the().log.alarms().length;
      const before = alarms();
      await the().setSettings(
        'us',
        { noNewMoves: 'yes', concurrency: 0, rateLimit: 5, noNewMove: true },
        tenant(),
      );
      expect(await settings()).toEqual({ noNewMoves: false, rateLimit: 5 });
      expect(alarms()).toBe(before + 1);
      expect(the().log.alarms().at(-1)).toMatch(/noNewMoves.*concurrency|concurrency.*noNewMoves/);
      await set({ concurrency: 3 }, tenant());
      expect(await settings()).toEqual({ noNewMoves: false, rateLimit: 5, concurrency: 3 });
      expect(alarms()).toBe(before + 2); // the change has mended it
      await the().setSettings('us', { concurrency: 3, noNewMove: true }, tenant());
      await set({ rateLimit: null }, tenant());
      expect(await settings()).toEqual({ noNewMoves: false, concurrency: 3 });
      expect(alarms()).toBe(before + 3); // so has one that changes nothing else
    });

    test('leave one entry of a change whose replies are lost', async () => {
      the().loseReplies(2);
      const changed = await store().change('us', tenant(), 'operator ada', { concurrency: 3 });
      expect(changed).toEqual({ changed: true, record: { concurrency: 3 } });
      expect(await store().history('us', tenant())).toHaveLength(1);
    });
  });
}
