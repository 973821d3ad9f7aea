/** The contract of every part kind on digests, differences and the order of reading. */
import { describe, expect, test } from 'vitest';
import type { Item } from '../../lambdas/adapters/dataset/item-key.ts';
import { isSame } from '../../lambdas/domain/datasets/digest.ts';
import {
  bytes,
  FOREVER,
  inTurns,
  last,
  NOW,
  note,
  notes,
  type PartKindSuite,
  rangeOf,
} from '../support/part-kind-suite.ts';

export function comparingContract(suite: PartKindSuite): void {
  describe('a digest', () => {
    const digestOfNotes = async (items: (tenant: string) => readonly Item[]) => {
      // Always the same tenant, because its id is part of every item.
      await last(suite.kind.purge(rangeOf('notes', 'digested'), 'us', undefined, FOREVER));
      await suite.host.put('us', 'notes', items('digested'));
      return suite.digestOf(rangeOf('notes', 'digested'), 'us');
    };

    test.runIf(suite.isOrdered)('goes on from any of its checkpoints', async () => {
      const tenant = suite.newTenant();
      await suite.host.put('us', 'notes', notes(tenant, 10));
      const range = rangeOf('notes', tenant);
      const whole = await suite.digestOf(range, 'us');
      const turns = await inTurns((from) => suite.kind.digest(range, 'us', NOW, from, 0));
      expect(turns.length).toBeGreaterThanOrEqual(4);
      expect(turns.at(-1)?.digest).toEqual(whole);
      for (const from of turns)
        expect((await last(suite.kind.digest(range, 'us', NOW, from, FOREVER))).digest).toEqual(
          whole,
        );
    });

    test('is the same for the same items', async () => {
      expect(await digestOfNotes((tenant) => notes(tenant, 9))).toEqual(
        await digestOfNotes((tenant) => [...notes(tenant, 9)].reverse()),
      );
    });

    const original = (tenant: string) => [
      note(tenant, 'a', { n: { N: '1' }, b: { B: bytes(1, 2) } }),
      note(tenant, 'b', { n: { N: '2' }, b: { B: bytes(3) } }),
      ...notes(tenant, 5),
    ];
    const [a, b] = [0, 1];
    test.each<[string, (items: Item[]) => readonly Item[]]>([
      ['a bit flips', (items) => items.with(a, { ...items[a], b: { B: bytes(1, 3) } })],
      [
        'two items swap their values',
        (items) =>
          items.with(a, { ...items[a], n: { N: '2' } }).with(b, { ...items[b], n: { N: '1' } }),
      ],
      ['a type changes', (items) => items.with(a, { ...items[a], n: { S: '1' } })],
      [
        'an attribute goes',
        (items) => items.with(b, note('digested', 'b', { b: { B: bytes(3) } })),
      ],
      ['an item goes', (items) => items.slice(1)],
      ['an item comes', (items) => [...items, note('digested', 'c')]],
      ['a key changes', (items) => items.with(a, { ...items[a], id: { S: 'aa' } })],
    ])('is another one when %s', async (_, change) => {
      const before = await digestOfNotes(original);
      const after = await digestOfNotes((tenant) => change(original(tenant)));
      expect(isSame(before, after)).toBe(false);
    });
  });

  describe('differences', () => {
    test.runIf(suite.isOrdered && suite.takesAnyKey)(
      'name what is missing, extra or changed, up to a limit',
      async () => {
        const tenant = suite.newTenant();
        const range = rangeOf('notes', tenant);
        await suite.host.put('us', 'notes', [
          ...notes(tenant, 8),
          note(tenant, 'a\nb'),
          note(tenant, 'c', { n: { N: '1' } }),
        ]);
        await suite.host.put('de', 'notes', [
          ...notes(tenant, 8),
          note(tenant, 'b'),
          note(tenant, 'c', { n: { S: '1' } }),
        ]);
        const found = await suite.kind.differences(range, 'us', 'de', NOW, 10);
        expect(found).toEqual([
          { key: 'a\\u{a}b', found: 'missing' },
          { key: 'b', found: 'extra' },
          { key: 'c', found: 'changed' },
        ]);
        expect(await suite.kind.differences(range, 'us', 'de', NOW, 2)).toEqual(found.slice(0, 2));
        expect(await suite.kind.differences(range, 'us', 'us', NOW, 10)).toEqual([]);
      },
    );
  });

  describe('the order of the keys', () => {
    const numbers = [
      '-99999999999999999999999999999999999999',
      '-10',
      '-9.5',
      '-9',
      '-0.001',
      '0',
      '0.0000000000000000000000000000000000000000000000001',
      '1',
      '9',
      '10',
      '10.5',
      '1000000000000000000000000000000',
    ];
    const binaries = [
      bytes(0),
      bytes(0, 0),
      bytes(0, 255),
      bytes(1),
      bytes(127),
      bytes(128),
      bytes(128, 1),
      bytes(255),
      bytes(255, 0),
    ];
    const strings = ['A', 'B', 'a', 'aa', 'ä', '～', '🦉', '🦉🦉'];
    const ordered: readonly [string, (tenant: string) => readonly Item[]][] = [
      [
        'counters',
        (tenant) => numbers.map((number) => ({ tenant: { S: tenant }, number: { N: number } })),
      ],
      [
        'blobs',
        (tenant) => binaries.map((value) => ({ tenant: { S: tenant }, bytes: { B: value } })),
      ],
      ['notes', (tenant) => strings.map((id) => note(tenant, id))],
    ];

    const ofKind = ordered.filter(([part]) => suite.isOfItems || part === 'notes');

    test.each(ofKind)('is the one in which they are stored (%s)', async (part, items) => {
      const tenant = suite.newTenant();
      await suite.host.put('us', part, [...items(tenant)].reverse());
      expect(await suite.host.read('us', part, tenant)).toEqual(items(tenant));
    });

    test.each(ofKind)(
      'lets two sides be compared, however they interleave (%s)',
      async (part, items) => {
        for (const [modulus, rest] of [
          [2, 0],
          [2, 1],
          [3, 0],
          [4, 3],
        ] as const) {
          const tenant = suite.newTenant();
          const range = rangeOf(part, tenant);
          const those = (wanted: (index: number) => boolean) =>
            items(tenant).filter((_, index) => wanted(index));
          await suite.host.put(
            'us',
            part,
            those((index) => index % modulus === rest),
          );
          await suite.host.put(
            'de',
            part,
            those((index) => index % 3 !== 1),
          );
          await inTurns((from) => suite.kind.restore(range, 'us', 'de', NOW, from, 0));
          expect(await suite.host.read('de', part, tenant)).toEqual(
            await suite.host.read('us', part, tenant),
          );
          expect(await suite.kind.differences(range, 'us', 'de', NOW, 10)).toEqual([]);
        }
      },
    );

    test.each(ofKind)('is kept by cursors (%s)', async (part, items) => {
      const tenant = suite.newTenant();
      const range = rangeOf(part, tenant);
      await suite.host.put('us', part, items(tenant));
      const turns = await inTurns((from) => suite.kind.copy(range, 'us', 'de', NOW, from, 0));
      expect(turns.at(-1)?.changed).toBe(items(tenant).length);
      expect(await suite.host.read('de', part, tenant)).toEqual(items(tenant));
      await inTurns((from) => suite.kind.purge(range, 'us', from, 0));
      expect(await suite.kind.isEmpty(range, 'us')).toBe(true);
    });
  });
}
