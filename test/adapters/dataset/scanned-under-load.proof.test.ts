/** A table that is scanned is moved completely, also where DynamoDB leaves reads undone. */
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../lambdas/adapters/dataset/item-key.ts';
import type { DynamoDbPart, Range } from '../../../lambdas/domain/datasets/dataset.ts';
import type { InjectedFault } from '../../../lib/local/dynamodb/embedded-dynamodb.ts';
import { type AllItems, dynamoDbPartKindHost } from '../../support/dynamodb-part-kind-host.ts';
import { clock, FOREVER, last, NOW, type PartKindHost } from '../../support/part-kind-suite.ts';

const PAGES: DynamoDbPart = {
  kind: 'dynamodb',
  name: 'pages',
  policy: 'move',
  partitionKey: 'id',
  discover: { by: 'scan', attribute: 'owner', largestTableGB: 1 },
};
const range: Range = { id: 'pages/00', part: 'pages', partition: 'acme' };

const page = (id: string, owner: string, text = id): Item => ({
  id: { S: id },
  text: { S: text },
  owner: { S: owner },
});
const ours = Array.from({ length: 40 }, (_, at) => page(`PAGE#${at}`, 'acme'));
const neighbours = Array.from({ length: 40 }, (_, at) => page(`OTHER#${at}`, 'acme-1'));
const sorted = (items: readonly Item[]) =>
  items.toSorted((one, other) => ((one['id']?.S ?? '') < (other['id']?.S ?? '') ? -1 : 1));

describe.concurrent('a table that is read faster than it allows', () => {
  test.each<[string, string, InjectedFault]>([
    ['keys are left unprocessed', 'BatchGetItem', { unprocessed: 7 }],
    ['all keys are left unprocessed', 'BatchGetItem', { unprocessed: 100 }],
    ['reads by key are throttled', 'BatchGetItem', { error: 'ThrottlingException' }],
    ['scans are throttled', 'Scan', { error: 'ProvisionedThroughputExceededException' }],
  ])('is moved completely: %s', async (_, operation, fault) => {
    const faults: Record<string, number> = { us: 0, de: 0 };
    let isInjecting = false;
    await using slow = disposable(
      await dynamoDbPartKindHost(
        { parts: [PAGES], realms: ['us', 'de'], clock, pageItems: 30, scansAtOnce: 1 },
        {
          // Twice in each realm more often in a row than the SDK tries; then an answer is let
          // through.
          inject(call) {
            const realm = call.region.slice(0, 2);
            if (!isInjecting || call.operation !== operation) return undefined;
            const before = faults[realm] ?? 0;
            faults[realm] = before + 1;
            return before % 5 === 4 || before > 8 ? undefined : fault;
          },
        },
      ),
    );
    const { kind, put, all: stored } = slow.host;
    await put('us', 'pages', [...ours, ...neighbours]);
    await put('de', 'pages', [page('PAGE#3', 'acme', 'old'), page('theirs', 'globex')]);
    isInjecting = true;
    await last(kind.copy(range, 'us', 'de', NOW, undefined, FOREVER));
    const digests = await Promise.all(
      ['us', 'de'].map((realm) => last(kind.digest(range, realm, NOW, undefined, FOREVER))),
    );
    expect(digests[1]).toEqual(digests[0]);
    await last(kind.restore(range, 'us', 'de', NOW, undefined, FOREVER));
    isInjecting = false;
    expect(faults['de']).toBeGreaterThan(0);
    expect(sorted(await stored('de', 'pages'))).toEqual(
      sorted([...ours, page('theirs', 'globex')]),
    );
  });
});

const disposable = (started: PartKindHost & AllItems) => ({
  host: started,
  [Symbol.asyncDispose]: () => started.close(),
});
