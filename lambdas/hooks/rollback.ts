/**
 * `POST /dare-migration/rollback`, `POST /forge/migration/rollback`: undoes the migration, in any
 * status.
 */
import { actionRequest } from '../domain/requests.ts';
import { parsedBody } from '../event-body.ts';
import { migrationHook, onLambda } from '../hook.ts';

export const endpoint = migrationHook(
  'POST',
  'rollback',
  (event) => actionRequest(parsedBody(event)),
  (app, caller, request) => app.migrations.rollback(caller, request),
);
export const handler = onLambda(endpoint);
