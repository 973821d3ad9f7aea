/**
 * The DynamoDB part kind over tables whose partition key is an entity's id. It takes and gives the
 * items of the contract, which do not know of the entity.
 */
import { compareKeys, type Item } from '../../lambdas/adapters/dataset/item-key.ts';
import type { DynamoDbPart, Range } from '../../lambdas/domain/datasets/dataset.ts';
import { type Discovery, segmentsOf } from '../../lambdas/domain/datasets/discovery.ts';
import { dynamoDbPartKindHost } from './dynamodb-part-kind-host.ts';
import type { PartKindHost, PartKindHostOptions } from './part-kind-suite.ts';
import { sharedOutPartKind } from './shared-out-part-kind.ts';

/** `discover` is how the tenant `t` is found: by `t` in the attribute, or by keys from `t/` on. */
export async function scannedPartKindHost(
  options: PartKindHostOptions,
  discover: Discovery,
): Promise<PartKindHost> {
  const parts = options.parts.map((part) => scanned(part, discover));
  const host = await dynamoDbPartKindHost({ ...options, parts });
  const partOf = (name: string): DynamoDbPart => {
    const part = options.parts.find((one) => one.name === name);
    if (part === undefined) throw new Error(`no part is called ${name}`);
    return part;
  };
  const of = segmentsOf(discover);
  const rangesOf = (range: Range): readonly Range[] =>
    Array.from({ length: of }, (_, at) => ({
      ...range,
      partition: discover.prefix === undefined ? range.partition : `${range.partition}/`,
      segment: { at, of },
    }));
  return {
    ...host,
    kind: sharedOutPartKind(host.kind, rangesOf),
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
const scanned = ({ sortKey, ...part }: DynamoDbPart, discover: Discovery): DynamoDbPart => ({
  ...part,
  partitionKey: 'entity',
  ...(part.name !== 'notes' && sortKey !== undefined && { sortKey }),
  discover,
});

const entityOf = ({ name }: DynamoDbPart, { tenant, id }: Item): string =>
  name === 'notes' ? `${tenant?.S}/NOTE#${id?.S}` : `${tenant?.S}/${name}`;
