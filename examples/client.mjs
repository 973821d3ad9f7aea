/**
 * A client that takes Atlassian's part: installs the app on a site, saves an item, moves the tenant
 * from us to de, and reads the item there. It has a key server of its own, so start the local host
 * with its address:
 *
 *   INSTALL_KEYS_URL=http://127.0.0.1:5000 npm run local     in one terminal
 *   npx node examples/client.mjs                             in another
 *
 * PORT and KEYS_PORT replace the ports 4100 and 5000, TENANT the client key.
 */
import { createHash, createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';

const { PORT = '4100', KEYS_PORT = '5000', TENANT: clientKey = 'tenant-1' } = process.env;
const us = `http://127.0.0.1:${Number(PORT) + 1}`;
const sharedSecret = 'only the two of us know';

// The key server: the host fetches {INSTALL_KEYS_URL}/{kid}.
const kid = randomUUID();
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = keys.publicKey.export({ type: 'spki', format: 'pem' });
createServer(({ url }, response) => {
  if (url === `/${kid}`) response.end(pem);
  else response.writeHead(404).end();
})
  .listen(Number(KEYS_PORT), '127.0.0.1')
  .unref();

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function token(header, method, path, query = '') {
  const iat = Math.floor(Date.now() / 1000);
  const qsh = createHash('sha256').update(`${method}&${path}&${query}`).digest('hex');
  const claims = { iss: clientKey, iat, exp: iat + 180, qsh, ...(header.kid && { aud: [us] }) };
  const unsigned = `${encoded({ typ: 'JWT', ...header })}.${encoded(claims)}`;
  const signature = header.kid
    ? sign('sha256', Buffer.from(unsigned), keys.privateKey)
    : createHmac('sha256', sharedSecret).update(unsigned).digest();
  return `JWT ${unsigned}.${signature.toString('base64url')}`;
}

async function call(header, method, path, { query, body } = {}) {
  const response = await fetch(`${us}${path}${query ? `?${query}` : ''}`, {
    method,
    headers: { authorization: token(header, method, path, query) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  console.log(method, path, response.status, text);
  if (!response.ok) end(`the app answers ${response.status}`);
  return text === '' ? {} : JSON.parse(text);
}

function end(failure) {
  if (failure) console.error(failure);
  process.exit(failure ? 1 : 0);
}

const dynamoDb = (region) =>
  new DynamoDBClient({
    region,
    endpoint: `http://127.0.0.1:${PORT}`,
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
  });

const hook = (name, body) => call({ alg: 'HS256' }, 'POST', `/dare-migration/${name}`, { body });
const id = { migrationId: 57500 };

/** Polls until the migration has the wanted status, or can no longer reach it. */
async function until(wanted) {
  for (;;) {
    const query = `migrationId=${id.migrationId}`;
    const { status } = await call({ alg: 'HS256' }, 'GET', '/dare-migration/status', { query });
    if (status === wanted) return;
    if (status === 'failed') {
      await hook('rollback', id); // as Atlassian does: the source serves the tenant again
      await until('rolled-back');
      end('the migration failed, and is rolled back');
    }
    if (['committed', 'rolled-back'].includes(status)) end(`the migration ended ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

await call({ alg: 'RS256', kid }, 'POST', '/installed', {
  body: { key: 'com.example.document-exporter', clientKey, sharedSecret, eventType: 'installed' },
});
await dynamoDb('us-east-1').send(
  new PutItemCommand({
    TableName: 'residency-local-us-templates',
    Item: { tenant: { S: clientKey }, id: { S: 'one' }, text: { S: 'Größe' } },
  }),
);

const window = {
  startTime: new Date().toISOString(),
  endTime: new Date(Date.now() + 5_400_000).toISOString(),
};
await hook('schedule', { ...window, location: 'DE', ...id });
await hook('start', { ...window, location: 'DE', ...id });
await until('ready-to-commit');
await hook('commit', id);
await until('committed');

const { Items } = await dynamoDb('eu-central-1').send(
  new QueryCommand({
    TableName: 'residency-local-de-templates',
    ConsistentRead: true, // the host refuses reads that could miss what was just written
    KeyConditionExpression: 'tenant = :tenant',
    ExpressionAttributeValues: { ':tenant': { S: clientKey } },
  }),
);
console.log('in de:', JSON.stringify(Items));
end();
