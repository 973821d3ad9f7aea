/** How a handler of the app begins: whose request is it, and does this realm serve the tenant? */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Access } from '../app/guard.ts';
import type { App } from '../compose.ts';
import { Unauthenticated } from '../domain/refusal.ts';
import {
  authenticated,
  type Endpoint,
  endpointOf,
  invoked,
  json,
  type Reply,
  signedRequest,
} from '../hook.ts';

/** Verifies the tenant's JWT (a context token, or one made for this request) or, behind Forge, its FIT; asks the guard, and runs. */
export function appEndpoint(
  accessOf: (event: APIGatewayProxyEventV2) => Access,
  run: (app: App, tenant: string, event: APIGatewayProxyEventV2) => Promise<Reply>,
): Endpoint {
  return endpointOf(async (app, event) => {
    const { method, path } = event.requestContext.http;
    const { tenant } = event.routeKey.startsWith(`${method} /forge/`)
      ? await invoked(app, event, 'look')
      : await authenticated(app, signedRequest(event, method, path), 'context');
    const verdict = await app.guard(tenant, accessOf(event));
    switch (verdict.kind) {
      case 'allowed':
        return run(app, tenant, event);
      case 'later':
        return json(
          503,
          { message: 'Your data is being moved' },
          { 'retry-after': String(verdict.retryAfterSeconds) },
        );
      case 'elsewhere':
        return json(421, {
          message: 'Your data has been moved',
          realm: verdict.realm,
          baseUrl: verdict.baseUrl,
        });
      case 'unknown':
        throw new Unauthenticated('the tenant is not installed here');
    }
  });
}
