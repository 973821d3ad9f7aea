/**
 * The throttle of an HTTP API: each route has its own bucket of `burst` requests, refilled at the
 * route's rate.
 */
import type { Route } from '../routes.ts';

/** True where this request is let through. `now` in milliseconds. */
export type Throttle = (route: Route, now?: number) => boolean;

export function throttle(): Throttle {
  const buckets = new Map<Route, { readonly tokens: number; readonly at: number }>();
  return (route, now = performance.now()) => {
    const { rate, burst } = route.throttle;
    const { tokens, at } = buckets.get(route) ?? { tokens: burst, at: now };
    const left = Math.min(burst, tokens + ((now - at) / 1000) * rate);
    const isThrough = left >= 1;
    buckets.set(route, { tokens: isThrough ? left - 1 : left, at: now });
    return isThrough;
  };
}
