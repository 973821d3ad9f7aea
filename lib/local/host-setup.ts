/** The options of a local host, and what follows from them before anything is started. */
import type { SdkCall } from '../../lambdas/adapters/aws-clients.ts';
import type { ObjectLimits } from '../../lambdas/adapters/dataset/s3/object-side.ts';
import { otherWritersSecondsOf } from '../../lambdas/domain/datasets/other-writers.ts';
import { deployedIn } from '../../lambdas/domain/deployed-realms.ts';
import { type Realm, stackRows } from '../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import type { Log, Metrics } from '../../lambdas/ports.ts';
import { residency as configured } from '../../residency.config.ts';
import { DEFAULT_PORT, tcpPortsFrom } from '../local-ports.ts';
import type { EmbeddedDynamoDbOptions } from './dynamodb/embedded-dynamodb.ts';
import { localForwardUrls } from './forward-urls.ts';
import type { EmbeddedS3Options } from './s3/embedded-s3.ts';

export interface LocalHostOptions {
  /** Replaces `residency.config.ts`, for tests. */
  readonly residency?: Residency;
  /**
   * The port of DynamoDB. The realms follow on the next ones, then the ports of `local-ports.ts`.
   */
  readonly port?: number;
  /** Takes any free TCP ports. */
  readonly ephemeral?: true;
  /** Keeps items and the names of executions; where it is left out, everything is in memory. */
  readonly dataDir?: string;
  /**
   * The functions' environment, and `JANITOR_SECONDS` (0: only one run, at the start).
   * `INSTALL_KEYS_URL` may name several servers, separated by commas.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly log?: Log;
  /** Where it is left out, metrics are dropped. */
  readonly metrics?: (realm: Realm) => Metrics;
  /**
   * Called with every AWS call that a function makes; `currentFunction()` says which function it
   * is.
   */
  readonly onCall?: (call: SdkCall) => void;
  /** Each route lets through what `lib/routes.ts` says, as API Gateway does. */
  readonly throttled?: boolean;
  /** Names that the realms answer to, beside 127.0.0.1 and localhost. */
  readonly hostNames?: readonly string[];
  /** Divides the waiting time of every retrier in the ASL file. */
  readonly retrySpeed?: number;
  /** How long a function may run, for tests that must not wait for a dead worker's lease. */
  readonly timeoutSecondsOf?: (entry: string) => number;
  /** Latency from the region of the calling function to the region that it calls. */
  readonly latencyMs?: (fromRegion: string, toRegion: string) => number;
  /** Faults for the embedded DynamoDB. */
  readonly dynamoDb?: Pick<
    EmbeddedDynamoDbOptions,
    'inject' | 'onAnswered' | 'onRequest' | 'strict'
  >;
  /** Sizes from which objects are copied in parts, where small ones stand for large. */
  readonly objectLimits?: Partial<ObjectLimits>;
  /** Faults for the embedded S3. */
  readonly s3?: Pick<EmbeddedS3Options, 'inject' | 'limits' | 'now' | 'onAnswered' | 'onRequest'>;
}

export const STAGE = 'local';
export const ACCOUNT = '000000000000';
/** Short times, so that a person can watch; only `otherWritersSeconds` counts in full. */
const defaultsFor = (residency: Residency) => ({
  DRAIN_SECONDS: String(Math.max(1, otherWritersSecondsOf(residency))),
  COMMIT_GRACE_SECONDS: '2',
  JANITOR_SECONDS: '30',
});

export type HostSetup = ReturnType<typeof hostSetup>;

/** Throws a sentence where the options or the environment are invalid. */
export function hostSetup(options: LocalHostOptions) {
  const whole = options.residency ?? configured;
  const residency = deployedIn(whole, options.env?.['REALMS'] || undefined);
  const env: Readonly<Record<string, string | undefined>> = {
    ...defaultsFor(residency),
    ...options.env,
  };
  return {
    residency,
    /** The realms that have a stack. */
    rows: stackRows(residency.realms),
    env,
    forwardUrls: localForwardUrls(residency, env, options.log),
    tcpPorts: tcpPortsFrom(options.port ?? DEFAULT_PORT, whole.realms),
    portOf: (port: number) => (options.ephemeral ? 0 : port),
    namesIn: (realm: Realm) => physicalNames(residency, STAGE, realm),
    sweepSeconds: wholeSeconds('JANITOR_SECONDS', env['JANITOR_SECONDS']),
  };
}

function wholeSeconds(name: string, text = ''): number {
  if (!/^\d{1,7}$/.test(text))
    throw new Error(`${name} is a whole number of seconds, not "${text}"`);
  return Number(text);
}
