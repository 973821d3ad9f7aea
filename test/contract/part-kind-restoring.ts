/** The contract of every part kind on restoring and purging. */
import { describe, expect, test } from 'vitest';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import type { Range } from '../../lambdas/domain/datasets/dataset.ts';
import {
  FOREVER,
  inSeconds,
  inTurns,
  KEPT_FOR_EVER,
  last,
  NOW,
  note,
  notes,
  type PartKindSuite,
  rangeOf,
} from '../support/part-kind-suite.ts';

export function restoringContract(suite: PartKindSuite): void {
  describe('restoring', () => {
    const text = (value: string): Item => ({ text: { S: value } });
    async function diverged(): Promise<Range> {
      const tenant = suite.newTenant();
      const same = notes(tenant, 8);
      await suite.host.put('us', 'notes', [
        ...same,
        note(tenant, 'changed', text('new')),
        note(tenant, 'a new one', text('x')),
        note(tenant, 'z new one', text('y')),
      ]);
      await suite.host.put('de', 'notes', [
        ...same,
        note(tenant, 'changed', text('old')),
        note(tenant, 'A deleted one', text('x')),
        note(tenant, 'note-05 deleted', text('x')),
        note(tenant, 'zz deleted one', text('y')),
        note(tenant, 'zzz deleted one', text('y')),
      ]);
      return rangeOf('notes', tenant);
    }

    test('writes what differs or is missing, and deletes what is extra', async () => {
      const range = await diverged();
      const end = await suite.restoreAll(range);
      expect(end).toMatchObject({ done: true, changed: 7, digest: { items: 11 } });
      expect(end.digest).toEqual(await suite.digestOf(range, 'us'));
      expect(await suite.host.read('de', 'notes', range.partition)).toEqual(
        await suite.host.read('us', 'notes', range.partition),
      );
    });

    test('touches nothing where both sides are equal', async () => {
      const range = await diverged();
      await suite.restoreAll(range);
      expect(await suite.restoreAll(range)).toMatchObject({
        done: true,
        changed: 0,
        digest: { items: 11 },
      });
    });

    test('goes on from any of its checkpoints', async () => {
      const whole = await suite.restoreAll(await diverged());
      const range = await diverged();
      const turns = await inTurns((from) => suite.kind.restore(range, 'us', 'de', NOW, from, 0));
      expect(turns.length).toBeGreaterThanOrEqual(4);
      expect(turns.at(-1)).toMatchObject({ changed: whole.changed, digest: { items: 11 } });
      expect(turns.at(-1)?.digest).toEqual(await suite.digestOf(range, 'us'));
      expect(await suite.host.read('de', 'notes', range.partition)).toEqual(
        await suite.host.read('us', 'notes', range.partition),
      );
    });

    test('fills an empty target, and empties one whose source is empty', async () => {
      const tenant = suite.newTenant();
      const range = rangeOf('notes', tenant);
      await suite.host.put('us', 'notes', notes(tenant, 8));
      expect(await suite.restoreAll(range)).toMatchObject({ changed: 8 });
      await last(suite.kind.purge(range, 'us', undefined, FOREVER));
      expect(await suite.restoreAll(range)).toMatchObject({ changed: 8, digest: { items: 0 } });
      expect(await suite.kind.isEmpty(range, 'de')).toBe(true);
    });

    test.runIf(suite.isOfItems)(
      'takes what has expired for absent, and leaves it to its end where nothing replaces it',
      async () => {
        const tenant = suite.newTenant();
        const expired: Item = { expiresAt: inSeconds(0) };
        await suite.host.put('us', 'notes', [
          note(tenant, '1 expired here, live there', expired),
          note(tenant, '2 expired on both sides', expired),
          note(tenant, '3 live here, expired there', text('live')),
        ]);
        await suite.host.put('de', 'notes', [
          note(tenant, '1 expired here, live there', text('live')),
          note(tenant, '2 expired on both sides', { ...expired, ...text('old') }),
          note(tenant, '3 live here, expired there', expired),
          note(tenant, '4 expired there', expired),
        ]);
        const range = rangeOf('notes', tenant);
        expect(await suite.restoreAll(range)).toMatchObject({ changed: 2, digest: { items: 1 } });
        expect(await suite.host.read('de', 'notes', tenant)).toEqual([
          note(tenant, '2 expired on both sides', { ...expired, ...text('old') }),
          note(tenant, '3 live here, expired there', text('live')),
          note(tenant, '4 expired there', expired),
        ]);
        expect(await suite.digestOf(range, 'de')).toEqual(await suite.digestOf(range, 'us'));
      },
    );

    test.runIf(suite.isOfItems)(
      'takes what DynamoDB would keep for ever for an item like any other',
      async () => {
        const tenant = suite.newTenant();
        const items = Object.entries(KEPT_FOR_EVER).map(([id, expiresAt]) =>
          note(tenant, id, { expiresAt }),
        );
        await suite.host.put('us', 'notes', items.slice(0, 5));
        await suite.host.put('de', 'notes', items.slice(5));
        const range = rangeOf('notes', tenant);
        expect(await suite.kind.differences(range, 'us', 'de', NOW, 20)).toHaveLength(items.length);
        expect(await suite.restoreAll(range)).toMatchObject({ changed: items.length });
        expect(await suite.host.read('de', 'notes', tenant)).toEqual(items.slice(0, 5));
      },
    );

    test('leaves the neighbours alone', async () => {
      const range = await diverged();
      const neighbour = `${range.partition}0`;
      await suite.host.put('de', 'notes', notes(neighbour, 2));
      await suite.restoreAll(range);
      expect(await suite.host.read('de', 'notes', neighbour)).toHaveLength(2);
    });
  });

  describe('purging', () => {
    test('deletes all items, expired ones too, and none of a neighbour', async () => {
      const tenant = suite.newTenant();
      const range = rangeOf('notes', tenant);
      const neighbours = [`${tenant}0`, `${tenant}#00`, tenant.slice(0, -1)];
      await suite.host.put('us', 'notes', [
        ...notes(tenant, 7),
        note(tenant, 'expired', { expiresAt: inSeconds(-1) }),
      ]);
      for (const neighbour of neighbours) await suite.host.put('us', 'notes', notes(neighbour, 2));
      expect(await suite.kind.isEmpty(range, 'us')).toBe(false);
      expect(await last(suite.kind.purge(range, 'us', undefined, FOREVER))).toMatchObject({
        done: true,
        changed: 8,
      });
      expect(await suite.kind.isEmpty(range, 'us')).toBe(true);
      for (const neighbour of neighbours)
        expect(await suite.host.read('us', 'notes', neighbour)).toHaveLength(2);
      expect(await last(suite.kind.purge(range, 'us', undefined, FOREVER))).toMatchObject({
        done: true,
        changed: 0,
      });
    });

    test('goes on from where it stopped', async () => {
      const tenant = suite.newTenant();
      const range = rangeOf('notes', tenant);
      await suite.host.put('us', 'notes', notes(tenant, 10));
      const turns = await inTurns((from) => suite.kind.purge(range, 'us', from, 0));
      expect(turns.length).toBeGreaterThanOrEqual(3);
      expect(turns.at(-1)).toMatchObject({ changed: 10 });
      expect(await suite.kind.isEmpty(range, 'us')).toBe(true);
    });

    test('an item that has expired, but is still there, keeps a range from being empty', async () => {
      const tenant = suite.newTenant();
      await suite.host.put('us', 'notes', [note(tenant, 'expired', { expiresAt: inSeconds(-1) })]);
      expect(await suite.kind.isEmpty(rangeOf('notes', tenant), 'us')).toBe(false);
    });
  });
}
