/**
 * Checks of the vendor's own tables, which no deployment makes or changes: each as the
 * configuration declares it, and all of one part alike. A tenant that is moved loses what the
 * target's table lacks: an index, or who hears of changes.
 */
import {
  DescribeKinesisStreamingDestinationCommand,
  DescribeTimeToLiveCommand,
  type TableDescription,
  type TimeToLiveDescription,
} from '@aws-sdk/client-dynamodb';
import { ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import type { Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { isOwn, tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import {
  declaredTables,
  descriptionOf,
  expiryFound,
  formFound,
  keysOf,
} from '../doctor/table-form.ts';
import type { Operator } from '../operator.ts';

export interface OwnTable {
  readonly part: Part;
  readonly name: string;
  readonly described: TableDescription | undefined;
  readonly expiry: TimeToLiveDescription | undefined;
  /** Functions that read its stream, and Kinesis streams that its changes go to. */
  readonly functions: number;
  readonly kinesisStreams: number;
}

export const ownParts = ({ residency }: Pick<Operator, 'residency'>): readonly Part[] =>
  tablesOf(residency.parts).filter(isOwn);

/** Reads every own table of a realm. Throws the SDK's errors. */
export const ownTables = (operator: Operator, realm: Realm): Promise<readonly OwnTable[]> =>
  Promise.all(
    ownParts(operator).map(async (part) => {
      const name = operator.names(realm).part(part);
      const described = await descriptionOf(operator, realm, name);
      if (described === undefined)
        return { part, name, described, expiry: undefined, functions: 0, kinesisStreams: 0 };
      const [expiry, functions, kinesisStreams] = await Promise.all([
        expiryOf(operator, realm, name),
        functionsOn(operator, realm, described),
        kinesisStreamsOf(operator, realm, name),
      ]);
      return { part, name, described, expiry, functions, kinesisStreams };
    }),
  );

async function expiryOf({ clients }: Operator, realm: Realm, name: string) {
  const command = new DescribeTimeToLiveCommand({ TableName: name });
  return (await clients.dynamoDb(realm).send(command)).TimeToLiveDescription;
}

async function functionsOn(
  { clients }: Operator,
  realm: Realm,
  { LatestStreamArn: stream, StreamSpecification: specification }: TableDescription,
): Promise<number> {
  if (stream === undefined || specification?.StreamEnabled !== true) return 0;
  const command = new ListEventSourceMappingsCommand({ EventSourceArn: stream });
  const { EventSourceMappings: mappings = [] } = await clients.functions(realm).send(command);
  return mappings.filter(({ State: state }) => state !== 'Deleting').length;
}

async function kinesisStreamsOf({ clients }: Operator, realm: Realm, name: string) {
  const command = new DescribeKinesisStreamingDestinationCommand({ TableName: name });
  const { KinesisDataStreamDestinations: streams = [] } = await clients
    .dynamoDb(realm)
    .send(command);
  return streams.filter(({ DestinationStatus: status }) => status === 'ACTIVE').length;
}

/** Pure: every own table of a realm that is not as it is declared. */
export function formsFound(
  { residency, stage }: Pick<Operator, 'residency' | 'stage'>,
  realm: Realm,
  tables: readonly OwnTable[],
): readonly Found[] {
  if (tables.length === 0) return [fine('no part is a table of your own')];
  const declared = declaredTables(residency, stage, realm);
  const wrong = tables.flatMap(({ name, described, expiry }) => {
    const table = declared.find((one) => one.name === name) ?? { name, keys: [], indexes: [] };
    const form = formFound(table, described);
    return [form, ...(described === undefined ? [] : [expiryFound(table, expiry)])];
  });
  const findings = wrong.filter(({ ok }) => !ok);
  if (findings.length > 0) return findings;
  return [fine(`${tables.length} own tables are there, with the keys and the expiry as declared`)];
}

/** Pure: in what the tables of a part differ between realms, beyond what is declared of them. */
export function differences(
  byRealm: ReadonlyMap<Realm, readonly OwnTable[]>,
  part: Part,
): readonly Found[] {
  const known = [...byRealm].flatMap(([realm, tables]) => {
    const table = tables.find((one) => one.part.name === part.name);
    return table?.described === undefined ? [] : [{ realm, aspects: aspectsOf(table) }];
  });
  const names = [...new Set(known.flatMap(({ aspects }) => [...aspects.keys()]))];
  const findings = names.flatMap((aspect) => {
    const realmsBy = Map.groupBy(known, ({ aspects }) => aspects.get(aspect) ?? 'not there');
    if (realmsBy.size < 2) return [];
    const says = [...realmsBy]
      .map(([value, some]) => `${value} in ${some.map(({ realm }) => realm).join(', ')}`)
      .join('; ');
    return [
      bad(
        `the tables of part ${part.name} differ, ${aspect}: ${says}`,
        'make them alike: a tenant that is moved is served by what the table of its new realm has',
      ),
    ];
  });
  if (findings.length > 0) return findings;
  return [
    fine(`the tables of part ${part.name} have the same indexes, streams and readers of them`),
  ];
}

function aspectsOf({ described = {}, functions, kinesisStreams }: OwnTable): Map<string, string> {
  const { AttributeDefinitions, GlobalSecondaryIndexes, LocalSecondaryIndexes } = described;
  const { StreamSpecification: stream } = described;
  const indexes = [
    ...(GlobalSecondaryIndexes ?? []).map((index) => ({ kind: 'index', ...index })),
    ...(LocalSecondaryIndexes ?? []).map((index) => ({ kind: 'local index', ...index })),
  ];
  return new Map([
    ['keys', keysOf(described).join(', ')],
    ['stream', stream?.StreamEnabled === true ? (stream.StreamViewType ?? 'on') : 'off'],
    ['functions on the stream', String(functions)],
    ['Kinesis streams', String(kinesisStreams)],
    ...indexes.map(({ kind, IndexName, KeySchema, Projection: projection }) => {
      const keys = keysOf({ KeySchema, AttributeDefinitions }).join(', ');
      const attributes = [...(projection?.NonKeyAttributes ?? [])].sort();
      const projected = [projection?.ProjectionType ?? 'ALL', ...attributes].join(' ');
      return [`${kind} ${IndexName}`, `${keys}, ${projected}`] as const;
    }),
  ]);
}
