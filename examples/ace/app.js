/**
 * An existing app: notes on pages, in a table of its own, on atlassian-connect-express. With
 * ADOPTED=yes it has what docs/adopt.md adds, which is all in adopted.js. Prints its port, by
 * realm, as JSON.
 */
const express = require('express');
const ace = require('atlassian-connect-express');
const { adopted } = require('./adopted');
const { notesIn } = require('./notes');

const { REALM, PORT, NOTES_TABLE, AC_LOCAL_BASE_URL } = process.env;
/** Atlassian's base URL of a realm has a path here: `/us`. */
const base = new URL(AC_LOCAL_BASE_URL).pathname;
const notes = notesIn(NOTES_TABLE);

const app = express();
// Keeps the body as it was sent: a delivery is signed for it.
app.use(
  express.json({
    verify(request, _response, buffer) {
      request.rawBody = buffer;
    },
  }),
);
const { register, deliveries, guarded } = adopted(REALM, base);
register(ace);
app.use(deliveries);

const quiet = { info() {}, warn() {}, debug() {}, log() {}, error: console.error };
const addon = ace(app, { config: {} }, quiet);
app.use(addon.middleware());

const ofTenant = [addon.authenticate(), guarded];
app.get(`${base}/notes`, ofTenant, (request, response, next) => {
  notes.of(request.context.clientKey).then((found) => response.json(found), next);
});
app.post(`${base}/notes`, ofTenant, (request, response, next) => {
  const { id, text } = request.body;
  const { signal } = response.locals.residency ?? {};
  const saved = notes.save(request.context.clientKey, String(id), String(text), signal);
  saved.then(() => response.sendStatus(201), next);
});

const server = app.listen(Number(PORT), '127.0.0.1', () =>
  console.log(JSON.stringify({ [REALM]: server.address().port })),
);
