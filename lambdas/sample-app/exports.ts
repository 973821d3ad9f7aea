/**
 * `POST /exports` of the sample document exporter: stores a document in one of the tenant's sixteen
 * shards.
 */
import { createHash, randomUUID } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { type Part, partitionsOf } from '../domain/datasets/dataset.ts';
import { storableText } from '../domain/storable.ts';
import { json, onLambda, parsedBody } from '../hook.ts';
import { appEndpoint } from './access.ts';
import { objectOf, partOf, translatedCall } from './part.ts';

export const endpoint = appEndpoint(
  () => 'write',
  async (app, tenant, event) => {
    const document = storableText(objectOf(parsedBody(event)));
    const id = randomUUID();
    await translatedCall(() =>
      app.documents.send(
        new PutCommand({
          TableName: partOf(app, 'exports'),
          Item: { tenant: shardOf(app.residency.parts, tenant, id), id, document },
        }),
      ),
    );
    return json(201, { id });
  },
);
export const handler = onLambda(endpoint);

function shardOf(parts: readonly Part[], tenant: string, id: string): string {
  const part = parts.find(({ name }) => name === 'exports');
  if (part === undefined) throw new Error('the dataset has no part exports');
  const shards = partitionsOf(part, { tenant });
  const hash = createHash('sha256').update(id).digest().readUInt32BE(0);
  return shards[hash % shards.length] ?? tenant;
}
