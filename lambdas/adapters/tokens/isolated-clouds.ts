/**
 * By whose keys a Forge token is verified: the common set of Forge's, or that of the isolated cloud which the token names.
 * The name is read before anything is verified, so that it leads only to addresses that the configuration lists.
 */
import { IC_LABEL, type IsolatedClouds, isIcLabel } from '../../domain/isolated-clouds.ts';
import { Unauthenticated } from '../../domain/refusal.ts';
import type { Clock } from '../../ports.ts';
import { type ForgeKeys, forgeKeys } from './forge-keys.ts';

/** `icLabel` is the claim, not verified yet. Throws `Unauthenticated` where it names no cloud of ours. */
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
