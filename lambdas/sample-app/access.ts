/**
 * The start of every handler of the sample app: finds the tenant of the request, and asks whether
 * this realm serves it.
 */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { App } from '../compose.ts';
import { Unauthenticated } from '../domain/refusal.ts';
import { type Access, answerTo } from '../domain/tenants/verdict.ts';
import {
  authenticated,
  type Endpoint,
  endpointOf,
  invoked,
  type Reply,
  replyOf,
  signedRequest,
} from '../hook.ts';

/**
 * Verifies the tenant's JWT (a context token, or one made for this request) or, behind Forge, its
 * FIT; asks the guard, and runs the handler.
 */
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
    if (verdict.kind === 'unknown') throw new Unauthenticated('the tenant is not installed here');
    const answer = answerTo(verdict);
    return answer === undefined ? run(app, tenant, event) : replyOf(answer);
  });
}
