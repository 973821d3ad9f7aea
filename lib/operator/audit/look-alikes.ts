/**
 * Whether a part that holds nothing of a tenant is empty, or is declared with other keys than its
 * table has: looks in the table for keys that contain the tenant's name, or another of its values.
 */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart } from '../../../lambdas/domain/datasets/dataset.ts';
import { isNoTenants } from '../../../lambdas/domain/datasets/key-declaration.ts';
import {
  PLACEHOLDERS,
  typeOfMade,
  valuesFor,
} from '../../../lambdas/domain/datasets/key-template.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator, PartCount } from '../operator.ts';
import { knownTenants, shapeOf } from './known-tenants.ts';
import { ownerAttribute, ownerIn } from './scanned-tables.ts';
import { partOfKey, partsByTable } from './table-keys.ts';

/** Reads one page, of up to 1 MB, at so many places of the table: 2,048 read units at most. */
const PLACES = 8;
const SHAPES = 3;

/**
 * A sentence for each part that is empty of the tenant in this realm, by these counts, while its
 * table has keys like the tenant's.
 */
export async function emptyPartsWithLookAlikes(
  operator: Operator,
  realm: Realm,
  counts: readonly PartCount[],
  values: KeyValues,
): Promise<readonly string[]> {
  const isEmpty = ({ name }: DynamoDbPart) =>
    counts.some(({ part, items, expired }) => part === name && items + expired === 0);
  const found = await Promise.all(
    tablesOf(operator.residency.parts)
      .filter(isEmpty)
      .map(async (part) => {
        const says = await lookAlikesIn(operator, realm, part, values);
        return says === undefined ? [] : [`part ${part.name} in ${realm}: ${says}`];
      }),
  );
  return found.flat();
}

/** A sentence with up to three forms of such keys; `undefined` where there are none. */
async function lookAlikesIn(
  operator: Operator,
  realm: Realm,
  part: DynamoDbPart,
  values: KeyValues,
): Promise<string | undefined> {
  const words = wordsOf(values);
  const table = operator.names(realm).part(part);
  const beside = partsByTable(operator, realm).get(table) ?? [part];
  const { isTenant, isTenants } = knownTenants(operator, realm);
  const shapes = new Set<string>();
  const found = [...(await keysWith(operator, realm, part, words))];
  // The simplest forms come first.
  for (const key of found.sort((one, other) => one.length - other.length)) {
    const word = words.find((one) => isWordOf(one, key));
    if (word === undefined || partOfKey(beside, key) !== part) continue;
    if (isNoTenants(part.notOfTenants, key) || (await isTenants(part, key))) continue;
    const around = await Promise.all(key.split(word).map((text) => shapeOf(text, isTenant)));
    shapes.add(around.join('{tenant}'));
    if (shapes.size === SHAPES) break;
  }
  if (shapes.size === 0) return undefined;
  return `it holds nothing of this tenant under its declared keys, and its table has keys that look like the tenant's, such as ${[...shapes].join(', ')}`;
}

/** What may stand for the tenant in a key that an app makes. */
function wordsOf(values: KeyValues): readonly string[] {
  const all = PLACEHOLDERS.flatMap((of) => valuesFor(of, values));
  return [...new Set(all.flatMap((word) => [word, word.toLowerCase()]))];
}

/** `acme` is a word of `TENANT#acme`, and not of `TENANT#acmeville`. */
function isWordOf(word: string, key: string): boolean {
  const at = key.indexOf(word);
  const isPart = (character: string | undefined) => /[0-9A-Za-z]/.test(character ?? '');
  return at >= 0 && !isPart(key[at - 1]) && !isPart(key[at + word.length]);
}

/** Distinct keys that contain one of the words. Numbers and bytes contain none. */
async function keysWith(
  { clients, names }: Operator,
  realm: Realm,
  part: DynamoDbPart,
  words: readonly string[],
): Promise<ReadonlySet<string>> {
  if (typeOfMade(part) !== 'S') return new Set();
  const pages = await Promise.all(
    Array.from({ length: PLACES }, (_, place) =>
      clients.dynamoDb(realm).send(
        new ScanCommand({
          TableName: names(realm).part(part),
          ConsistentRead: true,
          Segment: place,
          TotalSegments: PLACES,
          Select: 'SPECIFIC_ATTRIBUTES',
          ProjectionExpression: '#partition',
          FilterExpression: words.map((_, at) => `contains(#partition, :w${at})`).join(' OR '),
          ExpressionAttributeNames: { '#partition': ownerAttribute(part) },
          ExpressionAttributeValues: Object.fromEntries(
            words.map((word, at) => [`:w${at}`, { S: word }]),
          ),
        }),
      ),
    ),
  );
  const items = pages.flatMap(({ Items: found = [] }) => found);
  return new Set(items.map((item) => ownerIn(part, item)));
}
