/**
 * What the package says to its callers, on one screen. Nothing here comes from outside this folder:
 * it is published as it is.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Where the tenants' table of a realm is. */
export interface TableOptions {
  /** `name` in `residency.config.ts`: the first word of every physical name. */
  readonly app: string;
  readonly stage: string;
  /** One that has a stack of its own; not a realm that another one serves. */
  readonly realm: string;
  /** The region of the realm; `AWS_REGION` unless said otherwise. */
  readonly region?: string;
  /**
   * Instead of a client of its own, whose requests end after 3 seconds and are tried three times.
   */
  readonly client?: DynamoDBClient;
}

export interface GuardOptions extends TableOptions {
  /**
   * For how long after its beginning a request, a message or a batch may still write a dataset, in
   * whole seconds: what `residency.config.ts` has as `otherWritersSeconds`, or less. `signal` of a
   * verdict ends then.
   */
  readonly otherWritersSeconds: number;
  /** Realm to base URL of the app there: what a 421 tells. */
  readonly baseUrls?: Readonly<Record<string, string>>;
}

/**
 * By what a verified token, or a message, says whose it is: a client key; the verified claims of a
 * Forge invocation token; an installation (`ari:cloud:ecosystem::installation/…`), and its site if
 * it is known; or a cloud id alone, which means a tenant only where no other one is at the site, of
 * that product if one is named.
 */
export type Whose =
  | string
  | { readonly clientKey: string }
  | { readonly forge: object }
  | { readonly installationId: string; readonly cloudId?: string; readonly product?: string }
  | { readonly cloudId: string; readonly product?: string };

export type Access = 'read' | 'write';

export type TenantState =
  | 'active'
  | 'frozen'
  | 'standby'
  | 'moved'
  | 'withdrawn'
  | 'retired'
  | 'purging'
  | 'opening';

export interface Found {
  /** The tenant's id in the tables of this system; `undefined` where none was found. */
  readonly tenant: string | undefined;
  readonly state: TenantState | undefined;
}

export interface Allowed extends Found {
  readonly kind: 'allowed';
  /**
   * Ends when `otherWritersSeconds` are over since the guard was asked: give it to every write
   * (`abortSignal` of the SDK). What is written later than that may be missing in the copy.
   */
  readonly signal: AbortSignal;
}
/** Answer 503 with `Retry-After`; a consumer leaves the message for later. */
export interface Later extends Found {
  readonly kind: 'later';
  readonly retryAfterSeconds: number;
}
/** Answer 421, and say where the tenant is; a consumer passes the message on. */
export interface Elsewhere extends Found {
  readonly kind: 'elsewhere';
  readonly realm: string;
  /** `undefined` where `baseUrls` has none. */
  readonly baseUrl: string | undefined;
}
/** Answer 401. */
export interface Unknown extends Found {
  readonly kind: 'unknown';
}
export type Verdict = Allowed | Later | Elsewhere | Unknown;

/** An answer over HTTP, in the app's stead. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * Rejects with `ResidencyFault` where the table cannot be read: then nothing may be read or
 * written.
 */
export interface ResidencyGuard {
  /** Asks: whose is it, and may it be read, or written? Once per request, before anything else. */
  (whose: Whose, access: Access): Promise<Verdict>;
  /** Reads the tenant's record once, for several questions of one request. */
  look(whose: Whose): Promise<(access: Access) => Verdict>;
}

/** One message of many, and what the guard says of it. */
export interface Judged<T> {
  readonly message: T;
  readonly verdict: Verdict;
}
