/**
 * `POST /dare-migration/commit`, `POST /forge/migration/commit`: the site comes back in the target.
 * Closes the source, opens the target, and starts the purge of the source.
 */
import { actionRequest } from '../domain/requests.ts';
import { parsedBody } from '../event-body.ts';
import { migrationHook, onLambda } from '../hook.ts';

export const endpoint = migrationHook(
  'POST',
  'commit',
  (event) => actionRequest(parsedBody(event)),
  (app, caller, request) => app.migrations.commit(caller, request),
);
export const handler = onLambda(endpoint);
