/**
 * `POST /exports` and `GET /exports/{id}` of the sample document exporter: a document is an object,
 * and the tenant's record of the export points to it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { App } from '../compose.ts';
import { partitionsOf } from '../domain/datasets/dataset.ts';
import { invalid, Refusal } from '../domain/refusal.ts';
import { storableText } from '../domain/storable.ts';
import { parsedBody } from '../event-body.ts';
import { json, onLambda, type Reply } from '../hook.ts';
import { appEndpoint } from './access.ts';
import { objectOf, partNamed, partOf, templateId, translatedCall } from './part.ts';
import { askedIn, rendered } from './rendering.ts';

/**
 * How long a URL lives, in seconds: less than any drain time and than the commit's grace time, so
 * that each URL that a realm gave away is over before the realm's objects are purged. S3 looks at
 * the time when a download begins, and lets it end. Decision 0110 says more.
 */
export const URL_SECONDS = 15;

export const endpoint = appEndpoint(
  (event) => (event.requestContext.http.method === 'GET' ? 'read' : 'write'),
  async (app, tenant, event) =>
    event.requestContext.http.method === 'GET'
      ? answered(app, tenant, event)
      : exported(app, tenant, event),
);
export const handler = onLambda(endpoint);

/**
 * Writes the object first, and then the record: no record points to nothing. A crash in between
 * leaves an object without a record, which moves and is purged with the tenant's prefix. A client
 * that names the `id` itself may repeat its request: the object is put only where there is none, so
 * that the first document stands, and the record is the same each time.
 */
async function exported(app: App, tenant: string, event: APIGatewayProxyEventV2): Promise<Reply> {
  const body = objectOf(parsedBody(event));
  storableText(body);
  const { id: named, template }: { id?: unknown; template?: unknown } = body;
  const id = named === undefined ? randomUUID() : checkedId(named);
  const document =
    template === undefined ? body : await templateNamed(app, tenant, templateId(template));
  const object = keyOf(app, tenant, id);
  await putOnce(app, object, id, rendered(document, askedIn(body)));
  await translatedCall(() =>
    app.documents.send(
      new PutCommand({
        TableName: partOf(app, 'exports'),
        Item: { ...recordKey(app, tenant, id), object },
      }),
    ),
  );
  return json(201, { id });
}

/** A URL may outlive its tenant here by `URL_SECONDS`: it reads what was there until the purge. */
async function answered(app: App, tenant: string, event: APIGatewayProxyEventV2): Promise<Reply> {
  const id = checkedId(event.pathParameters?.['id']);
  const { Item: record } = await translatedCall(() =>
    app.documents.send(
      new GetCommand({
        TableName: partOf(app, 'exports'),
        Key: recordKey(app, tenant, id),
        ConsistentRead: true,
      }),
    ),
  );
  const { object }: { object?: unknown } = record ?? {};
  if (typeof object !== 'string') return json(404, { message: 'No such export' });
  const url = await translatedCall(() =>
    getSignedUrl(
      app.objects.client(),
      new GetObjectCommand({ Bucket: bucketOf(app), Key: object }),
      { expiresIn: URL_SECONDS },
    ),
  );
  return json(200, { url, expiresInSeconds: URL_SECONDS }, { 'cache-control': 'no-store' });
}

async function templateNamed(app: App, tenant: string, id: string): Promise<object> {
  const { Item: item } = await translatedCall(() =>
    app.documents.send(
      new GetCommand({
        TableName: partOf(app, 'templates'),
        Key: { tenant, id },
        ConsistentRead: true,
      }),
    ),
  );
  if (typeof item?.['template'] !== 'string') throw new Refusal(404, undefined, 'No such template');
  return objectOf(JSON.parse(item['template']));
}

/** An object that is there already was put by an earlier try. */
async function putOnce(app: App, key: string, id: string, text: string): Promise<void> {
  await translatedCall(async () => {
    try {
      await app.objects.client().send(
        new PutObjectCommand({
          Bucket: bucketOf(app),
          Key: key,
          Body: text,
          ContentType: 'text/markdown; charset=utf-8',
          ContentDisposition: `attachment; filename="${id}.md"`,
          IfNoneMatch: '*',
        }),
      );
    } catch (error) {
      if (!(error instanceof Error && error.name === 'PreconditionFailed')) throw error;
    }
  });
}

const bucketOf = (app: App): string => app.objects.bucketOf(partNamed(app, 'documents'));

/** The record holds the key without the bucket: the key is the same in each realm. */
function keyOf(app: App, tenant: string, id: string): string {
  const [prefix] = partitionsOf(partNamed(app, 'documents'), { tenant });
  return `${prefix}${id}`;
}

/** One of the tenant's shards, by the id. */
function recordKey(app: App, tenant: string, id: string) {
  const shards = partitionsOf(partNamed(app, 'exports'), { tenant });
  const hash = createHash('sha256').update(id).digest().readUInt32BE(0);
  return { tenant: shards[hash % shards.length] ?? tenant, id };
}

/** Neither a slash nor two dots: a client would shorten the path of the object's URL. */
function checkedId(id: unknown): string {
  if (typeof id !== 'string' || !/^[\w-]{1,100}$/.test(id))
    throw invalid('an export id is letters, digits, dashes and underscores');
  return id;
}
