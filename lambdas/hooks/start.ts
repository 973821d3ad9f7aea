/** `POST /dare-migration/start`: the site is offline; fence the tenant and begin to copy. */
import { actionRequest } from '../domain/requests.ts';
import { migrationHook, onLambda, parsedBody } from '../hook.ts';

export const endpoint = migrationHook(
  'POST',
  '/dare-migration/start',
  (event) => actionRequest(parsedBody(event)),
  (app, caller, request) => app.migrations.start(caller, request),
);
export const handler = onLambda(endpoint);
