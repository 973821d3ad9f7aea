/**
 * The DynamoDB part kind over tables whose partition key is an entity's id. It takes and gives the
 * items of the contract, which do not know of the entity.
 */
import { compareKeys, type Item } from '../../lambdas/adapters/dataset/item-key.ts';
import type { Part } from '../../lambdas/domain/datasets/dataset.ts';
import { dynamoDbPartKindHost } from './dynamodb-part-kind-host.ts';
import type { PartKindHost, PartKindHostOptions } from './part-kind-suite.ts';

export async function scannedPartKindHost(options: PartKindHostOptions): Promise<PartKindHost> {
  const parts = options.parts.map(scanned);
  const host = await dynamoDbPartKindHost({ ...options, parts });
  const partOf = (name: string): Part => {
    const part = options.parts.find((one) => one.name === name);
    if (part === undefined) throw new Error(`no part is called ${name}`);
    return part;
  };
  return {
    ...host,
    put: (realm, name, items) =>
      host.put(
        realm,
        name,
        items.map((item) => ({ ...item, entity: { S: entityOf(partOf(name), item) } })),
      ),
    async read(realm, name, partition) {
      const items = (await host.all(realm, name)).filter(({ tenant }) => tenant?.S === partition);
      return items
        .map(({ entity: _, ...item }): Item => item)
        .sort((one, other) => compareKeys(partOf(name), one, other));
    },
  };
}

/** Notes are entities of their own; a tenant's counters, and its blobs, are one entity each. */
const scanned = ({ sortKey, ...part }: Part): Part => ({
  ...part,
  partitionKey: 'entity',
  ...(part.name !== 'notes' && sortKey !== undefined && { sortKey }),
  discover: { by: 'scan', attribute: 'tenant', largestTableGB: 1 },
});

const entityOf = ({ name }: Part, { tenant, id }: Item): string =>
  name === 'notes' ? `NOTE#${tenant?.S}#${id?.S}` : `${name}#${tenant?.S}`;
