/**
 * The app of each realm, composed from an environment as Lambda gives it, and the realm's functions
 * bound to it.
 */

import { defined } from '../../../lambdas/domain/defined.ts';
import type { Realm, RealmRow } from '../../../lambdas/domain/realm.ts';
import { composeWithDoors } from '../../../lambdas/doors.ts';
import type { Metrics } from '../../../lambdas/ports.ts';
import { codeVersion } from '../../code-version.ts';
import { ACCOUNT, type HostSetup, type LocalHostOptions, STAGE } from '../host-setup.ts';
import { delayed } from '../latency.ts';
import type { SimulatedAtlassian } from '../simulated-atlassian.ts';
import type { HostRun } from './host-id.ts';
import { functionsOf, loadFunctions, type RealmFunctions } from './realm-functions.ts';
import type { WorkerDeaths } from './worker-death.ts';

/** What the functions call, and who they are. */
export interface AppSurroundings {
  readonly dynamoDbUrl: string;
  readonly s3Url: string | undefined;
  readonly stepFunctionsUrl: string;
  readonly keysUrl: string;
  readonly atlassian: SimulatedAtlassian | undefined;
  /** Realm to base URL. */
  readonly urls: Readonly<Record<Realm, string>>;
  readonly thisRun: HostRun;
  readonly deaths: WorkerDeaths;
  /** Whatever is opened for the apps is closed with the host. */
  readonly opened: AsyncDisposableStack;
}

const UNHEARD: Metrics = { record: () => {} };

/** Realm to functions, for every realm that has a stack. */
export async function startRealmApps(
  options: LocalHostOptions,
  { residency, rows, env, forwardUrls }: HostSetup,
  around: AppSurroundings,
): Promise<ReadonlyMap<Realm, RealmFunctions>> {
  const { atlassian, urls, thisRun, deaths, opened } = around;
  const functions = new Map<Realm, RealmFunctions>();
  const loaded = await loadFunctions();
  for (const row of rows) {
    const app = composeWithDoors(await environmentOf(row), {
      residency,
      around: (call, make) => {
        options.onCall?.(call);
        return deaths.around(call, make);
      },
      metrics: options.metrics?.(row.realm) ?? UNHEARD,
      isGone: (owner) => thisRun.isGone(owner) || deaths.isGone(owner),
      ...defined({ log: options.log, objectLimits: options.objectLimits }),
    });
    functions.set(
      row.realm,
      functionsOf(loaded, row.realm, app, {
        timeoutSecondsOf: options.timeoutSecondsOf,
        newRequestId: thisRun.newRequestId,
        onTimedOut: deaths.end,
      }),
    );
  }
  return functions;

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
      INSTALL_KEYS_URL: atlassian?.installKeysUrl ?? env['INSTALL_KEYS_URL'],
      FORGE_JWKS_URL: env['FORGE_JWKS_URL'] || atlassian?.forgeKeysUrl,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_DYNAMODB: await fromRegion(region, around.dynamoDbUrl),
      AWS_ENDPOINT_URL_S3: around.s3Url && (await fromRegion(region, around.s3Url)),
      AWS_ENDPOINT_URL_SFN: await fromRegion(region, around.stepFunctionsUrl),
      AWS_ENDPOINT_URL_KMS: around.keysUrl,
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
}
