/** Refuses declarations of tables that are scanned, where they could not be moved safely. */

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = ['by', 'attribute', 'largestTableGB'];
/** An empty side is proven by one scan, within a step of the workflow, which lasts 60 seconds. */
const MOST_GB = 4;

/** Throws a sentence that says what is allowed. The values may have other types than declared. */
export function checkDiscovery(part: Fields, refused: (says: string) => Error): void {
  const { discover, partitionKey, key, shards, keyType } = part;
  if (discover === undefined) return;
  if (typeof discover !== 'object' || discover === null)
    throw refused("discover is { by: 'scan', attribute, largestTableGB }");
  const { by, attribute, largestTableGB, ...rest }: Fields = { ...discover };
  const [other] = Object.keys(rest);
  if (other !== undefined)
    throw refused(
      `discover has a field "${other}", which means nothing here; allowed are ${FIELDS.join(', ')}`,
    );
  if (by !== 'scan') throw refused(`discover.by is 'scan', not ${String(by)}`);
  if (typeof attribute !== 'string' || attribute === '')
    throw refused('discover.attribute is the name of the attribute that holds the tenant');
  if (attribute === partitionKey)
    throw refused('discover is for a table whose partition key does not hold the tenant');
  const isSize = typeof largestTableGB === 'number' && largestTableGB > 0;
  if (!isSize || largestTableGB > MOST_GB)
    throw refused(`discover.largestTableGB is more than 0, and at most ${MOST_GB}`);
  if (shards !== undefined || Array.isArray(key) || keyType !== undefined)
    throw refused('discover goes with one template: without shards, a list of keys, or keyType');
  if (typeof key === 'string' && key.includes('{installation'))
    throw refused('discover goes with one value for each tenant: a tenant may have installations');
}
