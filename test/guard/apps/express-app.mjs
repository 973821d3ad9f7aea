/**
 * An app of a vendor, outside these stacks: a server of Express per realm, with the guard as it is
 * published. It runs in a folder of its own; the header `x-client-key` stands for a token that was
 * verified. Prints the ports, by realm, as JSON.
 */
import { once } from 'node:events';
import { residencyGuard } from 'app-data-residency-guard';
import { deliveryMiddleware, residencyDelivery } from 'app-data-residency-guard/delivery';
import { residencyMiddleware } from 'app-data-residency-guard/express';
import express from 'express';

const baseUrls = { us: 'https://us.app.example', de: 'https://de.app.example' };

const ports = {};
for (const realm of Object.keys(baseUrls)) {
  const guard = residencyGuard({
    app: 'test',
    stage: 'test',
    realm,
    region: `${realm}-test-1`,
    otherWritersSeconds: 30,
    baseUrls,
  });
  const app = express();
  const delivery = residencyDelivery({
    app: 'test',
    stage: 'test',
    realm,
    region: `${realm}-test-1`,
    appKey: 'com.example.app',
  });
  app.post(
    '/installed',
    express.raw({ type: '*/*' }),
    deliveryMiddleware(delivery),
    (_request, response) => response.json(response.locals.residencyDelivery ?? {}),
  );
  app.use((request, _response, next) => {
    request.context = { clientKey: request.headers['x-client-key'] };
    next();
  });
  const guarded = residencyMiddleware(guard, {
    onFault: (error) => console.error(`fault: ${error.message}`),
  });
  app.use(guarded);
  app.use('/notes', guarded);
  app.get('/notes', (_request, response) => {
    response.json({ tenant: response.locals.residency.tenant });
  });
  app.post('/notes', (_request, response) => {
    response.status(response.locals.residency.signal.aborted ? 500 : 201).end();
  });
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ports[realm] = server.address().port;
}
console.log(JSON.stringify(ports));
