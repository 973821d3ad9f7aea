/**
 * `GET /dare-migration/status`, `GET /forge/migration/status`: tells the migration's status. Reads
 * only.
 */
import { statusRequest } from '../domain/requests.ts';
import { migrationHook, onLambda } from '../hook.ts';

export const endpoint = migrationHook(
  'GET',
  'status',
  (event) => statusRequest(event.rawQueryString),
  (app, caller, request) => app.migrations.status(caller, request),
);
export const handler = onLambda(endpoint);
