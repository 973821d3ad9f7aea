/** `POST /uninstalled`: retires the tenant; its data is kept for the time of realm persistence. */

import { isSmokeTenant } from '../domain/operating/smoke.ts';
import { uninstallRequest } from '../domain/requests.ts';
import { forward } from '../forward.ts';
import { endpointOf, onLambda } from '../hook.ts';
import { noContent, verifiedInstall } from '../signed-install.ts';

export const endpoint = endpointOf(async (app, event) => {
  const { clientKey, iat } = await verifiedInstall(app, event, '/uninstalled', uninstallRequest);
  const record = await app.identification.byClientKey(clientKey);
  await app.lifecycle.uninstalled(record?.tenant ?? clientKey, iat);
  if (isSmokeTenant(clientKey)) return noContent;
  await forward(app, event, {
    event: 'uninstalled',
    path: '/uninstalled',
    named: clientKey,
    iat,
    look: () => app.identification.byClientKey(clientKey),
  });
  return noContent;
});
export const handler = onLambda(endpoint);
