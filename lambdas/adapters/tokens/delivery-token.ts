/**
 * Signs the delivery of a kept event: by then the token that Atlassian sent with it has expired.
 * `packages/guard` verifies it; docs/guard.md describes it.
 */
import { hash } from 'node:crypto';
import { encodeSymmetric, SymmetricAlgorithm } from 'atlassian-jwt';

/** For how long the app may believe it. */
const DELIVERY_SECONDS = 180;

export interface Delivery {
  /** The app's key, as in its descriptor. */
  readonly app: string;
  /** Atlassian's name of the tenant, as in the body. */
  readonly audience: string;
  readonly path: string;
  readonly body: string;
}

/** HS256, by the secret that the tenant has now. `now` in epoch milliseconds. */
export function deliveryToken(
  { app, audience, path, body }: Delivery,
  sharedSecret: string,
  now: number,
): string {
  const iat = Math.floor(now / 1000);
  const claims = {
    iss: app,
    aud: audience,
    sub: path,
    iat,
    exp: iat + DELIVERY_SECONDS,
    bodySha256: hash('sha256', body, 'hex'),
  };
  return encodeSymmetric(claims, sharedSecret, SymmetricAlgorithm.HS256);
}
