/** Environment → adapters → app: only this file and `doors.ts` know both sides. */

import { residency as configured } from '../residency.config.ts';
import { type Around, awsClients } from './adapters/aws-clients.ts';
import { dynamoDbPartKind } from './adapters/dataset/dynamodb-part-kind.ts';
import { dynamoDbSamples } from './adapters/dataset/dynamodb-samples.ts';
import type { ObjectLimits } from './adapters/dataset/s3/object-side.ts';
import { s3PartKind } from './adapters/dataset/s3/s3-part-kind.ts';
import { emfMetrics } from './adapters/emf-metrics.ts';
import { jsonLog } from './adapters/json-log.ts';
import { partKindOf } from './adapters/part-kinds.ts';
import { receiptSigner } from './adapters/receipt-signer.ts';
import { dynamoDbKeptEvents } from './adapters/records/dynamodb-kept-events.ts';
import { dynamoDbLedger } from './adapters/records/dynamodb-ledger.ts';
import { dynamoDbTenants } from './adapters/records/dynamodb-tenants.ts';
import { stepFunctions } from './adapters/step-functions.ts';
import { systemClock } from './adapters/system-clock.ts';
import { appContext } from './app/app-context.ts';
import { rehearse } from './app/background/rehearse.ts';
import { realmApp } from './app/realm-app.ts';
import { logWithMetrics, portsWithMetrics } from './app/with-metrics.ts';
import type { Part } from './domain/datasets/dataset.ts';
import { bucketsOf, kindOf, tablesOf } from './domain/datasets/kinds.ts';
import { defined } from './domain/defined.ts';
import { deployedIn } from './domain/deployed-realms.ts';
import { DEFAULT_CONCURRENCY } from './domain/operating/settings.ts';
import { baseUrlIn } from './domain/operating/urls.ts';
import { partitionOf, regionOf } from './domain/realm.ts';
import {
  BACKUP_DAYS,
  COMMIT_GRACE_SECONDS,
  clashIn,
  physicalNames,
  type Residency,
} from './domain/residency.ts';
import { forwardUrlOf } from './domain/tenants/forwarding.ts';
import type { Clock, IsGone, Log, Metrics, Ports } from './ports.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ComposeOptions {
  /** Wraps every call of the SDK, for a host that observes them. */
  readonly around?: Around | undefined;
  readonly log?: Log | undefined;
  readonly metrics?: Metrics | undefined;
  readonly clock?: Clock | undefined;
  /** A host that knows which of its invocations are dead says so; Lambda does not know. */
  readonly isGone?: IsGone | undefined;
  /** Instead of `residency.config.ts`, for tests. */
  readonly residency?: Residency | undefined;
  /** Sizes from which objects are copied in parts, for tests with small ones. */
  readonly objectLimits?: Partial<ObjectLimits> | undefined;
}

export type App = ReturnType<typeof compose>;

/**
 * Builds one realm's app, without doors: functions that take tokens have them by
 * `composeWithDoors`. Throws a sentence that names the variable where the environment is
 * incomplete.
 */
export function compose(env: Environment, options: ComposeOptions = {}) {
  const residency = deployedIn(options.residency ?? configured, env['REALMS'] || undefined);
  const clock = options.clock ?? systemClock;
  const realm = required(env, 'REALM');
  if (!residency.realms.some((row) => row.realm === realm))
    throw new Error(`the environment variable REALM names ${realm}, which is not deployed`);
  const stage = required(env, 'STAGE');
  const account = required(env, 'ACCOUNT_ID');
  const metrics = options.metrics ?? emfMetrics({ service: residency.name, stage, realm });
  const log = logWithMetrics(options.log ?? jsonLog({ realm, stage }), metrics);
  const region = (of: string) => regionOf(residency.realms, of);
  const names = (of: string) => physicalNames(residency, stage, of);
  const clients = awsClients({
    dynamoDbEndpoint: env['AWS_ENDPOINT_URL_DYNAMODB'],
    s3Endpoint: env['AWS_ENDPOINT_URL_S3'],
    statesEndpoint: env['AWS_ENDPOINT_URL_SFN'],
    keysEndpoint: env['AWS_ENDPOINT_URL_KMS'],
    around: options.around,
  });

  const documents = (of: string) => clients.documents(region(of));
  const datasets = {
    clientFor: (of: string) => clients.dynamoDb(region(of)),
    writerFor: (of: string) => clients.dynamoDbWriter(region(of)),
    tableOf: (part: Part, of: string) => names(of).part(part),
    parts: tablesOf(residency.parts),
    clock,
  };
  const placeOf = (part: Part, of: string) => names(of).part(part, { account, region: region(of) });
  const onThrottled = (requests: number) => metrics.record('Throttles', requests);
  const ports: Ports = portsWithMetrics({
    tenants: dynamoDbTenants({ clientFor: documents, tableOf: (of) => names(of).tenants, clock }),
    ...dynamoDbLedger({
      clientFor: documents,
      tableOf: (of) => names(of).migrations,
      clock,
      log,
    }),
    partKind: partKindOf(
      {
        dynamodb: dynamoDbPartKind({ ...datasets, onThrottled }),
        s3: s3PartKind({
          clientFor: (of) => clients.objects(region(of)),
          bucketOf: placeOf,
          parts: bucketsOf(residency.parts),
          clock,
          onThrottled,
          ...defined({ limits: options.objectLimits }),
        }),
      },
      residency.parts,
    ),
    workflows: stepFunctions({
      clientFor: (of) => clients.states(region(of)),
      arnOf: (of) =>
        `arn:${partitionOf(region(of)).name}:states:${region(of)}:${account}:stateMachine:${names(of).stateMachine}`,
    }),
    signer: receiptSigner({
      clientFor: (of) => clients.keys(region(of)),
      aliasOf: (of) => names(of).receiptKey,
    }),
    clock,
    log,
    metrics,
    isGone: options.isGone ?? (() => false),
  });

  const baseUrls = urls(env['BASE_URLS']);
  const context = appContext(ports, {
    realm,
    realms: residency.realms,
    parts: residency.parts,
    baseUrls,
    adoptByHost: residency.app.forge?.adoptByHost ?? false,
    maxOverlappingMigrations: wholeNumber(
      env,
      'MAX_OVERLAPPING_MIGRATIONS',
      residency.maxOverlappingMigrations,
    ),
    concurrency: wholeNumber(env, 'CONCURRENCY', DEFAULT_CONCURRENCY),
    drainSeconds: wholeNumber(env, 'DRAIN_SECONDS', 60),
    commitGraceSeconds: wholeNumber(env, 'COMMIT_GRACE_SECONDS', COMMIT_GRACE_SECONDS),
    copyAhead: env['COPY_AHEAD'] === 'off' ? undefined : residency.copyAhead,
    backupDays: BACKUP_DAYS,
    clash: clashIn(residency, stage, account),
    issuer: {
      app: residency.app.key,
      account,
      stage,
      version: env['CODE_VERSION'] ?? 'unknown',
      outOfScope: residency.outOfScope ?? [],
      placeArn: (part: Part, of: string) =>
        `arn:${partitionOf(region(of)).name}:${kindOf(part).arnOf(placeOf(part, of), { account, region: region(of) })}`,
    },
  });
  return {
    realm,
    stage,
    residency,
    baseUrls,
    ports,
    kept: dynamoDbKeptEvents({ clientFor: documents, tableOf: (of) => names(of).tenants }),
    documents: documents(realm),
    /** The buckets of this realm. */
    objects: {
      client: () => clients.objects(region(realm)),
      bucketOf: (part: Part) => placeOf(part, realm),
    },
    names: names(realm),
    forwardUrl: env['INSTALLED_FORWARD_URL'] ?? forwardUrlOf(residency, realm),
    ...realmApp(context),
    rehearse: rehearse(context, dynamoDbSamples(datasets)),
  };
}

function required(env: Environment, name: string): string {
  const value = env[name];
  if (!value) throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** A whole, non-negative number. */
function wholeNumber(env: Environment, name: string, otherwise: number): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  if (!/^\d{1,7}$/.test(text))
    throw new Error(`the environment variable ${name} is not a whole number: ${text}`);
  return Number(text);
}

/** Realm to base URL, in one spelling. */
function urls(text: string | undefined): Readonly<Record<string, string>> {
  const value: unknown = JSON.parse(text || '{}');
  const entries = Object.entries(typeof value === 'object' && value !== null ? value : {});
  return Object.fromEntries(entries.map(([realm, url]) => [realm, baseUrlIn(url) ?? String(url)]));
}
