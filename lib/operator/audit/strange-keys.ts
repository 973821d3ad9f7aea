/**
 * Checks that tables and buckets of the parts hold what their declarations say: reads a few keys of
 * each and looks for their tenants. Without this check, a part that is declared with other keys
 * than its table or bucket has would be "equal" and "empty", because nothing of it is ever read.
 */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDbPart, Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { isNoTenants } from '../../../lambdas/domain/datasets/key-declaration.ts';
import { formsOf, makersOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { bucketsOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import { isRehearsalKey } from '../../../lambdas/domain/operating/rehearsal.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';
import { bucketOf, type FoundKey, sampledKeys } from './bucket-keys.ts';
import { type KeySample, sayStrange } from './key-sample.ts';
import { knownTenants, shapeOf } from './known-tenants.ts';
import { ownerAttribute, ownerIn, tooLargeIn } from './scanned-tables.ts';
import { partOfKey, partsByTable } from './table-keys.ts';

/**
 * Reads so many items at so many places of a table: always the same places, and never a whole
 * table.
 */
const PLACES = 8;
const ITEMS_PER_PLACE = 16;
const SHAPES = 3;

export async function sampleKeys(operator: Operator, realm: Realm, part: Part): Promise<KeySample> {
  const found =
    part.kind === 's3'
      ? await prefixesOf(operator, realm, part)
      : await partitionsIn(operator, realm, part);
  const keys = found.filter(({ beginning }) => !isRehearsalKey(part, beginning));
  const { isTenant, isTenants } = knownTenants(operator, realm);
  const isKnown = await Promise.all(keys.map(({ beginning }) => isTenants(part, beginning)));
  const strange = keys.filter((_, at) => !isKnown[at]);
  const shapes = await Promise.all(
    strange.slice(0, PLACES).map(({ key }) => shapeOf(key, isTenant)),
  );
  return {
    realm,
    part: part.name,
    keys: keys.length,
    strange: strange.length,
    unmade: strange.filter(({ beginning }) => makersOf(part, beginning).length === 0).length,
    shapes: [...new Set(shapes)].slice(0, SHAPES),
  };
}

/** Those of the part, where others share its bucket. */
async function prefixesOf(
  operator: Operator,
  realm: Realm,
  part: S3Part,
): Promise<readonly FoundKey[]> {
  const bucket = await bucketOf(operator, realm, part);
  const heads = formsOf(part).map(({ head }) => head);
  // What no template makes counts for the first part.
  const all = part === bucket.parts[0] ? ['', ...heads] : heads;
  const keys = await sampledKeys(operator, realm, bucket, all);
  return keys.filter(({ beginning }) => partOfKey(bucket.parts, beginning) === part);
}

/** Those of the part, where others share its table. */
async function partitionsIn(
  operator: Operator,
  realm: Realm,
  part: DynamoDbPart,
): Promise<readonly FoundKey[]> {
  const table = operator.names(realm).part(part);
  const beside = partsByTable(operator, realm).get(table) ?? [part];
  const keys = await keysIn(operator, realm, part);
  return keys
    .filter((key) => partOfKey(beside, key) === part && !isNoTenants(part.notOfTenants, key))
    .map((key) => ({ key, beginning: key }));
}

async function keysIn(
  { clients, names }: Operator,
  realm: Realm,
  part: DynamoDbPart,
): Promise<readonly string[]> {
  const pages = await Promise.all(
    Array.from({ length: PLACES }, (_, place) =>
      clients.dynamoDb(realm).send(
        new ScanCommand({
          TableName: names(realm).part(part),
          ConsistentRead: true,
          Segment: place,
          TotalSegments: PLACES,
          Limit: ITEMS_PER_PLACE,
          Select: 'SPECIFIC_ATTRIBUTES',
          ProjectionExpression: '#partition',
          ExpressionAttributeNames: { '#partition': ownerAttribute(part) },
        }),
      ),
    ),
  );
  const items = pages.flatMap(({ Items: found = [] }) => found);
  return [...new Set(items.map((item) => ownerIn(part, item)))];
}

const placeOf = ({ residency }: Operator, name: string): string =>
  bucketsOf(residency.parts).some((part) => part.name === name) ? 'bucket' : 'table';

/** The check of `doctor`. */
export async function keysCheck(operator: Operator, realm: Realm): Promise<Found> {
  const samples = await Promise.all(
    operator.residency.parts.map((part) => sampleKeys(operator, realm, part)),
  );
  const [large] = await tooLargeIn(operator, realm);
  if (large !== undefined)
    return bad(large, 'raise largestTableGB, or write the table anew with the tenant in its key');
  const found = samples.filter(({ strange }) => strange > 0);
  const [first] = found;
  if (first === undefined) {
    const keys = samples.reduce((sum, sample) => sum + sample.keys, 0);
    const hasBuckets = bucketsOf(operator.residency.parts).length > 0;
    return fine(
      `all ${keys} partition keys${hasBuckets ? ' and prefixes' : ''} in the sample belong to a tenant`,
    );
  }
  return bad(
    found.map((sample) => `part ${sample.part}: ${sayStrange(sample)}`).join('; '),
    `declare the part ${first.part} as its ${placeOf(operator, first.part)} has it: a move leaves behind the items under other keys, and does not notice it; residency audit --all lists every key`,
  );
}
