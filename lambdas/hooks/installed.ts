/** `POST /installed`: a signed install brings a tenant, or new credentials for one. */

import { isSmokeTenant } from '../domain/operating/smoke.ts';
import { identityIn, installRequest } from '../domain/requests.ts';
import { forward } from '../forward.ts';
import { endpointOf, onLambda } from '../hook.ts';
import { noContent, verifiedInstall } from '../signed-install.ts';

export const endpoint = endpointOf(async (app, event) => {
  const install = await verifiedInstall(app, event, '/installed', installRequest);
  const { clientKey: tenant, sharedSecret, iat, tokens, installation } = install;
  const credentials = { sharedSecret, iat, tokens };
  const identity = identityIn(installation, iat);
  await app.lifecycle.installed(
    await app.identification.connectArrival({ tenant, credentials, installation, identity }),
  );
  // The app beside us trusts Atlassian's keys only.
  if (isSmokeTenant(tenant)) return noContent;
  await forward(app, event, {
    event: 'installed',
    path: '/installed',
    named: tenant,
    iat,
    look: () => app.identification.byClientKey(tenant),
    sharedSecret,
  });
  return noContent;
});
export const handler = onLambda(endpoint);
