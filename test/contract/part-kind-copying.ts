/** The contract of every part kind on copying. */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import type { Checkpoint } from '../../lambdas/ports.ts';
import {
  all,
  bytes,
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

export function copyingContract(suite: PartKindSuite): void {
  describe('copying', () => {
    test.runIf(suite.isExact)('keeps every type of attribute as it is', async () => {
      const tenant = suite.newTenant();
      const item = note(tenant, 'Ünïcödé 🦉 \u0000 %$/', {
        empty: { S: '' },
        text: { S: '～ é e\u0301 🇩🇪 \u{10FFFF} "quoted"\n' },
        number: { N: '-0.00000000000000000000000000000000000012345678901234567890' },
        large: { N: '99999999999999999999999999999999999999' },
        binary: { B: bytes(0, 255, 128, 10, 0) },
        noBytes: { B: bytes() },
        yes: { BOOL: true },
        no: { BOOL: false },
        nothing: { NULL: true },
        words: { SS: ['b', 'a', '', 'é'] },
        numbers: { NS: ['10', '9', '-1.5'] },
        binaries: { BS: [bytes(2), bytes(1, 0), bytes(1)] },
        list: { L: [{ S: 'x' }, { L: [] }, { M: {} }, { N: '1' }] },
        map: {
          M: {
            deep: { M: { deeper: { L: [{ NULL: true }, { B: bytes(7) }] } } },
            '': { S: 'no name' },
          },
        },
        'attribute with spaces #:.': { S: 'x' },
      });
      await suite.host.put('us', 'notes', [item]);
      const checkpoint = await suite.copyAll(rangeOf('notes', tenant));
      expect(checkpoint).toMatchObject({ done: true, changed: 1, digest: { items: 1 } });
      expect(await suite.host.read('de', 'notes', tenant)).toEqual(
        await suite.host.read('us', 'notes', tenant),
      );
      expect(await suite.digestOf(rangeOf('notes', tenant), 'de')).toEqual(checkpoint.digest);
    });

    test('takes items of 350 KB, several to a page', async () => {
      const tenant = suite.newTenant();
      const items = Array.from({ length: 5 }, (_, index) =>
        note(tenant, `large-${index}`, {
          text: { S: String(index).repeat(200 * 1024) },
          binary: { B: new Uint8Array(150 * 1024).fill(index) },
        }),
      );
      await suite.host.put('us', 'notes', items);
      const { digest } = await suite.copyAll(rangeOf('notes', tenant));
      expect(digest.bytes).toBeGreaterThan(5 * 350 * 1024);
      expect(isDeepStrictEqual(await suite.host.read('de', 'notes', tenant), items)).toBe(true);
    });

    test('leaves the neighbours alone', async () => {
      const tenant = suite.newTenant();
      const neighbours = [`${tenant}0`, `${tenant}#00`, tenant.slice(0, -1), `x${tenant}`];
      await suite.host.put('us', 'notes', notes(tenant, 4));
      for (const neighbour of neighbours) await suite.host.put('us', 'notes', notes(neighbour, 2));
      await suite.copyAll(rangeOf('notes', tenant));
      for (const neighbour of neighbours)
        expect(await suite.host.read('de', 'notes', neighbour)).toEqual([]);
    });

    test.runIf(suite.isOrdered)(
      'has written everything up to a checkpoint when it yields it',
      async () => {
        const tenant = suite.newTenant();
        await suite.host.put('us', 'notes', notes(tenant, 20));
        for await (const checkpoint of suite.kind.copy(
          rangeOf('notes', tenant),
          'us',
          'de',
          NOW,
          undefined,
          FOREVER,
        )) {
          const written = await suite.host.read('de', 'notes', tenant);
          const upTo = written.filter(
            ({ id }) => checkpoint.done || (id?.S ?? '') <= suite.keyOf(checkpoint.cursor ?? ''),
          );
          expect(upTo).toHaveLength(checkpoint.changed);
        }
      },
    );

    test.runIf(suite.isOrdered)('goes on from any of its checkpoints', async () => {
      const complete = suite.newTenant();
      await suite.host.put('us', 'notes', notes(complete, 10));
      const checkpoints = await all(
        suite.kind.copy(rangeOf('notes', complete), 'us', 'de', NOW, undefined, FOREVER),
      );
      expect(checkpoints.length).toBeGreaterThanOrEqual(4);
      for (const [stop] of checkpoints.entries()) {
        const tenant = suite.newTenant();
        const range = rangeOf('notes', tenant);
        await suite.host.put('us', 'notes', notes(tenant, 10));
        let from: Checkpoint | undefined;
        let seen = 0;
        for await (const checkpoint of suite.kind.copy(
          range,
          'us',
          'de',
          NOW,
          undefined,
          FOREVER,
        )) {
          from = checkpoint;
          if (seen === stop) break;
          seen += 1;
        }
        const end = await last(suite.kind.copy(range, 'us', 'de', NOW, from, FOREVER));
        expect(end).toMatchObject({ done: true, changed: 10 });
        expect(end.digest).toEqual(await suite.digestOf(range, 'us'));
        expect(await suite.host.read('de', 'notes', tenant)).toEqual(
          await suite.host.read('us', 'notes', tenant),
        );
      }
    });

    test.runIf(suite.isOrdered)(
      'moves on by at least a page when its time is over before it began',
      async () => {
        const tenant = suite.newTenant();
        await suite.host.put('us', 'notes', notes(tenant, 7));
        const turns = await inTurns((from) =>
          suite.kind.copy(rangeOf('notes', tenant), 'us', 'de', NOW, from, 0),
        );
        expect(turns.map(({ done }) => done)).toEqual([false, false, true]);
        expect(await suite.host.read('de', 'notes', tenant)).toHaveLength(7);
      },
    );

    test('can be done twice, and does nothing after its end', async () => {
      const tenant = suite.newTenant();
      const range = rangeOf('notes', tenant);
      await suite.host.put('us', 'notes', notes(tenant, 7));
      const first = await suite.copyAll(range);
      // A kind that looks before it writes has nothing to write the second time.
      expect(await suite.copyAll(range)).toMatchObject({ done: true, digest: first.digest });
      expect(await last(suite.kind.copy(range, 'us', 'de', NOW, first, FOREVER))).toEqual(first);
    });

    test.runIf(suite.isOrdered)('finds nothing in an empty range', async () => {
      const checkpoints = await all(
        suite.kind.copy(rangeOf('notes', suite.newTenant()), 'us', 'de', NOW, undefined, FOREVER),
      );
      expect(checkpoints).toMatchObject([
        { done: true, changed: 0, digest: { items: 0, bytes: 0 } },
      ]);
    });

    test.runIf(suite.isOfItems)('passes over what has expired, and tells what lasts', async () => {
      const tenant = suite.newTenant();
      const expiring = (id: string, expiresAt: Item[string]) => note(tenant, id, { expiresAt });
      await suite.host.put('us', 'notes', [
        expiring('1 expired', inSeconds(-1)),
        expiring('2 expires just now', inSeconds(0)),
        expiring('3 expires soon', inSeconds(1)),
        expiring('4 expires at the very end', inSeconds(1_000)),
        expiring('5 lasts', inSeconds(1_001)),
        expiring('6 no number', { S: '1' }),
        note(tenant, '7 for ever'),
      ]);
      const { digest, changed } = await suite.copyAll(rangeOf('notes', tenant));
      expect((await suite.host.read('de', 'notes', tenant)).map(({ id }) => id?.S?.[0])).toEqual([
        '3',
        '4',
        '5',
        '6',
        '7',
      ]);
      expect(changed).toBe(5);
      expect(digest.items).toBe(5);
      expect(digest.lasting.count).toBe(3);
      expect(await suite.digestOf(rangeOf('notes', tenant), 'us')).toEqual(digest);
    });

    test.runIf(suite.isOfItems)(
      'copies what DynamoDB would keep for ever, whatever stands in its expiry',
      async () => {
        const tenant = suite.newTenant();
        const range = rangeOf('notes', tenant);
        const items = Object.entries(KEPT_FOR_EVER).map(([id, expiresAt]) =>
          note(tenant, id, { expiresAt }),
        );
        await suite.host.put('us', 'notes', [
          ...items,
          note(tenant, 'expired', { expiresAt: inSeconds(-1) }),
          note(tenant, 'a fraction', { expiresAt: { N: `${NOW.asOf - 2}.5` } }),
        ]);
        const { digest } = await suite.copyAll(range);
        const copied = (await suite.host.read('de', 'notes', tenant)).map(({ id }) => id?.S);
        expect(copied).toEqual(['a fraction', ...Object.keys(KEPT_FOR_EVER)].toSorted());
        expect([digest.items, digest.lasting.count]).toEqual([items.length + 1, items.length]);
        expect(await suite.digestOf(range, 'us')).toEqual(digest);
        expect(await suite.digestOf(range, 'de')).toEqual(digest);
        expect(await suite.kind.differences(range, 'us', 'de', NOW, 20)).toEqual([]);
      },
    );
  });
}
