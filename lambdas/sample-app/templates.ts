/**
 * `GET`, `PUT` and `DELETE /templates/{id}` of the sample document exporter: a template is any JSON
 * object, stored as text.
 */
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { App } from '../compose.ts';
import { storableText } from '../domain/storable.ts';
import { parsedBody } from '../event-body.ts';
import { json, onLambda, type Reply } from '../hook.ts';
import { appEndpoint } from './access.ts';
import { objectOf, partOf, templateId, translatedCall } from './part.ts';

export const endpoint = appEndpoint(
  (event) => (event.requestContext.http.method === 'GET' ? 'read' : 'write'),
  async (app, tenant, event) => {
    const key = { tenant, id: templateId(event.pathParameters?.['id']) };
    switch (event.requestContext.http.method) {
      case 'PUT':
        return put(app, key, event);
      case 'DELETE':
        await translatedCall(() =>
          app.documents.send(new DeleteCommand({ TableName: table(app), Key: key })),
        );
        return { statusCode: 204 };
      default:
        return get(app, key);
    }
  },
);
export const handler = onLambda(endpoint);

interface Key {
  readonly tenant: string;
  readonly id: string;
}

async function get(app: App, key: Key): Promise<Reply> {
  const { Item: item } = await translatedCall(() =>
    app.documents.send(new GetCommand({ TableName: table(app), Key: key, ConsistentRead: true })),
  );
  return item === undefined
    ? json(404, { message: 'No such template' })
    : json(200, JSON.parse(String(item['template'])));
}

async function put(app: App, key: Key, event: APIGatewayProxyEventV2): Promise<Reply> {
  const template = storableText(objectOf(parsedBody(event)));
  await translatedCall(() =>
    app.documents.send(
      new PutCommand({
        TableName: table(app),
        Item: { ...key, template },
      }),
    ),
  );
  return json(200, { id: key.id });
}

const table = (app: App) => partOf(app, 'templates');
