/** A flood on one route at the gateway of the local host. */
import { afterEach, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../../lib/local/gateway.ts';
import { throttle } from '../../lib/local/throttle.ts';
import { ROUTES, type Route } from '../../lib/routes.ts';

let gateway: Gateway | undefined;
afterEach(() => gateway?.close());

function routeAt(path: string): Route {
  const route = ROUTES.find((one) => one.path === path);
  if (route === undefined) throw new Error(`there is no route ${path}`);
  return route;
}

test('is refused as API Gateway refuses it, while hooks of another route are answered', async () => {
  gateway = await startGateway({
    realm: 'us',
    port: 0,
    routes: ROUTES,
    endpointOf: () => async () => ({ statusCode: 204 }),
    throttle: throttle(),
  });
  const { url } = gateway;
  const { burst } = routeAt('/health').throttle;
  const flood = await Promise.all(Array.from({ length: 5 * burst }, () => fetch(`${url}/health`)));
  const refused = flood.filter(({ status }) => status === 429);
  expect(flood.length - refused.length).toBeGreaterThanOrEqual(burst);
  expect(refused.length).toBeGreaterThan(burst);
  expect(await refused[0]?.json()).toEqual({ message: 'Too Many Requests' });
  expect(refused[0]?.headers.get('content-type')).toBe('application/json');
  for (const hook of ['schedule', 'start', 'commit', 'rollback']) {
    const { status } = await fetch(`${url}/dare-migration/${hook}`, { method: 'POST' });
    expect(status, hook).toBe(204);
  }
});

test('lets a burst through, and then as many a second as the rate says', () => {
  const route = routeAt('/dare-migration/start');
  const { rate, burst } = route.throttle;
  const lets = throttle();
  const through = (now: number) =>
    Array.from({ length: 2 * burst }, () => lets(route, now)).filter(Boolean).length;
  expect([0, 0, 1_000, 1_500, 3_600_000].map(through)).toEqual([burst, 0, rate, rate / 2, burst]);
});
