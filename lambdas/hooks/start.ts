/**
 * `POST /dare-migration/start`, `POST /forge/migration/start`: the site is offline. Fences the
 * tenant and begins to copy.
 */
import { startRequest } from '../domain/requests.ts';
import { parsedBody } from '../event-body.ts';
import { migrationHook, onLambda } from '../hook.ts';

export const endpoint = migrationHook(
  'POST',
  'start',
  (event) => startRequest(parsedBody(event)),
  (app, caller, request) => app.migrations.start(caller, request),
);
export const handler = onLambda(endpoint);
