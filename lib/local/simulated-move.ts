/**
 * A whole move as Atlassian's migration service drives it: five hooks, its retries, its polls, and
 * its reasons to give up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  fieldOf,
  type Hook,
  type Reply,
  type SimulatedAtlassian,
  type Site,
} from './simulated-atlassian.ts';

export interface MoveScript extends Pick<Asking, 'site' | 'retryMs' | 'doubled' | 'onReply'> {
  /** The base URL of the target realm. Hooks go to the site's home. */
  readonly target: string;
  /** As Atlassian writes it: `DE`. */
  readonly location: string;
  readonly migrationId: number;
  /** ISO; without them the window begins now and is an hour and a half long. */
  readonly startTime?: string;
  readonly endTime?: string;
  /** Atlassian polls every five minutes. */
  readonly pollMs?: number;
  /** When the site must be back. A move that is not ready by then is rolled back. */
  readonly patienceMs?: number;
  /** At this point the admin cancels: `rollback`, in any status. */
  readonly cancelWhen?: 'scheduled' | 'started' | 'ready-to-commit' | 'committed';
  /** How many replies to a hook are lost on their way to Atlassian. */
  readonly lostReplies?: Partial<Readonly<Record<Hook, number>>>;
}

/** The end as Atlassian sees it. After it, the app may still work. */
export interface MoveEnd {
  readonly outcome: 'committed' | 'rolled-back';
  /** Every status that the app told, once. */
  readonly statuses: readonly string[];
}

const WINDOW_MS = 90 * 60 * 1000;
const TRIES = 3;

export async function playMove(
  atlassian: SimulatedAtlassian,
  script: MoveScript,
): Promise<MoveEnd> {
  const { site, migrationId, cancelWhen, pollMs = 300_000, patienceMs = WINDOW_MS } = script;
  const source = site.home;
  const lost = { ...script.lostReplies };
  const { once, tell } = asking(atlassian, {
    ...script,
    realm: source,
    isLost(hook) {
      const losses = lost[hook] ?? 0;
      lost[hook] = Math.max(0, losses - 1);
      return losses > 0;
    },
  });
  const statuses: string[] = [];
  const id = { migrationId };
  const startTime = script.startTime ?? new Date().toISOString();
  const endTime = script.endTime ?? new Date(Date.parse(startTime) + WINDOW_MS).toISOString();
  const facts = { startTime, endTime, location: script.location, migrationId };

  /** True where the app became ready before the site had to come back. */
  async function becomesReady(): Promise<boolean> {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      const reply = await once('status', id);
      const status = reply && isSuccess(reply) ? fieldOf(reply, 'status') : undefined;
      if (status !== undefined && statuses.at(-1) !== status) statuses.push(status);
      if (status === 'ready-to-commit') return true;
      if (status === 'failed' || (reply && fieldOf(reply, 'errorResponseCode') !== undefined))
        return false;
      await sleep(pollMs);
    }
    return false;
  }

  async function rollBack(): Promise<MoveEnd> {
    await tell('rollback', id);
    return { outcome: 'rolled-back', statuses };
  }

  if (!(await tell('schedule', facts)) || cancelWhen === 'scheduled') return rollBack();
  if (!(await tell('start', facts)) || cancelWhen === 'started') return rollBack();
  if (!(await becomesReady()) || cancelWhen === 'ready-to-commit') return rollBack();
  if (!(await tell('commit', id)) || cancelWhen === 'committed') return rollBack();
  site.home = script.target;
  return { outcome: 'committed', statuses };
}

/** How Atlassian calls one realm for one site. */
export interface Asking {
  readonly site: Site;
  /** Base URL of the realm: for all hooks of a move, of its source. */
  readonly realm: string;
  /** Atlassian tries again after five seconds. */
  readonly retryMs?: number;
  /** Hooks that are sent twice at the same instant. */
  readonly doubled?: readonly Hook[];
  /** True where the reply to this try is lost. */
  readonly isLost?: (hook: Hook) => boolean;
  /** Called with every reply, lost ones included. The move waits for its promise. */
  readonly onReply?: (hook: Hook, reply: Reply, isLost: boolean) => Promise<void> | void;
}

type Fields = Readonly<Record<string, unknown>>;

export function asking(
  atlassian: SimulatedAtlassian,
  { site, realm, retryMs = 5_000, doubled, isLost, onReply }: Asking,
) {
  /** One try. A lost reply has had its effect, but `once` returns `undefined`. */
  async function once(hook: Hook, fields: Fields): Promise<Reply | undefined> {
    const copies = doubled?.includes(hook) ? 2 : 1;
    const replies = await Promise.all(
      Array.from({ length: copies }, () =>
        atlassian.hook(site, realm, hook, fields).catch(() => undefined),
      ),
    );
    const reply = replies[0];
    const lost = isLost?.(hook) ?? false;
    if (reply) await onReply?.(hook, reply, lost);
    return lost ? undefined : reply;
  }

  /** Up to three tries; one that is refused with a code is not repeated. */
  async function tell(hook: Hook, fields: Fields): Promise<boolean> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const reply = await once(hook, fields);
      if (reply && isSuccess(reply)) return true;
      if (reply && fieldOf(reply, 'errorResponseCode') !== undefined) return false;
      if (attempt < TRIES) await sleep(retryMs);
    }
    return false;
  }

  return { once, tell };
}

const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;

/**
 * Polls after the last hook, which Atlassian does not, until the migration is final. Returns its
 * status.
 */
export async function finalStatus(
  atlassian: SimulatedAtlassian,
  script: Pick<MoveScript, 'site' | 'migrationId' | 'pollMs' | 'patienceMs'>,
  source: string,
): Promise<string | undefined> {
  const deadline = performance.now() + (script.patienceMs ?? WINDOW_MS);
  let status: string | undefined;
  while (performance.now() < deadline) {
    const reply = await atlassian.hook(script.site, source, 'status', {
      migrationId: script.migrationId,
    });
    status = fieldOf(reply, 'status') ?? status;
    if (status === 'committed' || status === 'rolled-back') break;
    await sleep(script.pollMs ?? 1_000);
  }
  return status;
}
