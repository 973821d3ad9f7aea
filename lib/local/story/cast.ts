/** The realms, sites and options of a story. */
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Residency } from '../../../lambdas/domain/residency.ts';
import type { Left } from '../../object-snapshots.ts';
import type { LocalHost } from '../host.ts';
import type { Reply, SimulatedAtlassian, Site } from '../simulated-atlassian.ts';
import type { Holdings, StoryRealm } from './holdings.ts';
import type { Teller } from './print.ts';

export interface StoryOptions {
  readonly from: Realm;
  readonly to: Realm;
  readonly items: number;
  /** True: the move is cancelled when it is ready to be committed. */
  readonly rollback: boolean;
  /** True: the tenant is copied ahead; with `rollback`, the move is cancelled before it begins. */
  readonly ahead?: boolean;
  /** `both`: installed by Connect, and a Forge app before the move begins. */
  readonly door: 'connect' | 'forge' | 'both';
}

/** What a user does in the app, at the site's home or at `baseUrl`. */
export type UserRequest = SimulatedAtlassian['request'];

/** True where the sample app can serve its users: their items and objects lie in these parts. */
export const hasSampleApp = ({ parts }: Pick<Residency, 'parts'>): boolean =>
  ['templates', 'exports', 'documents'].every((wanted) =>
    parts.some(({ name }) => name === wanted),
  );

/** Everything that a story works with. */
export interface Cast {
  readonly host: LocalHost;
  readonly atlassian: SimulatedAtlassian;
  readonly tell: Teller;
  readonly request: UserRequest;
  /** What a user saves: `a template` in the sample app, else `an item`. */
  readonly saved: string;
  readonly source: StoryRealm;
  readonly target: StoryRealm;
  readonly tenant: Site;
  readonly neighbour: Site;
}

export interface Possessions {
  readonly tenant: Holdings;
  readonly neighbour: Holdings;
  /** What buckets hold of the tenant, older versions included. */
  readonly left: Left;
}

/** What happened before the window. */
export interface AheadCourse {
  /** From the operator's command to the end of the phase. */
  readonly seconds: number;
  /** Items and objects in the target, and the state of the tenant's record there. */
  readonly copied: Holdings;
  readonly state: string;
  /** Whether the ledger says that all was copied. */
  readonly isFinished: boolean;
  /** Writes of the user that were accepted, and that were refused. */
  readonly saved: number;
  readonly refused: number;
  /** What the source held after the last of them. */
  readonly atItsEnd: Holdings;
}

/** A document that the app has rendered, as a user read it before the move. */
export interface Exported {
  /** The route that answers its URL. */
  readonly path: string;
  readonly text: string;
}

export interface Course {
  /** The status in which the migration ended. */
  readonly end: string | undefined;
  /** HTTP status of a write in the source: while it was frozen, and after the commit. */
  readonly whileCopying: number;
  readonly afterwards: number;
  readonly ahead?: AheadCourse | undefined;
  /** How long the source was fenced, in seconds; absent where it never was. */
  readonly fenced?: number | undefined;
}

/** The template that the user saves, and exports. */
export const TEMPLATE = '/templates/minutes';
export const EXPORT = { template: 'minutes', title: 'Minutes', values: { names: 'Ada, Grace' } };

export const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;
