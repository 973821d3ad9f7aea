/** Who and what takes part in a story. */
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { LocalHost } from '../host.ts';
import type { Reply, SimulatedAtlassian, Site } from '../simulated-atlassian.ts';
import type { Holdings, StoryRealm } from './holdings.ts';
import type { Teller } from './print.ts';

export interface StoryOptions {
  readonly from: Realm;
  readonly to: Realm;
  readonly items: number;
  /** The move is cancelled when it is ready to be committed. */
  readonly rollback: boolean;
  /** `both`: installed through Connect, and a Forge app by the time that the move begins. */
  readonly door: 'connect' | 'forge' | 'both';
}

/** Who takes part. */
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
  /** What a write in the source was answered, while frozen and after the commit. */
  readonly whileCopying: number;
  readonly afterwards: number;
}

/** What the user saves. */
export const TEMPLATE = '/templates/minutes';

export const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;
