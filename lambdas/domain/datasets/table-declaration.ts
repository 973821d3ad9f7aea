/** Refuses declarations of parts that are tables, where they could not be moved safely. */
import type { DynamoDbPart } from './dataset.ts';
import { checkFields, type Refused, recordOf, shown } from './declared-fields.ts';
import { checkDiscovery } from './discovery-declaration.ts';
import { checkKeys } from './key-declaration.ts';

const FIELDS: Readonly<Record<Exclude<keyof DynamoDbPart, 'prefix'>, true>> = {
  kind: true,
  name: true,
  policy: true,
  partitionKey: true,
  keyType: true,
  key: true,
  shards: true,
  case: true,
  sortKey: true,
  notOfTenants: true,
  discover: true,
  ttlAttribute: true,
  tableName: true,
  encryptionKeyArn: true,
};
const SORT_KEY_FIELDS: Readonly<Record<keyof NonNullable<DynamoDbPart['sortKey']>, true>> = {
  name: true,
  type: true,
};

/** Throws a sentence that says what is allowed. The values may have other types than declared. */
export function checkTable(part: unknown, refused: Refused): void {
  checkFields(part, FIELDS, (field, allowed) =>
    refused(`it has a field "${field}", which means nothing here; allowed are ${allowed}`),
  );
  const { partitionKey, sortKey, ttlAttribute, tableName, encryptionKeyArn } = recordOf(part);
  if (!isAttributeName(partitionKey))
    throw refused(
      `partitionKey is the name of the attribute that holds the tenant, not ${shown(partitionKey)}; a table without the tenant in its partition key cannot be moved`,
    );
  checkSortKey(sortKey, partitionKey, refused);
  checkDiscovery(recordOf(part), refused);
  checkKeys(recordOf(part), refused);
  if (ttlAttribute !== undefined && !isAttributeName(ttlAttribute))
    throw refused(
      `ttlAttribute is the name of the attribute with the expiry, not ${shown(ttlAttribute)}`,
    );
  if (ttlAttribute === partitionKey)
    throw refused('ttlAttribute is a number, and cannot be the partition key');
  if (tableName !== undefined && typeof tableName !== 'function')
    throw refused(
      `tableName is a function (realm, stage) => name, not ${shown(tableName)}: each realm has a table of its own`,
    );
  if (encryptionKeyArn === undefined) return;
  if (typeof encryptionKeyArn !== 'function')
    throw refused(
      `encryptionKeyArn is a function (realm, stage) => ARN, not ${shown(encryptionKeyArn)}: each realm has a key of its own`,
    );
  if (tableName === undefined)
    throw refused('encryptionKeyArn is for a table of your own, which tableName names');
}

/** A table may have none: then the field is left out. */
function checkSortKey(
  sortKey: unknown,
  partitionKey: unknown,
  refused: (says: string) => Error,
): void {
  if (sortKey === undefined) return;
  const { name, type } = recordOf(sortKey);
  if (!isAttributeName(name))
    throw refused(
      `sortKey is { name, type }, or left out where the table has none, and its name is ${shown(name)}`,
    );
  checkFields(recordOf(sortKey), SORT_KEY_FIELDS, (field, allowed) =>
    refused(`sortKey has a field "${field}", which means nothing here; allowed are ${allowed}`),
  );
  if (type !== 'S' && type !== 'N' && type !== 'B')
    throw refused(`sortKey.type is 'S', 'N' or 'B', not ${shown(type)}`);
  if (name === partitionKey) throw refused('partitionKey and sortKey are two attributes, not one');
}

/** As DynamoDB limits the names of key attributes. */
const isAttributeName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && new TextEncoder().encode(value).length <= 255;
