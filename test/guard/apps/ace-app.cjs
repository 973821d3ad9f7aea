/**
 * An app on atlassian-connect-express, as docs/guard.md builds one: client infos from the tenants'
 * table, other keys in a table of its own, and the guard behind what verifies tokens. Prints its
 * port, by realm, as JSON.
 */
const { writeFileSync } = require('node:fs');
const express = require('express');
const ace = require('atlassian-connect-express');
const ownStore = require('atlassian-connect-express/lib/store/dynamodb');
const { residencyGuard } = require('app-data-residency-guard');
const { residencyMiddleware } = require('app-data-residency-guard/express');
const { residencyStore } = require('app-data-residency-guard/ace-store');

const table = { app: 'test', stage: 'test', realm: 'us', region: 'us-test-1' };

writeFileSync(
  'config.json',
  JSON.stringify({
    product: 'confluence',
    development: {
      store: { adapter: 'residency', region: 'us-test-1', table: 'AddonSettings' },
      validateDescriptor: false,
      watch: false,
      expressErrorHandling: false,
    },
  }),
);
writeFileSync(
  'atlassian-connect.json',
  JSON.stringify({
    key: 'com.example.document-exporter',
    name: 'Document Exporter',
    baseUrl: 'https://us.app.example',
    authentication: { type: 'jwt' },
    lifecycle: {},
    modules: {},
  }),
);

ace.store.register('residency', (logger, { adapter: _, ...own }) =>
  residencyStore({ ...table, others: ownStore(logger, own) }),
);

const app = express();
const quiet = { info() {}, warn() {}, error: console.error, debug() {}, log() {} };
const addon = ace(app, { config: {} }, quiet);
app.use(express.json(), addon.middleware());
app.use(
  addon.authenticate(),
  residencyMiddleware(
    residencyGuard({
      ...table,
      otherWritersSeconds: 30,
      baseUrls: { de: 'https://de.app.example' },
    }),
  ),
);
// Express 4 passes no rejection on.
app.get('/notes', (request, response, next) => notes(request, response).catch(next));
app.post('/notes', (_request, response) => response.status(201).end());

async function notes(request, response) {
  const { clientKey } = request.context;
  const info = await addon.settings.get('clientInfo', clientKey);
  await addon.settings.set('note', { seen: true }, clientKey);
  response.json({ baseUrl: info.baseUrl, note: await addon.settings.get('note', clientKey) });
}

const server = app.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ us: server.address().port })),
);
