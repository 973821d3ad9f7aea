/**
 * Chooses the keys that verify a Forge token: Forge's common set, or the set of the isolated cloud
 * that the token names. The name is read before it is verified, so it only selects among addresses
 * of the configuration.
 */
import { IC_LABEL, type IsolatedClouds, isIcLabel } from '../../domain/isolated-clouds.ts';
import { Unauthenticated } from '../../domain/refusal.ts';
import type { Clock } from '../../ports.ts';
import { type ForgeKeys, forgeKeys } from './forge-keys.ts';

/**
 * `icLabel` is the unverified claim. Throws `Unauthenticated` where it names no cloud of this app.
 */
export type KeysOfCloud = (icLabel: unknown) => ForgeKeys;

/** Without isolated clouds, a token that names one is refused. */
export function keysOfCloud(
  commonUrl: string,
  isolated: IsolatedClouds | undefined,
  clock: Clock,
): KeysOfCloud {
  const common = forgeKeys(commonUrl, clock);
  const keys = new Map(
    isolated?.labels.map((label) => [
      label,
      forgeKeys(isolated.jwksUrlTemplate.replaceAll(IC_LABEL, label), clock),
    ]),
  );
  return (icLabel) => {
    if (icLabel === undefined || icLabel === null) return common;
    if (!isIcLabel(icLabel))
      throw new Unauthenticated('the label of an isolated cloud is malformed');
    const found = keys.get(icLabel);
    if (found === undefined)
      throw new Unauthenticated(`no isolated cloud of this app is called ${icLabel}`);
    return found;
  };
}
