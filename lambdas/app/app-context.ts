/**
 * What the functions of one realm's app are made from. Each factory of `lambdas/app` takes it, and
 * nothing else of the stack.
 */
import type { Part } from '../domain/datasets/dataset.ts';
import type { CopyAhead } from '../domain/planning/copy-ahead.ts';
import { type Realm, type RealmRow, stackRows } from '../domain/realm.ts';
import type { Ports } from '../ports.ts';
import { type Steps, steps } from './steps.ts';

export interface AppContext {
  readonly ports: Ports;
  readonly steps: Steps;
  readonly settings: AppSettings;
}

/** What is fixed when a stack is deployed. */
export interface AppSettings {
  /** The realm whose stack this is. */
  readonly realm: Realm;
  readonly realms: readonly RealmRow[];
  readonly parts: readonly Part[];
  readonly baseUrls: Readonly<Record<Realm, string>>;
  /** An installation whose host name is a known tenant's is offered to an operator for adoption. */
  readonly adoptByHost: boolean;
  /** Windows of this realm as a source that may overlap. */
  readonly maxOverlappingMigrations: number;
  /** Ranges of a move at once, where no operator has set another number. */
  readonly concurrency: number;
  /**
   * Longer than any function that writes datasets can run. When it is over, writes that passed the
   * guard have landed or died.
   */
  readonly drainSeconds: number;
  /** How long a commit can be rolled back before the source is purged. */
  readonly commitGraceSeconds: number;
  /** For how many days a table's point-in-time backups reach back. */
  readonly backupDays: number;
  /** Which two tables of this stage are one, as a sentence. Then nothing is claimed or deleted. */
  readonly clash?: string | undefined;
  /** Without it, nothing is copied before a window begins. */
  readonly copyAhead?: CopyAhead | undefined;
  readonly issuer: Issuer;
}

/** What receipts say of the deployment that issues them. */
export interface Issuer {
  readonly app: string;
  readonly account: string;
  readonly stage: string;
  readonly version: string;
  readonly outOfScope: readonly string[];
  readonly placeArn: (part: Part, realm: Realm) => string;
}

export const appContext = (ports: Ports, settings: AppSettings): AppContext => ({
  ports,
  steps: steps(ports),
  settings,
});

/** Every realm that has a stack; this one comes first. */
export function stackRealms({
  realm: here,
  realms,
}: Pick<AppSettings, 'realm' | 'realms'>): readonly [Realm, ...Realm[]] {
  const all = stackRows(realms).map(({ realm }) => realm);
  return [here, ...all.filter((realm) => realm !== here)];
}
