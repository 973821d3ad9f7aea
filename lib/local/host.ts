/** The second host: all realms in this process, one HTTP port each, on the same functions, routes and ASL file as in AWS. */

import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { SdkCall } from '../../lambdas/adapters/aws-clients.ts';
import { compose } from '../../lambdas/compose.ts';
import { otherWritersSecondsOf } from '../../lambdas/domain/datasets/other-writers.ts';
import { defined } from '../../lambdas/domain/defined.ts';
import { deployedIn } from '../../lambdas/domain/deployed-realms.ts';
import { type Realm, type RealmRow, stackRows } from '../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import type { Log, Metrics } from '../../lambdas/ports.ts';
import { residency as configured } from '../../residency.config.ts';
import { codeVersion } from '../code-version.ts';
import { localBaseUrls } from '../local-base-urls.ts';
import { DEFAULT_PORT, tcpPortsFrom } from '../local-ports.ts';
import { BACKGROUND_TASKS, routesOf, SCHEDULES } from '../routes.ts';
import { atMost } from './concurrency.ts';
import {
  type EmbeddedDynamoDbOptions,
  startEmbeddedDynamoDb,
} from './dynamodb/embedded-dynamodb.ts';
import { localForwardUrls } from './forward-urls.ts';
import { startFunctionEndpoint } from './function-endpoint.ts';
import { functionsOf, loadFunctions, type RealmFunctions } from './functions.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { hostLife } from './host-id.ts';
import { startKeyStore } from './key-store.ts';
import { delayed } from './latency.ts';
import { type SimulatedAtlassian, startSimulatedAtlassian } from './simulated-atlassian.ts';
import { createTables, tableDefinitions } from './tables.ts';
import { throttle } from './throttle.ts';
import type { UnwritableDataDir } from './unwritable.ts';
import { type WorkerDeaths, workerDeaths } from './worker-death.ts';
import type { Execution } from './workflows/execution.ts';
import type { MachineOptions } from './workflows/state-machine.ts';
import { statusChange } from './workflows/status-change-event.ts';
import { startWorkflowRunner } from './workflows/workflow-runner.ts';

export interface LocalHostOptions {
  /** Instead of `residency.config.ts`, for tests. */
  readonly residency?: Residency;
  /** Of DynamoDB; the realms follow on the next ones, and then what `ports.ts` says. */
  readonly port?: number;
  /** Any free TCP ports instead. */
  readonly ephemeral?: true;
  /** Keeps items and the names of executions; without it everything is in memory. */
  readonly dataDir?: string;
  /**
   * The functions' environment, and `JANITOR_SECONDS` (0: only once, at the start). `INSTALL_KEYS_URL` may name several
   * servers, between commas.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly log?: Log;
  /** Without it, what is measured is dropped: nobody looks at it here. */
  readonly metrics?: (realm: Realm) => Metrics;
  /** Told of every AWS call that a function makes; `currentFunction()` says which function it is. */
  readonly onCall?: (call: SdkCall) => void;
  /** Each route lets through what `lib/routes.ts` says, as API Gateway does. */
  readonly throttled?: boolean;
  /** Names that the realms answer to, beside 127.0.0.1 and localhost. */
  readonly hostNames?: readonly string[];
  /** Divides the waiting time of every retrier in the ASL file. */
  readonly retrySpeed?: number;
  /** How long a function may run, for tests that would not wait for a dead worker's lease. */
  readonly timeoutSecondsOf?: (entry: string) => number;
  /** From the region of the calling function to the one that it calls. */
  readonly latencyMs?: (fromRegion: string, toRegion: string) => number;
  /** Faults for the embedded DynamoDB. */
  readonly dynamoDb?: Pick<
    EmbeddedDynamoDbOptions,
    'inject' | 'onAnswered' | 'onRequest' | 'strict'
  >;
}

export interface LocalHost {
  readonly realms: readonly RealmRow[];
  /** Base URL of every realm, those included that another one's stack serves. */
  readonly urls: Readonly<Record<Realm, string>>;
  /** Where each stack itself answers; a router in front of it has another URL. */
  readonly ownUrls: Readonly<Record<Realm, string>>;
  readonly dynamoDbUrl: string;
  readonly stepFunctionsUrl: string;
  readonly keysUrl: string;
  /** Lambda's Invoke, for the functions in the background. */
  readonly functionsUrl: string;
  /** None, where `INSTALL_KEYS_URL` names somebody else's keys. */
  readonly atlassian: SimulatedAtlassian | undefined;
  /** Runs a function by its file below `lambdas/`, such as `tasks/janitor`, and within its timeout. */
  invoke(realm: Realm, entry: string, event: unknown): Promise<unknown>;
  /** Newest first. */
  executions(realm: Realm): readonly Execution[];
  /** Resolves when the data directory cannot be written to any more: the host must end, and go on in its next life. */
  readonly broken: Promise<UnwritableDataDir>;
  /** Kills workers. */
  readonly deaths: Pick<WorkerDeaths, 'killNextWorker' | 'spareNextWorker'>;
  close(): Promise<void>;
}

export const STAGE = 'local';
export const ACCOUNT = '000000000000';
const UNHEARD: Metrics = { record: () => {} };
/** Short enough to watch; only what writes from outside is waited for as long as it says. */
const defaultsFor = (residency: Residency) => ({
  DRAIN_SECONDS: String(Math.max(1, otherWritersSecondsOf(residency))),
  COMMIT_GRACE_SECONDS: '2',
  JANITOR_SECONDS: '30',
});

/** Of functions that answer HTTP, and of tasks of workflows: of these, more than the ranges of one move at once. */
const CONCURRENT_REQUESTS = 24;
const CONCURRENT_TASKS = 40;

export async function startLocalHost(options: LocalHostOptions = {}): Promise<LocalHost> {
  await using opened = new AsyncDisposableStack();
  const whole = options.residency ?? configured;
  const residency = deployedIn(whole, options.env?.['REALMS'] || undefined);
  const env: Record<string, string | undefined> = {
    ...defaultsFor(residency),
    ...options.env,
  };
  const pause = wholeSeconds('JANITOR_SECONDS', env.JANITOR_SECONDS);
  const rows = stackRows(residency.realms);
  const forwardUrls = localForwardUrls(residency, env, options.log);
  const tcpPorts = tcpPortsFrom(options.port ?? DEFAULT_PORT, whole.realms);
  const portOf = (port: number) => (options.ephemeral ? 0 : port);
  const functions = new Map<Realm, RealmFunctions>();
  const { promise: broken, resolve: onUnwritable } = Promise.withResolvers<UnwritableDataDir>();
  process.env.AWS_ACCESS_KEY_ID ??= 'local';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'local';

  // 1. DynamoDB of every region, unless another endpoint stands in for it.
  const dynamoDbUrl = env.AWS_ENDPOINT_URL_DYNAMODB || (await startDynamoDb());

  async function startDynamoDb(): Promise<string> {
    const regions = [...new Set(rows.map((row) => row.region))];
    const dataDir = options.dataDir === undefined ? {} : { dataDir: options.dataDir };
    const dynamoDb = await startEmbeddedDynamoDb({
      port: portOf(tcpPorts.dynamoDb),
      regions,
      onUnwritable,
      ...dataDir,
      ...options.dynamoDb,
    });
    opened.defer(() => dynamoDb.close());
    return dynamoDb.url;
  }

  // The lock on the stores proves that an earlier life has ended. Elsewhere nothing does, and dead leases run out.
  const deaths = workerDeaths();
  const life = hostLife(env.AWS_ENDPOINT_URL_DYNAMODB ? undefined : options.dataDir);

  // 2. Step Functions: a state machine per realm.
  const tasks = atMost(CONCURRENT_TASKS);
  const runner = await startWorkflowRunner({
    machines: rows.map(machineOf),
    port: portOf(tcpPorts.stepFunctions),
    ...defined({ retrySpeed: options.retrySpeed }),
  });
  opened.defer(() => runner.close());

  function machineOf({ realm, region }: RealmRow): MachineOptions {
    return {
      realm,
      arn: `arn:aws:states:${region}:${ACCOUNT}:stateMachine:${physicalNames(residency, STAGE, realm).stateMachine}`,
      runTask: (task, input) => tasks(() => functionsIn(realm).run(`tasks/${task}`, input)),
      onUnwritable,
      onBadEnd: (execution) => void settle(realm, statusChange(execution, region, ACCOUNT)),
      ...defined({ dataDir: options.dataDir, log: options.log }),
    };
  }

  // 3. KMS: the keys that receipts are signed with.
  const keyStore = await startKeyStore({
    port: portOf(tcpPorts.keys),
    account: ACCOUNT,
    aliases: rows.map(({ realm, region }) => ({
      region,
      alias: physicalNames(residency, STAGE, realm).receiptKey,
    })),
    ...defined({ dataDir: options.dataDir }),
  });
  opened.defer(() => keyStore.close());

  // 4. The keys that installations are signed with.
  const atlassian = env.INSTALL_KEYS_URL
    ? undefined
    : await startSimulatedAtlassian({
        appKey: residency.app.key,
        forgeAppId: residency.app.forge?.appId,
        port: portOf(tcpPorts.installKeys),
      });
  if (atlassian) opened.defer(() => atlassian.close());

  // 5. The tables of every realm.
  await Promise.all(
    rows.map(async ({ realm, region }) => {
      const client = new DynamoDBClient({ region, endpoint: dynamoDbUrl });
      await createTables(client, tableDefinitions(residency, STAGE, realm));
      client.destroy();
    }),
  );

  // 6. Per realm the gateway, which says what its base URL is, and then the app behind it.
  const gateways = new Map<Realm, Gateway>();
  const requests = atMost(CONCURRENT_REQUESTS);
  for (const { realm } of rows) {
    const gateway = await startGateway({
      realm,
      port: portOf(tcpPorts.realm(realm)),
      routes: routesOf(residency),
      endpointOf: (entry) => functions.get(realm)?.named(entry),
      functionTimeoutMs: (entry) => functionsIn(realm).timeoutMsOf(entry),
      ...defined({ log: options.log }),
      ...(options.throttled && { throttle: throttle() }),
      limited: requests,
      ...defined({ hostNames: options.hostNames }),
    });
    opened.defer(() => gateway.close());
    gateways.set(realm, gateway);
  }
  const { urls, elsewhere } = localBaseUrls(
    residency,
    env,
    (stack) => gateways.get(stack)?.url ?? '',
  );
  for (const [realm, url] of elsewhere)
    options.log?.warn(
      `the base URL of ${realm}, ${url}, is not on this machine: ${urls[realm]} stands for it`,
    );
  const loaded = await loadFunctions();
  for (const row of rows) {
    const app = compose(await environmentOf(row), {
      residency,
      around: (call, make) => {
        options.onCall?.(call);
        return deaths.around(call, make);
      },
      ...defined({ log: options.log }),
      metrics: options.metrics?.(row.realm) ?? UNHEARD,
      isGone: (owner) => life.isGone(owner) || deaths.isGone(owner),
    });
    const { timeoutSecondsOf } = options;
    const { newRequestId } = life;
    functions.set(
      row.realm,
      functionsOf(loaded, row.realm, app, {
        timeoutSecondsOf,
        newRequestId,
        onTimedOut: deaths.end,
      }),
    );
  }

  async function environmentOf({
    realm,
    region,
  }: RealmRow): Promise<Record<string, string | undefined>> {
    return {
      ...env,
      REALM: realm,
      STAGE,
      ACCOUNT_ID: ACCOUNT,
      BASE_URLS: JSON.stringify(urls),
      INSTALLED_FORWARD_URL: forwardUrls[realm],
      INSTALL_KEYS_URL: atlassian?.installKeysUrl ?? env.INSTALL_KEYS_URL,
      FORGE_JWKS_URL: env.FORGE_JWKS_URL || atlassian?.forgeKeysUrl,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_DYNAMODB: await fromRegion(region, dynamoDbUrl),
      AWS_ENDPOINT_URL_SFN: await fromRegion(region, runner.url),
      AWS_ENDPOINT_URL_KMS: keyStore.url,
      CODE_VERSION: codeVersion(),
    };
  }

  async function fromRegion(region: string, url: string): Promise<string> {
    const { latencyMs } = options;
    if (!latencyMs) return url;
    const endpoint = await delayed(url, (to) => latencyMs(region, to));
    opened.defer(() => endpoint.close());
    return endpoint.url;
  }

  // 7. What people and schedules call by name.
  const endpoint = await startFunctionEndpoint({
    port: portOf(tcpPorts.functions),
    functionNamed,
    run: (realm, entry, event) => functionsIn(realm).run(entry, event),
  });
  opened.defer(() => endpoint.close());

  function functionNamed(name: string) {
    for (const { realm } of rows) {
      const task = BACKGROUND_TASKS.find(
        (candidate) => physicalNames(residency, STAGE, realm).lambda(candidate) === name,
      );
      if (task !== undefined) return { realm, entry: `tasks/${task}` };
    }
    return undefined;
  }

  // 8. The janitor: now, so that what a stopped host left behind goes on, and from time to time.
  let sweep = sweepAll();
  await sweep;
  const sweepAgain = () => {
    sweep = sweep.then(sweepAll);
  };
  const timer = pause > 0 ? setInterval(sweepAgain, pause * 1000) : undefined;
  opened.defer(() => {
    clearInterval(timer);
    return sweep;
  });

  async function sweepAll(): Promise<void> {
    const swept = await Promise.allSettled(
      rows.map(async ({ realm }) => {
        for (const { task } of SCHEDULES) await functionsIn(realm).run(`tasks/${task}`, {});
      }),
    );
    for (const one of swept) {
      if (one.status === 'rejected')
        options.log?.error(`a scheduled task failed: ${String(one.reason)}`);
    }
  }

  /** EventBridge calls a function up to three times. */
  async function settle(realm: Realm, event: unknown, tries = 3): Promise<void> {
    try {
      await functionsIn(realm).run('tasks/settle', event);
    } catch (error) {
      options.log?.error(`settle of ${realm} failed: ${String(error)}`);
      if (tries === 1) return;
      await sleep(1_000, undefined, { ref: false });
      await settle(realm, event, tries - 1);
    }
  }

  function functionsIn(realm: Realm): RealmFunctions {
    const found = functions.get(realm);
    if (!found) throw new Error(`realm ${realm} is not up`);
    return found;
  }

  // 8. What was opened last is closed first.
  const open = opened.move();
  return {
    realms: residency.realms,
    urls,
    ownUrls: Object.fromEntries([...gateways].map(([realm, { url }]) => [realm, url])),
    dynamoDbUrl,
    stepFunctionsUrl: runner.url,
    keysUrl: keyStore.url,
    functionsUrl: endpoint.url,
    atlassian,
    invoke: async (realm, entry, event) => functionsIn(realm).run(entry, event),
    executions: (realm) => runner.executions(realm),
    deaths,
    broken,
    close: () => open.disposeAsync(),
  };
}

function wholeSeconds(name: string, text = ''): number {
  if (!/^\d{1,7}$/.test(text))
    throw new Error(`${name} is a whole number of seconds, not "${text}"`);
  return Number(text);
}
