/** `GET /atlassian-connect.json`: the generated descriptor, with this stage's base URLs. */
import { connectDescriptor } from '../../descriptor/connect.ts';
import { Fault } from '../domain/refusal.ts';
import { endpointOf, json, onLambda } from '../hook.ts';

export const endpoint = endpointOf(async ({ residency, baseUrls }) => {
  if (baseUrls[residency.defaultRealm] === undefined) {
    throw new Fault(
      'the base URLs are not configured yet: deploy once more with baseUrls or a domain',
    );
  }
  return json(200, connectDescriptor(residency, baseUrls));
});
export const handler = onLambda(endpoint);
