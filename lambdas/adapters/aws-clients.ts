/** SDK clients per region, with the time-outs that let a hook answer in time, and an ear for what they are asked. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { errorOf } from './aws-errors.ts';

/** One call of the SDK: which action, in which region, on which tables, indexes (`table/index`), state machines or aliases of keys. */
export interface SdkCall {
  readonly service: 'dynamodb' | 'states' | 'kms';
  readonly command: string;
  readonly region: string;
  readonly resources: readonly string[];
}

export interface ClientOptions {
  readonly dynamoDbEndpoint?: string | undefined;
  readonly statesEndpoint?: string | undefined;
  readonly keysEndpoint?: string | undefined;
  readonly around?: Around | undefined;
}

/** Makes a call in its stead: hears of it before and after, or withholds its answer. */
export type Around = <T>(call: SdkCall, make: () => Promise<T>) => Promise<T>;

export type AwsClients = ReturnType<typeof awsClients>;

/** Records: three tries fit into the time that a hook has. */
const RECORD_TIMEOUT_MS = 3_000;
/** Items: a page or a batch may be megabytes, and cross an ocean. */
const ITEMS_TIMEOUT_MS = 15_000;

const http = (requestTimeout: number) => ({
  connectionTimeout: 1_000,
  requestTimeout,
  throwOnRequestTimeout: true,
  httpsAgent: { keepAlive: true, maxSockets: 256 },
  httpAgent: { keepAlive: true, maxSockets: 256 },
});

export function awsClients(options: ClientOptions) {
  const { dynamoDbEndpoint, statesEndpoint, keysEndpoint, around } = options;
  const common = (region: string, endpoint: string | undefined, timeout = RECORD_TIMEOUT_MS) => ({
    region,
    requestHandler: http(timeout),
    ...(endpoint ? { endpoint } : {}),
  });

  function dynamoDbClient(region: string, maxAttempts: number, timeout: number): DynamoDBClient {
    const client = new DynamoDBClient({
      ...common(region, dynamoDbEndpoint, timeout),
      maxAttempts,
    });
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const call: SdkCall = {
            service: 'dynamodb',
            command: operationOf(commandName),
            region,
            resources: tablesOf(args.input),
          };
          try {
            return await (around ? around(call, () => next(args)) : next(args));
          } catch (error) {
            throw errorOf(error, call);
          }
        },
      { step: 'initialize', name: 'around' },
    );
    return client;
  }

  return {
    dynamoDb: perRegion((region) => dynamoDbClient(region, 3, ITEMS_TIMEOUT_MS)),
    /** Without the SDK's own retries, which would hide throttling from the window of a worker. */
    dynamoDbWriter: perRegion((region) => dynamoDbClient(region, 1, ITEMS_TIMEOUT_MS)),
    documents: perRegion((region) =>
      DynamoDBDocumentClient.from(dynamoDbClient(region, 3, RECORD_TIMEOUT_MS), {
        marshallOptions: { removeUndefinedValues: true },
      }),
    ),
    keys: perRegion((region) => {
      const client = new KMSClient({ ...common(region, keysEndpoint), maxAttempts: 3 });
      if (around) {
        client.middlewareStack.add(
          (next, { commandName = '' }) =>
            (args) => {
              const { KeyId: key }: Record<string, unknown> = { ...args.input };
              const call: SdkCall = {
                service: 'kms',
                command: operationOf(commandName),
                region,
                resources: [String(key)],
              };
              return around(call, () => next(args));
            },
          { step: 'initialize', name: 'around' },
        );
      }
      return client;
    }),
    states: perRegion((region) => {
      const client = new SFNClient({ ...common(region, statesEndpoint), maxAttempts: 3 });
      if (around) {
        client.middlewareStack.add(
          (next, { commandName = '' }) =>
            (args) => {
              const { stateMachineArn: arn }: Record<string, unknown> = { ...args.input };
              const call: SdkCall = {
                service: 'states',
                command: operationOf(commandName),
                region,
                resources: [String(arn)],
              };
              return around(call, () => next(args));
            },
          { step: 'initialize', name: 'around' },
        );
      }
      return client;
    }),
  };
}

/** One client per region and process, made when it is first needed. */
function perRegion<T>(make: (region: string) => T): (region: string) => T {
  const made = new Map<string, T>();
  return (region) => {
    const client = made.get(region) ?? make(region);
    made.set(region, client);
    return client;
  };
}

const operationOf = (commandName: string) => commandName.replace(/Command$/, '');

function tablesOf(input: object): readonly string[] {
  const {
    TableName: table,
    IndexName: index,
    RequestItems: items,
  }: Record<string, unknown> = { ...input };
  if (typeof items === 'object' && items !== null) return Object.keys(items);
  return [typeof index === 'string' ? `${String(table)}/${index}` : String(table)];
}
