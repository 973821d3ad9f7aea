/**
 * The doors: how the callers of HTTP functions prove who they are. All other functions have none,
 * and leave the code that verifies tokens out.
 */
import { connectJwt } from './adapters/tokens/connect-jwt.ts';
import { type ForgeToken, forgeToken } from './adapters/tokens/forge-token.ts';
import { type InstallKeys, installKeys } from './adapters/tokens/install-keys.ts';
import { keysOfCloud } from './adapters/tokens/isolated-clouds.ts';
import { withSmokeKey } from './adapters/tokens/smoke-key.ts';
import { type App, type ComposeOptions, compose, type Environment } from './compose.ts';
import { mayTrustSmokeKey } from './domain/operating/smoke.ts';
import { Refusal } from './domain/refusal.ts';
import {
  FORGE_ENVIRONMENT,
  FORGE_KEYS_URL,
  keyServersOf,
  type Residency,
} from './domain/residency.ts';
import type { Clock } from './ports.ts';

/** An app to which callers come in through doors. */
export type HookApp = ReturnType<typeof composeWithDoors>;

/** Builds one realm's app with its doors. Throws as `compose` does. */
export function composeWithDoors(env: Environment, options: ComposeOptions = {}) {
  const app: App = compose(env, options);
  const { residency, stage } = app;
  const { clock } = app.ports;
  return {
    ...app,
    /** Verifies the tokens of Atlassian Connect. */
    jwt: connectJwt({
      keys: trusted(
        installKeys(listed(env['INSTALL_KEYS_URL']) ?? keyServersOf(residency.app), clock),
        env['SMOKE_PUBLIC_KEY'],
        stage,
      ),
      clock,
    }),
    forge: forgeDoor(env, residency, clock),
  };
}

/** Atlassian's keys, and in stages without customers one of our own for synthetic tenants. */
function trusted(keys: InstallKeys, smokeKey: string | undefined, stage: string): InstallKeys {
  if (!smokeKey) return keys;
  if (!mayTrustSmokeKey(stage))
    throw new Error(`the environment variable SMOKE_PUBLIC_KEY must not be set in stage ${stage}`);
  return withSmokeKey(keys, smokeKey);
}

/** Verifies Forge invocation tokens. An app without a Forge manifest has no such routes. */
function forgeDoor(
  env: Environment,
  { app: { forge }, isolatedCloud }: Residency,
  clock: Clock,
): ForgeToken {
  const appId = env['FORGE_APP_ID'] || forge?.appId;
  if (appId === undefined) {
    return async () => {
      throw new Refusal(404, undefined, 'not found');
    };
  }
  return forgeToken({
    keysOf: keysOfCloud(env['FORGE_JWKS_URL'] || FORGE_KEYS_URL, isolatedCloud, clock),
    clock,
    appId,
    environment: env['FORGE_ENVIRONMENT'] || forge?.environment || FORGE_ENVIRONMENT,
  });
}

/** URLs separated by commas, without trailing slashes; `undefined` where there is none. */
function listed(text: string | undefined): readonly string[] | undefined {
  const urls = (text ?? '').split(',').map((url) => url.trim().replace(/\/$/, ''));
  const named = urls.filter((url) => url !== '');
  return named.length === 0 ? undefined : named;
}
