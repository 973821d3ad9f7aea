/** Makes the event of an HTTP API (payload format 2.0) from an HTTP request. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { defined } from '../../lambdas/domain/defined.ts';
import type { Route } from '../routes.ts';

/** A request that matches a route. */
export interface RoutedRequest {
  readonly route: Route;
  /** Decoded, as an HTTP API delivers it. */
  readonly rawPath: string;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** The path and the query of a request line, both still encoded. */
export function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const at = target.indexOf('?');
  return at < 0
    ? { path: target, query: '' }
    : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/**
 * The route of a request; `undefined` where there is none (404). Throws `URIError` where the path
 * is not well encoded.
 */
export function routeOf(
  routes: readonly Route[],
  method: string,
  path: string,
): RoutedRequest | undefined {
  const segments = path.split('/').map(decodeURIComponent);
  for (const route of routes) {
    const pathParameters =
      route.method === method ? matched(route.path.split('/'), segments) : undefined;
    if (pathParameters) return { route, rawPath: segments.join('/'), pathParameters };
  }
  return undefined;
}

function matched(
  pattern: readonly string[],
  segments: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(expected)?.[1];
    if (name === undefined ? segment !== expected : segment === '') return undefined;
    if (name !== undefined) parameters[name] = segment;
  }
  return parameters;
}

export function eventOf(
  request: IncomingMessage,
  body: Buffer,
  routed: RoutedRequest,
): APIGatewayProxyEventV2 {
  const { query } = splitTarget(request.url ?? '/');
  const { cookie, ...headers } = headersOf(request);
  const cookies = cookie?.split(/; ?/);
  const isBase64Encoded = body.length > 0 && !isTextual(headers['content-type']);
  const now = new Date();
  const routeKey = `${routed.route.method} ${routed.route.path}`;
  return {
    version: '2.0',
    routeKey,
    rawPath: routed.rawPath,
    rawQueryString: query,
    ...defined({ cookies }),
    headers,
    ...(query !== '' && { queryStringParameters: parametersOf(query) }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers['host'] ?? 'localhost',
      domainPrefix: 'local',
      http: {
        method: routed.route.method,
        path: routed.rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(Object.keys(routed.pathParameters).length > 0 && {
      pathParameters: { ...routed.pathParameters },
    }),
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
  };
}

/** Lower-case names; repeated values are joined by a comma. */
function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values]) => [
      name,
      (values ?? []).join(name === 'cookie' ? '; ' : ','),
    ]),
  );
}

function parametersOf(query: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const earlier = parameters[name];
    parameters[name] = earlier === undefined ? value : `${earlier},${value}`;
  }
  return parameters;
}

/** A body of any other type, forms and a missing type included, reaches the function as base64. */
const isTextual = (contentType: string | undefined): boolean =>
  /^(text\/[^;]+|application\/([^;]+\+)?(json|xml)|application\/javascript)\s*(;|$)/i.test(
    contentType ?? '',
  );
