/**
 * `GET /health`, `GET /dare-migration/health`: the function runs, and knows its realm, its stage
 * and which realms are deployed. It calls nothing.
 */
import { stackRows } from '../domain/realm.ts';
import { endpointOf, json, onLambda } from '../hook.ts';

export const endpoint = endpointOf(async ({ realm, stage, residency }) =>
  json(200, {
    status: 'ok',
    realm,
    stage,
    realms: stackRows(residency.realms).map((row) => row.realm),
  }),
);
export const handler = onLambda(endpoint);
