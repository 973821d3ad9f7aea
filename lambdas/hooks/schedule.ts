/**
 * `POST /dare-migration/schedule`, `POST /forge/migration/schedule`: agrees on a window and a
 * location; nothing moves yet.
 */
import { scheduleRequest } from '../domain/requests.ts';
import { parsedBody } from '../event-body.ts';
import { migrationHook, onLambda } from '../hook.ts';

export const endpoint = migrationHook(
  'POST',
  'schedule',
  (event) => scheduleRequest(parsedBody(event)),
  (app, caller, request) => app.migrations.schedule(caller, request),
);
export const handler = onLambda(endpoint);
