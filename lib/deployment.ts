/** One deployment of one realm, before any construct exists: its names, addresses and settings. */

import { Aws, RemovalPolicy } from 'aws-cdk-lib';
import { checkedSeconds, otherWritersSecondsOf } from '../lambdas/domain/datasets/other-writers.ts';
import type { S3Part } from '../lambdas/domain/datasets/s3-part.ts';
import { defined } from '../lambdas/domain/defined.ts';
import { realmNames } from '../lambdas/domain/deployed-realms.ts';
import { MOST_CONCURRENCY } from '../lambdas/domain/operating/settings.ts';
import { mayTrustSmokeKey } from '../lambdas/domain/operating/smoke.ts';
import { isOnThisMachine } from '../lambdas/domain/operating/urls.ts';
import { type Realm, type RealmRow, stackRows } from '../lambdas/domain/realm.ts';
import {
  baseUrlsOf,
  COMMIT_GRACE_SECONDS,
  checkPlaces,
  FORGE_ENVIRONMENT,
  FORGE_ENVIRONMENTS,
  FORGE_KEYS_URL,
  type ForgeApp,
  hostOf,
  keyServersOf,
  physicalNames,
  type Residency,
} from '../lambdas/domain/residency.ts';
import { forwardUrlOf } from '../lambdas/domain/tenants/forwarding.ts';
import { BUCKET_GRANTS, writesObjects } from './bucket-grants.ts';
import { codeVersion } from './code-version.ts';
import { ROUTE_ENTRIES, sizeOf, wordOf } from './entries.ts';
import { GRANTS, type Grant, isReadOnly } from './grants.ts';

export interface DeploymentOptions {
  /** Has the rows of the realms that are deployed, and no others. */
  readonly residency: Residency;
  /** The configuration may have more realms: the functions are told which are deployed. */
  readonly isSubset?: boolean;
  readonly stage: string;
  readonly row: RealmRow;
  /** Overrides the configuration's domain. */
  readonly domain?: string;
  readonly hostedZoneId?: string;
  /** Overrides the configuration's value. */
  readonly otherWritersSeconds?: number;
  /**
   * Reserved concurrency of each function that answers HTTP: a flood of requests then takes no more
   * than this from the workflow. Off unless given, because a new AWS account has too little
   * concurrency to reserve.
   */
  readonly reservedConcurrency?: number;
  /** Overrides the configuration's key servers, for another cloud of Atlassian. */
  readonly installKeyServers?: readonly string[];
  /**
   * Environment of the Forge app whose tokens this stage accepts. Overrides the configuration's.
   */
  readonly forgeEnvironment?: string;
  /**
   * How many ranges of a move are worked on at once where no operator has set anything else;
   * without it, 16.
   */
  readonly concurrency?: number;
  /**
   * Public key of the operator who may install synthetic tenants (`residency smoke-key`), as base64
   * of its DER. Never in `prod`.
   */
  readonly smokePublicKey?: string;
  readonly alarmsTo?: AlarmsTo;
  /** `off`: this stage copies nothing ahead of a window, whatever the configuration says. */
  readonly copyAhead?: string;
}

/** Where the stack sends the alarms of a realm. Others can subscribe to the topic themselves. */
export interface AlarmsTo {
  readonly email?: string;
  /** An HTTPS address, of an incident tool. */
  readonly url?: string;
}

export interface Deployment {
  readonly residency: Residency;
  readonly stage: string;
  readonly realm: Realm;
  readonly region: string;
  /** True: tables and keys outlive their stack. */
  readonly keepsData: boolean;
  /**
   * True: the stack and its tables refuse to be deleted. Never at the first deployment: decision
   * 44.
   */
  readonly isProtected: boolean;
  readonly names: ReturnType<typeof physicalNames>;
  /** The domain, its Route 53 zone, and the host name of this realm in it. */
  readonly zone?: { readonly name: string; readonly id: string; readonly host: string };
  readonly reservedConcurrency?: number;
  readonly alarmsTo: AlarmsTo;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A write that passed the guard just before its function died can still be on its way to the table.
 */
const DRAIN_MARGIN_SECONDS = 10;

/**
 * A hook that has read `active` may forward for as long as it runs, and the app writes after that.
 */
const FORWARD_SECONDS = sizeOf('hooks/installed').timeoutSeconds;

export function deploymentOf(options: DeploymentOptions): Deployment {
  const { residency, stage, row } = options;
  const otherWritersSeconds = checkedSeconds(
    options.otherWritersSeconds ?? otherWritersSecondsOf(residency),
  );
  const { reservedConcurrency, concurrency, alarmsTo = {} } = options;
  if (!/^[a-z0-9]{1,8}$/.test(stage)) {
    throw new Error(`stage "${stage}": one to eight lower-case letters and digits`);
  }
  checkPlaces(residency, stage);
  if (reservedConcurrency !== undefined && !isWithin(1, reservedConcurrency, 1_000)) {
    throw new Error('reservedConcurrency is a whole number from 1 to 1000');
  }
  if (concurrency !== undefined && !isWithin(1, concurrency, MOST_CONCURRENCY)) {
    throw new Error(`concurrency is a whole number from 1 to ${MOST_CONCURRENCY}`);
  }
  if (options.copyAhead !== undefined && options.copyAhead !== 'off')
    throw new Error(
      'copyAhead is switched off with -c copyAhead=off, and on in residency.config.ts',
    );
  if (alarmsTo.email !== undefined && !/^[^@\s]+@[^@\s]+$/.test(alarmsTo.email)) {
    throw new Error(`alarmEmail is an address, not "${alarmsTo.email}"`);
  }
  if (alarmsTo.url !== undefined && !/^https:\/\/\S+$/.test(alarmsTo.url)) {
    throw new Error('alarmUrl begins with https://');
  }
  if (options.smokePublicKey !== undefined && !mayTrustSmokeKey(stage))
    throw new Error(`smokePublicKey: stage ${stage} trusts no key but Atlassian’s`);
  const forwardUrl = forwardUrlOf(residency, row.realm);
  for (const [realm, url] of Object.entries(baseUrlsOf(residency, stage)))
    if (isOnThisMachine(url))
      throw new Error(`the base URL of realm ${realm}, ${url}, is for the local host alone`);
  if (forwardUrl !== undefined && isOnThisMachine(forwardUrl))
    throw new Error(`app.installedForwardUrl of realm ${row.realm} is for the local host alone`);
  const domain = options.domain ?? residency.domain;
  const hostedZoneId = options.hostedZoneId ?? residency.hostedZoneId;
  if (stage === 'prod' && domain !== residency.domain) {
    throw new Error(
      `domain ${domain}: in prod it stands in residency.config.ts, because a deployment that forgets -c domain=… would take the address of every customer away`,
    );
  }
  if (domain !== undefined && hostedZoneId === undefined) {
    throw new Error(
      `domain ${domain}: name its Route 53 zone by hostedZoneId in residency.config.ts, or with -c hostedZoneId=…`,
    );
  }
  return {
    residency,
    stage,
    realm: row.realm,
    region: row.region,
    keepsData: stage === 'prod',
    isProtected: stage === 'prod' && row.isProtected === true,
    names: physicalNames(residency, stage, row.realm),
    ...(domain !== undefined &&
      hostedZoneId !== undefined && {
        zone: { name: domain, id: hostedZoneId, host: hostOf(row.realm, stage, domain) },
      }),
    ...defined({ reservedConcurrency }),
    alarmsTo,
    environment: {
      REALM: row.realm,
      ...(options.isSubset && { REALMS: realmNames(residency) }),
      STAGE: stage,
      ACCOUNT_ID: Aws.ACCOUNT_ID,
      CODE_VERSION: codeVersion(),
      BASE_URLS: JSON.stringify(
        baseUrlsOf(domain === undefined ? residency : { ...residency, domain }, stage),
      ),
      INSTALL_KEYS_URL: keyServersOf(options.installKeyServers ? options : residency.app).join(','),
      DRAIN_SECONDS: String(
        drainSeconds(otherWritersSeconds + (forwardUrl === undefined ? 0 : FORWARD_SECONDS)),
      ),
      COMMIT_GRACE_SECONDS: String(COMMIT_GRACE_SECONDS),
      ...defined({ CONCURRENCY: concurrency === undefined ? undefined : String(concurrency) }),
      MAX_OVERLAPPING_MIGRATIONS: String(residency.maxOverlappingMigrations),
      ...defined({ COPY_AHEAD: options.copyAhead }),
      ...defined({ SMOKE_PUBLIC_KEY: options.smokePublicKey, INSTALLED_FORWARD_URL: forwardUrl }),
      ...forgeEnvironment(residency.app.forge, options.forgeEnvironment),
    },
  };
}

/** Production keys in every environment: Atlassian has one set. */
function forgeEnvironment(
  forge: ForgeApp | undefined,
  environment: string | undefined,
): Readonly<Record<string, string>> {
  if (environment !== undefined && !FORGE_ENVIRONMENTS.some((one) => one === environment))
    throw new Error('forgeEnvironment is PRODUCTION, STAGING or DEVELOPMENT');
  if (forge === undefined) return {};
  return {
    FORGE_JWKS_URL: FORGE_KEYS_URL,
    FORGE_APP_ID: forge.appId,
    FORGE_ENVIRONMENT: environment ?? forge.environment ?? FORGE_ENVIRONMENT,
  };
}

const isWithin = (least: number, value: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

/**
 * Seconds within which a write that passed the guard before the fence has landed. Functions that
 * write datasets on request count. The workflow's tasks do not, because they hold leases.
 */
function drainSeconds(otherWritersSeconds: number): number {
  const writers = ROUTE_ENTRIES.filter(
    (entry) => GRANTS[entry]?.some(writesParts) || writesObjects(BUCKET_GRANTS[entry]),
  );
  const timeouts = writers.map((entry) => sizeOf(entry).timeoutSeconds);
  return Math.max(...timeouts, otherWritersSeconds) + DRAIN_MARGIN_SECONDS;
}

const writesParts = (grant: Grant): boolean => grant.on.startsWith('part') && !isReadOnly(grant);

/**
 * Removal policy of tables and keys. `RETAIN_ON_UPDATE_OR_DELETE` keeps them from updates and
 * deletions of their stack, but not from the rollback of the deployment that created them: their
 * fixed names would be taken when the deployment is tried again.
 */
export const removalOf = ({ keepsData }: Pick<Deployment, 'keepsData'>): RemovalPolicy =>
  keepsData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;

/** The bucket of a part in any realm, as text; the account is CloudFormation's. */
export const bucketName = (
  { residency, stage }: Pick<Deployment, 'residency' | 'stage'>,
  part: S3Part,
  { realm, region }: Pick<RealmRow, 'realm' | 'region'>,
): string => physicalNames(residency, stage, realm).part(part, { account: Aws.ACCOUNT_ID, region });

/** Every other realm of this deployment that has a stack. */
export const otherRows = ({ residency, realm }: Deployment): readonly RealmRow[] =>
  stackRows(residency.realms).filter((row) => row.realm !== realm);

/** An ARN as text. Without a reference no circle forms, and stacks deploy in any order. */
export const arnOf = (
  region: string,
  service: string,
  resource: string,
  partition: string = Aws.PARTITION,
  account: string = Aws.ACCOUNT_ID,
): string => `arn:${partition}:${service}:${region}:${account}:${resource}`;

export const lambdaArn = (deployment: Deployment, entry: string): string =>
  arnOf(deployment.region, 'lambda', `function:${deployment.names.lambda(wordOf(entry))}`);

export const stateMachineArn = (deployment: Deployment): string =>
  arnOf(deployment.region, 'states', `stateMachine:${deployment.names.stateMachine}`);

export const alarmArn = ({ region, names }: Deployment, word: string): string =>
  arnOf(region, 'cloudwatch', `alarm:${names.prefix}-${word}`);

export const alarmTopicName = ({ names }: Pick<Deployment, 'names'>): string =>
  `${names.prefix}-alarms`;

/** Name of the dashboard of all realms of a stage. */
export const dashboardName = ({ name }: Pick<Residency, 'name'>, stage: string): string =>
  `${name}-${stage}`;

export const deadLettersName = ({ prefix }: { readonly prefix: string }): string =>
  `${prefix}-dead-letters`;
