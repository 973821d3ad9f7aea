/**
 * Whether a part that holds nothing of a tenant is empty, or is declared with other keys than its
 * table or bucket has: looks there for keys that contain the tenant's name, or another of its
 * values.
 */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart, Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { isNoTenants } from '../../../lambdas/domain/datasets/key-declaration.ts';
import {
  formsOf,
  PLACEHOLDERS,
  typeOfMade,
  valuesFor,
} from '../../../lambdas/domain/datasets/key-template.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { kindOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator, PartCount } from '../operator.ts';
import { beginningIn, bucketOf, type FoundKey, keysUnder, sampledKeys } from './bucket-keys.ts';
import { knownTenants, shapeOf } from './known-tenants.ts';
import { ownerAttribute, ownerIn } from './scanned-tables.ts';
import { partOfKey, partsByTable } from './table-keys.ts';

/** Reads one page, of up to 1 MB, at so many places of the table: 2,048 read units at most. */
const PLACES = 8;
const SHAPES = 3;

/**
 * A sentence for each part that is empty of the tenant in this realm, by these counts, while its
 * table or bucket has keys like the tenant's.
 */
export async function emptyPartsWithLookAlikes(
  operator: Operator,
  realm: Realm,
  counts: readonly PartCount[],
  values: KeyValues,
): Promise<readonly string[]> {
  const isEmpty = ({ name }: Part) =>
    counts.some(({ part, items, expired }) => part === name && items + expired === 0);
  const found = await Promise.all(
    operator.residency.parts.filter(isEmpty).map(async (part) => {
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
  part: Part,
  values: KeyValues,
): Promise<string | undefined> {
  const words = wordsOf(values);
  const { isTenant, isTenants } = knownTenants(operator, realm);
  const shapes = new Set<string>();
  const found =
    part.kind === 's3'
      ? await prefixesWith(operator, realm, part, words)
      : await partitionsWith(operator, realm, part, words);
  // The simplest forms come first.
  for (const { key, beginning } of found.toSorted((a, b) => a.key.length - b.key.length)) {
    const word = words.find((one) => isWordOf(one, key));
    if (word === undefined || (await isTenants(part, beginning))) continue;
    const around = await Promise.all(key.split(word).map((text) => shapeOf(text, isTenant)));
    shapes.add(around.join('{tenant}'));
    if (shapes.size === SHAPES) break;
  }
  if (shapes.size === 0) return undefined;
  return `it holds nothing of this tenant under its declared keys, and its ${kindOf(part).place} has keys that look like the tenant's, such as ${[...shapes].join(', ')}`;
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

/** Of the part, where others share its table. */
async function partitionsWith(
  operator: Operator,
  realm: Realm,
  part: DynamoDbPart,
  words: readonly string[],
): Promise<readonly FoundKey[]> {
  const table = operator.names(realm).part(part);
  const beside = partsByTable(operator, realm).get(table) ?? [part];
  const found = [...(await keysWith(operator, realm, part, words))];
  return found
    .filter((key) => partOfKey(beside, key) === part && !isNoTenants(part.notOfTenants, key))
    .map((key) => ({ key, beginning: key }));
}

/** Under so many folders is looked for the tenant. */
const FOLDERS = 16;
const KEYS_PER_FOLDER = 4;

/**
 * S3 cannot look for a word in keys: looks for those that begin with one, in the bucket itself and
 * in the folders that a sample has shown and that are no tenant's.
 */
async function prefixesWith(
  operator: Operator,
  realm: Realm,
  part: S3Part,
  words: readonly string[],
): Promise<readonly FoundKey[]> {
  const bucket = await bucketOf(operator, realm, part);
  const { isTenants } = knownTenants(operator, realm);
  const heads = formsOf(part).map(({ head }) => head);
  const sampled = await sampledKeys(operator, realm, bucket, ['', ...heads]);
  const folders = [...new Set(sampled.flatMap(({ key }) => ['', ...foldersOf(key)]))];
  const isKnown = await Promise.all(folders.map((folder) => isTenants(part, folder)));
  const strange = folders.filter((_, at) => !isKnown[at]).slice(0, FOLDERS);
  const client = operator.clients.objects(realm);
  const listed = await Promise.all(
    strange.flatMap((folder) =>
      words.map((word) => keysUnder(client, bucket.name, `${folder}${word}`, KEYS_PER_FOLDER)),
    ),
  );
  const keys = [...new Set([...sampled.map(({ key }) => key), ...listed.flat()])];
  return keys
    .map((key) => ({ key, beginning: beginningIn(bucket.parts, key) ?? key }))
    .filter(({ beginning }) => partOfKey(bucket.parts, beginning) === part);
}

/** `a/b/c.txt`: `a/`, `a/b/`. */
function foldersOf(key: string): readonly string[] {
  const words = key.split('/').slice(0, -1).slice(0, 3);
  return words.map((_, at) => `${words.slice(0, at + 1).join('/')}/`);
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
