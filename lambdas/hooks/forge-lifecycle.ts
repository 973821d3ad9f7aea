/**
 * `POST /forge/lifecycle/{installed|upgraded|uninstalled}`: Forge announces an installation of an
 * app that has no Connect module to announce it. The documented payloads do not name their event,
 * so each has a path of its own.
 *
 * - `avi:forge:installed:app`, `avi:forge:upgraded:app` (major versions only):
 *   https://developer.atlassian.com/platform/forge/events-reference/life-cycle/
 * - Sent to a remote with a FIT, within 5 s, repeated up to four times:
 *   https://developer.atlassian.com/platform/forge/remote/sending-product-events/
 * - Sent once before an uninstallation:
 *   https://developer.atlassian.com/platform/forge/manifest-reference/modules/pre-uninstall-trigger/
 *   Apps in use subscribe to `avi:forge:uninstalled:app`, which that page does not name. It may be
 *   sent to the same path.
 */
import { checkForgeEvent } from '../domain/requests.ts';
import { parsedBody } from '../event-body.ts';
import { forward } from '../forward.ts';
import { bearerOf, endpointOf, onLambda } from '../hook.ts';
import { noContent } from '../signed-install.ts';

const EVENTS = ['installed', 'upgraded', 'uninstalled'] as const;
const routeOf = (event: (typeof EVENTS)[number]) => `POST /forge/lifecycle/${event}`;

export const endpoint = endpointOf(async (app, event) => {
  const claims = await app.forge(bearerOf(event));
  const name = EVENTS.find((each) => event.routeKey === routeOf(each)) ?? 'installed';
  checkForgeEvent(parsedBody(event), name, claims.installationId);
  if (name !== 'uninstalled') {
    await app.lifecycle.installed(await app.identification.forgeArrival(claims));
  } else {
    const record = await app.identification.forgeDeparture(claims);
    if (record !== undefined) await app.lifecycle.uninstalled(record.tenant, claims.iat);
  }
  await forward(app, event, {
    event: name,
    path: `/forge/lifecycle/${name}`,
    named: claims.installationId,
    iat: claims.iat,
    async look() {
      const { tenant } = await app.identification.forgeArrival(claims);
      return app.ports.tenants.read(app.realm, tenant);
    },
  });
  return noContent;
});
export const handler = onLambda(endpoint);
