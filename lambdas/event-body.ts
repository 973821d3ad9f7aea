/** The body of an HTTP event. */
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { jsonBody } from './domain/requests.ts';

/** API Gateway gives a body without a textual content type as base64. */
export function bodyOf(event: APIGatewayProxyEventV2): string {
  const body = event.body ?? '';
  return event.isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}

export const parsedBody = (event: APIGatewayProxyEventV2): unknown => jsonBody(bodyOf(event));
