/** The realms, sites and options of a story. */
import type { Realm } from '../../../lambdas/domain/realm.ts';
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
  /** `both`: installed by Connect, and a Forge app before the move begins. */
  readonly door: 'connect' | 'forge' | 'both';
}

/** Everything that a story works with. */
export interface Cast {
  readonly host: LocalHost;
  readonly atlassian: SimulatedAtlassian;
  readonly tell: Teller;
  readonly source: StoryRealm;
  readonly target: StoryRealm;
  readonly tenant: Site;
  readonly neighbour: Site;
}

export interface Possessions {
  readonly tenant: Holdings;
  readonly neighbour: Holdings;
}

export interface Course {
  /** The status in which the migration ended. */
  readonly end: string | undefined;
  /** HTTP status of a write in the source: while it was frozen, and after the commit. */
  readonly whileCopying: number;
  readonly afterwards: number;
}

/** The template that the user saves. */
export const TEMPLATE = '/templates/minutes';

export const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;
