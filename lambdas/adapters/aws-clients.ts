/**
 * SDK clients per region. Their time-outs let a hook answer in time, and every call can be
 * observed.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { errorOf } from './aws-errors.ts';
import { timeoutFor } from './timeouts.ts';

/**
 * One call of the SDK: the action, its region, and the tables, indexes (`table/index`), buckets,
 * state machines or key aliases that it names.
 */
export interface SdkCall {
  readonly service: 'dynamodb' | 's3' | 'states' | 'kms';
  readonly command: string;
  readonly region: string;
  readonly resources: readonly string[];
}

export interface ClientOptions {
  readonly dynamoDbEndpoint?: string | undefined;
  readonly s3Endpoint?: string | undefined;
  readonly statesEndpoint?: string | undefined;
  readonly keysEndpoint?: string | undefined;
  readonly around?: Around | undefined;
}

/** Wraps a call: sees it before and after, and may withhold its answer. */
export type Around = <T>(call: SdkCall, make: () => Promise<T>) => Promise<T>;

/** For records: three tries fit into the time that a hook has. */
const RECORD_TIMEOUT_MS = 3_000;
/** For items: a page or a batch may have megabytes, and go to another region. */
const ITEMS_TIMEOUT_MS = 15_000;
/** S3 answers a copy when it is made: 512 MB from another region may take half a minute. */
const OBJECTS_TIMEOUT_MS = 120_000;
const OBJECTS_AT_ONCE = 1_000;
const CONNECTION_TIMEOUT_MS = 1_000;

const http = (endpoint: string | undefined, requestTimeout: number, maxSockets = 256) => ({
  connectionTimeout: timeoutFor(endpoint, CONNECTION_TIMEOUT_MS),
  requestTimeout: timeoutFor(endpoint, requestTimeout),
  throwOnRequestTimeout: true,
  httpsAgent: { keepAlive: true, maxSockets },
  httpAgent: { keepAlive: true, maxSockets },
});

export function awsClients(options: ClientOptions) {
  const { dynamoDbEndpoint, s3Endpoint, statesEndpoint, keysEndpoint, around } = options;
  const common = (region: string, endpoint: string | undefined, timeout = RECORD_TIMEOUT_MS) => ({
    region,
    requestHandler: http(endpoint, timeout),
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
    /**
     * Has no retries of the SDK, because they would hide throttling from the worker's write window.
     */
    dynamoDbWriter: perRegion((region) => dynamoDbClient(region, 1, ITEMS_TIMEOUT_MS)),
    documents: perRegion((region) =>
      DynamoDBDocumentClient.from(dynamoDbClient(region, 3, RECORD_TIMEOUT_MS), {
        marshallOptions: { removeUndefinedValues: true },
      }),
    ),
    /** Has no retries of the SDK, because they would hide throttling from the request windows. */
    objects: perRegion((region) => {
      const client = new S3Client({
        region,
        requestHandler: http(s3Endpoint, OBJECTS_TIMEOUT_MS, OBJECTS_AT_ONCE),
        ...(s3Endpoint ? { endpoint: s3Endpoint, forcePathStyle: true } : {}),
        maxAttempts: 1,
      });
      if (around) {
        client.middlewareStack.add(
          (next, { commandName = '' }) =>
            (args) => {
              const { Bucket: bucket, CopySource: source }: Record<string, unknown> = {
                ...args.input,
              };
              const [from] = typeof source === 'string' ? source.split('/') : [];
              const call: SdkCall = {
                service: 's3',
                command: operationOf(commandName),
                region,
                resources: from === undefined ? [String(bucket)] : [String(bucket), from],
              };
              return around(call, () => next(args));
            },
          { step: 'initialize', name: 'around' },
        );
      }
      return client;
    }),
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

/** One client per region and process, made at its first use. */
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
