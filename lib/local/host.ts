/**
 * The second host: all realms in this process, one HTTP port each, on the same functions, routes
 * and ASL file as in AWS.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { bucketsOf } from '../../lambdas/domain/datasets/kinds.ts';
import { defined } from '../../lambdas/domain/defined.ts';
import type { Realm, RealmRow } from '../../lambdas/domain/realm.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { localBaseUrls } from '../local-base-urls.ts';
import { BACKGROUND_TASKS, routesOf } from '../routes.ts';
import { createBuckets } from './buckets.ts';
import { allowsCopyAhead, startEmbeddedDynamoDb } from './dynamodb/embedded-dynamodb.ts';
import { atMost } from './functions/concurrency.ts';
import { eventBridge } from './functions/event-bridge.ts';
import { startFunctionEndpoint } from './functions/function-endpoint.ts';
import { hostRun } from './functions/host-id.ts';
import { startRealmApps } from './functions/realm-apps.ts';
import type { RealmFunctions } from './functions/realm-functions.ts';
import { type WorkerDeaths, workerDeaths } from './functions/worker-death.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { ACCOUNT, hostSetup, type LocalHostOptions, STAGE } from './host-setup.ts';
import { startKeyStore } from './key-store.ts';
import { startEmbeddedS3 } from './s3/embedded-s3.ts';
import { type SimulatedAtlassian, startSimulatedAtlassian } from './simulated-atlassian.ts';
import { createTables, tableDefinitions } from './tables.ts';
import { throttle } from './throttle.ts';
import type { UnwritableDataDir } from './unwritable.ts';
import type { Execution } from './workflows/execution.ts';
import type { MachineOptions } from './workflows/state-machine.ts';
import { statusChange } from './workflows/status-change-event.ts';
import { startWorkflowRunner } from './workflows/workflow-runner.ts';

export interface LocalHost {
  /** What this host runs: its realms, and the parts of a tenant's dataset. */
  readonly residency: Residency;
  readonly realms: readonly RealmRow[];
  /** Base URL of every realm, including those that another realm's stack serves. */
  readonly urls: Readonly<Record<Realm, string>>;
  /** The URL of each stack itself; a router in front of it has another. */
  readonly ownUrls: Readonly<Record<Realm, string>>;
  readonly dynamoDbUrl: string;
  /** `undefined` where the dataset has no bucket. */
  readonly s3Url: string | undefined;
  readonly stepFunctionsUrl: string;
  readonly keysUrl: string;
  /** Lambda's Invoke, for the background functions. */
  readonly functionsUrl: string;
  /** `undefined` where `INSTALL_KEYS_URL` names another key server. */
  readonly atlassian: SimulatedAtlassian | undefined;
  /** Runs a function by its file below `lambdas/`, such as `tasks/janitor`, within its timeout. */
  invoke(realm: Realm, entry: string, event: unknown): Promise<unknown>;
  /** Newest first. */
  executions(realm: Realm): readonly Execution[];
  /**
   * Resolves when the data directory cannot be written to any more: the host must end, and be
   * started again.
   */
  readonly broken: Promise<UnwritableDataDir>;
  /** Kills workers. */
  readonly deaths: Pick<WorkerDeaths, 'killNextWorker' | 'spareNextWorker'>;
  close(): Promise<void>;
}

/**
 * How many functions that answer HTTP, and how many tasks of workflows, run at once: more tasks
 * than one move has ranges at once.
 */
const CONCURRENT_REQUESTS = 24;
const CONCURRENT_TASKS = 40;

export async function startLocalHost(options: LocalHostOptions = {}): Promise<LocalHost> {
  await using opened = new AsyncDisposableStack();
  const setup = hostSetup(options);
  const { residency, rows, env, tcpPorts, portOf, namesIn } = setup;
  const { promise: broken, resolve: onUnwritable } = Promise.withResolvers<UnwritableDataDir>();
  let functions: ReadonlyMap<Realm, RealmFunctions> = new Map();
  const run = async (realm: Realm, entry: string, event: unknown) =>
    functionsIn(realm).run(entry, event);
  const rules = eventBridge({ realms: rows.map(({ realm }) => realm), run, log: options.log });
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';

  // 1. DynamoDB of every region, unless another endpoint stands in for it.
  const dynamoDbUrl = env['AWS_ENDPOINT_URL_DYNAMODB'] || (await startDynamoDb());

  //    And S3, where the dataset has buckets.
  const hasBuckets = bucketsOf(residency.parts).length > 0;
  const s3Url = hasBuckets ? env['AWS_ENDPOINT_URL_S3'] || (await startS3()) : undefined;

  // 2. This run of the host. The lock on the stores proves that an earlier run has ended; without
  //    it nothing does, and the leases of its dead workers run out.
  const deaths = workerDeaths();
  const thisRun = hostRun(env['AWS_ENDPOINT_URL_DYNAMODB'] ? undefined : options.dataDir);

  // 3. Step Functions: a state machine per realm.
  const tasks = atMost(CONCURRENT_TASKS);
  const runner = await startWorkflowRunner({
    machines: rows.map(machineOf),
    port: portOf(tcpPorts.stepFunctions),
    ...defined({ retrySpeed: options.retrySpeed }),
  });
  opened.defer(() => runner.close());

  // 4. KMS: the keys that receipts are signed with.
  const keyStore = await startKeyStore({
    port: portOf(tcpPorts.keys),
    account: ACCOUNT,
    aliases: rows.map(({ realm, region }) => ({ region, alias: namesIn(realm).receiptKey })),
    ...defined({ dataDir: options.dataDir }),
  });
  opened.defer(() => keyStore.close());

  // 5. Atlassian, with the keys that installations are signed with, unless another key server is
  //    named.
  const atlassian = env['INSTALL_KEYS_URL']
    ? undefined
    : await startSimulatedAtlassian({
        appKey: residency.app.key,
        forgeAppId: residency.app.forge?.appId,
        port: portOf(tcpPorts.installKeys),
      });
  if (atlassian) opened.defer(() => atlassian.close());

  // 6. The tables and buckets of every realm.
  await Promise.all(rows.map(createTablesIn));
  if (s3Url !== undefined) await Promise.all(rows.map((row) => createBucketsIn(row, s3Url)));

  // 7. The gateway of every realm, and with it the base URLs.
  const gateways = new Map<Realm, Gateway>();
  const requests = atMost(CONCURRENT_REQUESTS);
  for (const { realm } of rows) gateways.set(realm, await startGatewayOf(realm));
  const { urls, elsewhere } = localBaseUrls(
    residency,
    env,
    (stack) => gateways.get(stack)?.url ?? '',
  );
  for (const [realm, url] of elsewhere)
    options.log?.warn(
      `the base URL of ${realm}, ${url}, is not on this machine: ${urls[realm]} stands for it`,
    );

  // 8. The app of every realm, behind its gateway.
  functions = await startRealmApps(options, setup, {
    dynamoDbUrl,
    s3Url,
    stepFunctionsUrl: runner.url,
    keysUrl: keyStore.url,
    atlassian,
    urls,
    thisRun,
    deaths,
    opened,
  });

  // 9. Lambda's Invoke, for what people and schedules call by name.
  const endpoint = await startFunctionEndpoint({
    port: portOf(tcpPorts.functions),
    functionNamed,
    run,
  });
  opened.defer(() => endpoint.close());

  // 10. The schedules: now, so that what a stopped host left behind goes on, and from time to time.
  const schedules = await rules.startSchedules(setup.sweepSeconds);
  opened.defer(() => schedules.close());

  // 11. What was opened last is closed first.
  const open = opened.move();
  return {
    residency,
    realms: residency.realms,
    urls,
    ownUrls: Object.fromEntries([...gateways].map(([realm, { url }]) => [realm, url])),
    dynamoDbUrl,
    s3Url,
    stepFunctionsUrl: runner.url,
    keysUrl: keyStore.url,
    functionsUrl: endpoint.url,
    atlassian,
    invoke: run,
    executions: (realm) => runner.executions(realm),
    deaths,
    broken,
    close: () => open.disposeAsync(),
  };

  async function startDynamoDb(): Promise<string> {
    const dynamoDb = await startEmbeddedDynamoDb({
      port: portOf(tcpPorts.dynamoDb),
      regions: [...new Set(rows.map((row) => row.region))],
      onUnwritable,
      // An app beside us reads its own tables as it likes: it signs with a key of its own.
      strict: {
        allowEventualReads: (call) =>
          allowsCopyAhead(call) || call.accessKey !== process.env['AWS_ACCESS_KEY_ID'],
      },
      ...defined({ dataDir: options.dataDir }),
      ...options.dynamoDb,
    });
    opened.defer(() => dynamoDb.close());
    return dynamoDb.url;
  }

  async function startS3(): Promise<string> {
    const s3 = await startEmbeddedS3({
      port: portOf(tcpPorts.objects),
      regions: [...new Set(rows.map((row) => row.region))],
      onUnwritable,
      ...defined({ dataDir: options.dataDir }),
      ...options.s3,
    });
    opened.defer(() => s3.close());
    return s3.url;
  }

  async function createBucketsIn(row: RealmRow, url: string): Promise<void> {
    const client = new S3Client({ region: row.region, endpoint: url, forcePathStyle: true });
    await createBuckets(client, residency, { stage: STAGE, account: ACCOUNT, ...row });
    client.destroy();
  }

  function machineOf({ realm, region }: RealmRow): MachineOptions {
    return {
      realm,
      arn: `arn:aws:states:${region}:${ACCOUNT}:stateMachine:${namesIn(realm).stateMachine}`,
      runTask: (task, input) => tasks(() => run(realm, `tasks/${task}`, input)),
      onUnwritable,
      onFailedExecution: (execution) =>
        void rules.settle(realm, statusChange(execution, region, ACCOUNT)),
      ...defined({ dataDir: options.dataDir, log: options.log }),
    };
  }

  async function createTablesIn({ realm, region }: RealmRow): Promise<void> {
    const client = new DynamoDBClient({ region, endpoint: dynamoDbUrl });
    await createTables(client, tableDefinitions(residency, STAGE, realm));
    client.destroy();
  }

  async function startGatewayOf(realm: Realm): Promise<Gateway> {
    const gateway = await startGateway({
      realm,
      port: portOf(tcpPorts.realm(realm)),
      routes: routesOf(residency),
      endpointOf: (entry) => functions.get(realm)?.named(entry),
      functionTimeoutMs: (entry) => functionsIn(realm).timeoutMsOf(entry),
      limited: requests,
      ...defined({ log: options.log, hostNames: options.hostNames }),
      ...(options.throttled && { throttle: throttle() }),
    });
    opened.defer(() => gateway.close());
    return gateway;
  }

  function functionNamed(name: string) {
    for (const { realm } of rows) {
      const task = BACKGROUND_TASKS.find((candidate) => namesIn(realm).lambda(candidate) === name);
      if (task !== undefined) return { realm, entry: `tasks/${task}` };
    }
    return undefined;
  }

  function functionsIn(realm: Realm): RealmFunctions {
    const found = functions.get(realm);
    if (!found) throw new Error(`realm ${realm} is not up`);
    return found;
  }
}
