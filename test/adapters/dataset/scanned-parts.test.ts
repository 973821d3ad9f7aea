/**
 * A table whose partition key is an entity's id: the worker goes on from any place of its scan, and
 * never writes over another tenant's item.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '../../../lambdas/adapters/dataset/item-key.ts';
import {
  type DynamoDbPart,
  type Range,
  rangesOf,
} from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';
import { isSame } from '../../../lambdas/domain/datasets/digest.ts';
import type { Checkpoint } from '../../../lambdas/ports.ts';
import type { DynamoDbCall } from '../../../lib/local/dynamodb/embedded-dynamodb.ts';
import { type AllItems, dynamoDbPartKindHost } from '../../support/dynamodb-part-kind-host.ts';
import {
  clock,
  FOREVER,
  inTurns,
  last,
  NOW,
  type PartKindHost,
} from '../../support/part-kind-suite.ts';

const PAGES: DynamoDbPart = {
  kind: 'dynamodb',
  name: 'pages',
  policy: 'move',
  partitionKey: 'id',
  key: 'T#{tenant}',
  discover: { by: 'scan', attribute: 'owner', largestTableGB: 1 },
};
const range: Range = { id: 'pages/00', part: 'pages', partition: 'T#acme' };

const page = (id: string, owner: string | undefined, text = id): Item => ({
  id: { S: id },
  text: { S: text },
  ...(owner !== undefined && { owner: { S: owner } }),
});
const ours = Array.from({ length: 40 }, (_, at) => page(`PAGE#${at}`, 'T#acme'));
const neighbours = [
  ...Array.from({ length: 40 }, (_, at) => page(`OTHER#${at}`, 'T#acme-1')),
  page('like one', 'T#ACME'),
  page('of nobody', undefined),
  { ...page('of a number', undefined), owner: { N: '1' } },
];

/** 16 segments, as in production, and a page for each few items of a segment. */
let host: PartKindHost & AllItems;
beforeAll(async () => {
  checkParts([PAGES]);
  host = await dynamoDbPartKindHost({
    parts: [PAGES],
    realms: ['us', 'de', 'eu'],
    clock,
    pageItems: 2,
  });
  await host.put('us', 'pages', [...ours, ...neighbours]);
});
afterAll(() => host.close());

const sorted = (items: readonly Item[]) =>
  items.toSorted((one, other) => ((one['id']?.S ?? '') < (other['id']?.S ?? '') ? -1 : 1));
const all = async (realm: string) => sorted(await host.all(realm, 'pages'));

describe('a table that is scanned', () => {
  test('is copied, restored and purged in turns, and nothing of a neighbour is touched', async () => {
    const { kind } = host;
    const before = await all('us');
    const copied = await inTurns((from) => kind.copy(range, 'us', 'de', NOW, from, 0));
    expect(copied.length).toBeGreaterThanOrEqual(3);
    expect(copied.at(-1)).toMatchObject({ changed: 40, digest: { items: 40 } });
    expect(await all('de')).toEqual(sorted(ours));

    const digests = await Promise.all(
      ['us', 'de'].map(async (realm) => {
        const turns = await inTurns((from) => kind.digest(range, realm, NOW, from, 0));
        return turns.at(-1)?.digest;
      }),
    );
    expect(digests[1]).toEqual(digests[0]);
    expect(copied.at(-1)?.digest).toEqual(digests[0]);

    await host.put('de', 'pages', [
      page('PAGE#1', 'T#acme', 'changed'),
      page('PAGE#extra', 'T#acme'),
      page('theirs', 'T#globex'),
    ]);
    const wrong = await kind.differences(range, 'us', 'de', NOW, 10);
    expect(wrong.map(({ found }) => found).toSorted()).toEqual(['changed', 'extra']);
    const restored = await inTurns((from) => kind.restore(range, 'us', 'de', NOW, from, 0));
    expect(restored.at(-1)).toMatchObject({ changed: 2, digest: { items: 40 } });
    expect(restored.at(-1)?.digest).toEqual(digests[0]);
    expect(await all('de')).toEqual(sorted([...ours, page('theirs', 'T#globex')]));

    const purged = await inTurns((from) => kind.purge(range, 'de', from, 0));
    expect(purged.at(-1)).toMatchObject({ changed: 40 });
    expect(await kind.isEmpty(range, 'de')).toBe(true);
    expect(await all('de')).toEqual([page('theirs', 'T#globex')]);
    expect(await kind.isEmpty(range, 'us')).toBe(false);
    expect(await all('us')).toEqual(before);
  });

  test('goes on from any of its checkpoints', async () => {
    const { kind } = host;
    const steps: Checkpoint[] = [];
    for await (const checkpoint of kind.digest(range, 'us', NOW, undefined, FOREVER))
      steps.push(checkpoint);
    const whole = steps.at(-1)?.digest;
    const turns = await inTurns((from) => kind.digest(range, 'us', NOW, from, 0));
    for (const from of [...steps, ...turns])
      expect((await last(kind.digest(range, 'us', NOW, from, FOREVER))).digest).toEqual(whole);
  });

  test('is counted, also by keys alone', async () => {
    expect(await host.kind.size(range, 'us', FOREVER)).toMatchObject({
      items: 40,
      expired: 0,
      complete: true,
    });
    const first = await host.kind.size(range, 'us', 0);
    expect(first.complete).toBe(false);
    expect(await host.kind.size(range, 'us', FOREVER, first)).toMatchObject({ items: 40 });
  });

  test('is not copied over an item of another tenant that has the same id', async () => {
    const theirs = [page('PAGE#7', 'T#globex', 'theirs')];
    await host.put('eu', 'pages', theirs);
    const says = 'under a key of this one: ids must differ in all realms';
    await expect(last(host.kind.copy(range, 'us', 'eu', NOW, undefined, FOREVER))).rejects.toThrow(
      says,
    );
    expect((await all('eu')).filter((item) => item['owner']?.S === 'T#globex')).toEqual(theirs);
  });
});

describe('a table with segments', () => {
  const part: DynamoDbPart = {
    ...PAGES,
    name: 'many',
    discover: { by: 'scan', attribute: 'owner', largestTableGB: 6, segments: 3 },
  };
  const ranges = rangesOf([part], { tenant: 'acme' });
  let shared: PartKindHost & AllItems;
  beforeAll(async () => {
    checkParts([part]);
    shared = await dynamoDbPartKindHost(
      { parts: [part], realms: ['us', 'de'], clock, pageItems: 4, scansAtOnce: 2 },
      { turned: 'de' },
    );
    await shared.put('us', 'many', [...ours, ...neighbours]);
    await shared.put('de', 'many', [page('theirs', 'T#globex')]);
  });
  afterAll(() => shared.close());

  const digestOf = async (one: Range, realm: string, beside?: string) =>
    (await last(shared.kind.digest(one, realm, NOW, undefined, FOREVER, beside))).digest;
  /** The ranges that are not the same on both sides, where `written` was made equal. */
  const wrong = async (written: 'us' | 'de') => {
    const other = written === 'us' ? 'de' : 'us';
    const found = await Promise.all(
      ranges.map(async (one) =>
        isSame(await digestOf(one, other), await digestOf(one, written, other)) ? [] : [one],
      ),
    );
    return found.flat();
  };
  const items = async (realm: string) => {
    const found = await Promise.all(ranges.map((one) => digestOf(one, realm)));
    return found.map((digest) => digest.items);
  };

  test('is copied and compared segment by segment, though the other table has other segments', async () => {
    expect(ranges.map(({ id }) => id)).toEqual(['many/00', 'many/01', 'many/02']);
    for (const one of ranges)
      await last(shared.kind.copy(one, 'us', 'de', NOW, undefined, FOREVER));
    const [here, there] = [await items('us'), await items('de')];
    expect(here.reduce((sum, count) => sum + count)).toBe(40);
    expect(there.reduce((sum, count) => sum + count)).toBe(40);
    expect(there).not.toEqual(here);
    expect(await wrong('de')).toEqual([]);
    expect(await wrong('us')).toEqual([]);
  });

  test('goes on from any checkpoint of the comparison', async () => {
    for (const one of ranges) {
      const whole = await digestOf(one, 'de', 'us');
      const turns = await inTurns((from) => shared.kind.digest(one, 'de', NOW, from, 0, 'us'));
      expect(turns.length).toBeGreaterThan(1);
      expect(turns.at(-1)?.digest).toEqual(whole);
    }
  });

  test('shows what is missing, changed or extra in the range that makes it equal', async () => {
    await shared.put('de', 'many', [
      page('PAGE#1', 'T#acme', 'changed'),
      page('PAGE#extra', 'T#acme'),
      page('PAGE#2', 'T#globex'),
    ]);
    // Its id is another tenant's now: nobody may write there.
    const refused = ranges.map((one) => digestOf(one, 'de', 'us'));
    expect((await Promise.allSettled(refused)).map(({ status }) => status)).toContain('rejected');
    await shared.put('de', 'many', [page('PAGE#2', 'T#acme', 'changed too')]);

    const unequal = await wrong('de');
    expect(unequal.length).toBeGreaterThan(0);
    let written = 0;
    for (const one of unequal) {
      const { changed } = await last(shared.kind.restore(one, 'us', 'de', NOW, undefined, FOREVER));
      written += changed;
    }
    expect(written).toBe(3);
    expect(await wrong('de')).toEqual([]);
  });

  test('is proven empty segment by segment', async () => {
    const isEmpty = () => Promise.all(ranges.map((one) => shared.kind.isEmpty(one, 'de')));
    expect(await isEmpty()).toContain(false);
    for (const one of ranges) await last(shared.kind.purge(one, 'de', undefined, FOREVER));
    expect(await isEmpty()).toEqual([true, true, true]);
    expect(await shared.all('de', 'many')).toEqual([page('theirs', 'T#globex')]);
  });
});

describe('a table whose keys begin with the tenant', () => {
  const part: DynamoDbPart = {
    kind: 'dynamodb',
    name: 'begun',
    policy: 'move',
    partitionKey: 'id',
    discover: { by: 'scan', prefix: 'T#{tenant}#', largestTableGB: 1 },
  };

  test('is moved, and keys that only begin alike stay', async () => {
    checkParts([part]);
    await using begun = disposable(
      await dynamoDbPartKindHost({ parts: [part], realms: ['us', 'de'], clock, pageItems: 2 }),
    );
    const [own] = rangesOf([part], { tenant: 'acme' });
    if (own === undefined) throw new Error('it has a range');
    const mine = ['T#acme#1', 'T#acme#', 'T#acme#2#3'].map((id) => page(id, undefined));
    const theirs = ['T#acme', 'T#acme-1#1', 'T#acm#1', 'T#ACME#1', 'acme#1', '#T#acme#1'].map(
      (id) => page(id, undefined),
    );
    await begun.host.put('us', 'begun', [...mine, ...theirs]);
    expect(
      await last(begun.host.kind.copy(own, 'us', 'de', NOW, undefined, FOREVER)),
    ).toMatchObject({
      changed: 3,
    });
    expect(sorted(await begun.host.all('de', 'begun'))).toEqual(sorted(mine));
    expect(await begun.host.kind.differences(own, 'us', 'de', NOW, 10)).toEqual([]);
    await last(begun.host.kind.purge(own, 'us', undefined, FOREVER));
    expect(sorted(await begun.host.all('us', 'begun'))).toEqual(sorted(theirs));
    expect(await begun.host.kind.isEmpty(own, 'us')).toBe(true);
  });
});

describe('a table with an index on the tenant', () => {
  const part: DynamoDbPart = {
    ...PAGES,
    name: 'listed',
    discover: {
      by: 'index',
      index: 'of-owner',
      attribute: 'owner',
      largestTableGB: 2,
      segments: 2,
    },
  };
  const ranges = rangesOf([part], { tenant: 'acme' });

  const start = async (onRequest: (call: DynamoDbCall) => Promise<void> | void) =>
    disposable(
      await dynamoDbPartKindHost(
        { parts: [part], realms: ['us', 'de'], clock, pageItems: 6, scansAtOnce: 1 },
        { onRequest },
      ),
    );

  test('is copied by the index, and everything that proves something scans', async () => {
    const calls: DynamoDbCall[] = [];
    await using listed = await start((call) => void calls.push(call));
    const { kind } = listed.host;
    const others = neighbours.filter(({ owner }) => owner?.N === undefined);
    await listed.host.put('us', 'listed', [...ours, ...others]);
    calls.length = 0;
    for (const one of ranges) await inTurns((from) => kind.copy(one, 'us', 'de', NOW, from, 0));
    expect(new Set(calls.map(({ operation }) => operation))).toEqual(
      new Set(['Query', 'BatchGetItem', 'BatchWriteItem']),
    );
    expect(calls.flatMap(({ input }) => input['IndexName'] ?? [])).toContain('of-owner');
    expect(sorted(await listed.host.all('de', 'listed'))).toEqual(sorted(ours));

    calls.length = 0;
    for (const one of ranges) {
      const digests = [
        await last(kind.digest(one, 'us', NOW, undefined, FOREVER)),
        await last(kind.digest(one, 'de', NOW, undefined, FOREVER, 'us')),
      ];
      expect(digests[1]?.digest).toEqual(digests[0]?.digest);
      await last(kind.restore(one, 'us', 'de', NOW, undefined, FOREVER));
      await last(kind.purge(one, 'de', undefined, FOREVER));
      expect(await kind.isEmpty(one, 'de')).toBe(true);
      expect(await kind.size(one, 'de', FOREVER)).toMatchObject({ items: 0 });
    }
    const scans = calls.filter(({ operation }) => operation === 'Scan');
    expect(scans.length).toBeGreaterThan(0);
    expect(scans.every(({ input }) => input['ConsistentRead'] === true)).toBe(true);
    expect(calls.map(({ operation }) => operation)).not.toContain('Query');
  });

  test('is copied as it is when the index names items that have changed since', async () => {
    let isOld = true;
    await using listed = await start(async ({ operation, region }) => {
      if (!isOld || operation !== 'BatchGetItem' || region !== 'us-test-1') return;
      isOld = false;
      await listed.host.put('us', 'listed', [
        page('PAGE#1', 'T#globex'),
        page('PAGE#2', 'T#acme', 'changed'),
      ]);
    });
    await listed.host.put('us', 'listed', [page('PAGE#1', 'T#acme'), page('PAGE#2', 'T#acme')]);
    for (const one of ranges)
      await last(listed.host.kind.copy(one, 'us', 'de', NOW, undefined, FOREVER));
    expect(isOld).toBe(false);
    expect(await listed.host.all('de', 'listed')).toEqual([page('PAGE#2', 'T#acme', 'changed')]);
  });
});

const disposable = (started: PartKindHost & AllItems) => ({
  host: started,
  [Symbol.asyncDispose]: () => started.close(),
});
