/**
 * `GET /health`, `GET /dare-migration/health`: the function runs and is composed. It calls nothing.
 */
import { endpointOf, json, onLambda } from '../hook.ts';

export const endpoint = endpointOf(async ({ realm, stage }) =>
  json(200, { status: 'ok', realm, stage }),
);
export const handler = onLambda(endpoint);
