/**
 * All that the app needs beside app-data-residency: the guard in front of every note, client infos
 * from the tenants' table, and deliveries of events that came during a move.
 */
const ownStore = require('atlassian-connect-express/lib/store/dynamodb');

const passOn = (_request, _response, next) => next();
/** As the app was before. */
const ALONE = { register() {}, deliveries: passOn, guarded: passOn };

exports.adopted = (realm, base) => {
  if (process.env.ADOPTED !== 'yes') return ALONE;
  const { residencyGuard } = require('app-data-residency-guard');
  const { residencyMiddleware } = require('app-data-residency-guard/express');
  const { residencyStore } = require('app-data-residency-guard/ace-store');
  const { deliveryMiddleware, residencyDelivery } = require('app-data-residency-guard/delivery');

  const table = { app: 'residency', stage: 'local', realm };
  const baseUrls = JSON.parse(process.env.BASE_URLS);
  const verify = residencyDelivery({ ...table, appKey: 'com.example.notes' });
  const delivery = deliveryMiddleware(verify, {
    basePath: base,
    onRefused: (says) => console.error(`a delivery is refused: ${says}`),
  });
  return {
    /** `"adapter": "residency"` in config.json. */
    register: (ace) =>
      ace.store.register('residency', (logger, { adapter: _, ...own }) =>
        residencyStore({ ...table, others: ownStore(logger, own) }),
      ),
    // The store reads the record, so that nothing is left to do where an event is delivered.
    deliveries: (request, response, next) =>
      delivery(request, response, (error) =>
        !error && response.locals.residencyDelivery ? response.sendStatus(204) : next(error),
      ),
    guarded: residencyMiddleware(residencyGuard({ ...table, otherWritersSeconds: 30, baseUrls })),
  };
};
