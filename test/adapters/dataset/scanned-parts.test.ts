/**
 * A table whose partition key is an entity's id: the worker goes on from any place of its scan, and
 * never writes over another tenant's item.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '../../../lambdas/adapters/dataset/item-key.ts';
import type { DynamoDbPart, Range } from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';
import type { Checkpoint } from '../../../lambdas/ports.ts';
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
