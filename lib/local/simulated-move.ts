/** A whole move as Atlassian's migration service drives it: five hooks, its retries, its polls, and its ways to give up. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  fieldOf,
  type Hook,
  type Reply,
  type SimulatedAtlassian,
  type Site,
} from './simulated-atlassian.ts';

export interface MoveScript extends Pick<Asking, 'site' | 'retryMs' | 'doubled' | 'onReply'> {
  /** The base URL of the realm it is moved to; hooks go to where it is now. */
  readonly target: string;
  /** As Atlassian writes it: `DE`. */
  readonly location: string;
  readonly migrationId: number;
  /** ISO; the window begins now and is an hour and a half long unless said otherwise. */
  readonly startTime?: string;
  readonly endTime?: string;
  /** Atlassian polls every five minutes. */
  readonly pollMs?: number;
  /** When the site must be back: what is not ready by then is rolled back. */
  readonly patienceMs?: number;
  /** The admin changes their mind at this point: `rollback`, whatever the status. */
  readonly cancelWhen?: 'scheduled' | 'started' | 'ready-to-commit' | 'committed';
  /** How many replies to a hook never reach Atlassian. */
  readonly lostReplies?: Partial<Readonly<Record<Hook, number>>>;
}

/** How it ended for Atlassian. Behind a `rolled-back` or a `committed`, the app may still be busy. */
export interface MoveEnd {
  readonly outcome: 'committed' | 'rolled-back';
  /** Every status that was spoken, once. */
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

  /** Whether the app became ready before the site had to come back. */
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

/** How Atlassian asks one realm about one site. */
export interface Asking {
  readonly site: Site;
  /** Base URL of the realm: for all hooks of a move, of its source. */
  readonly realm: string;
  /** Atlassian tries again after five seconds. */
  readonly retryMs?: number;
  /** Hooks that are sent twice at the same instant. */
  readonly doubled?: readonly Hook[];
  /** Whether the reply to this try never reaches Atlassian. */
  readonly isLost?: (hook: Hook) => boolean;
  /** Told of every reply, the lost ones too; what comes next waits for it. */
  readonly onReply?: (hook: Hook, reply: Reply, isLost: boolean) => Promise<void> | void;
}

type Fields = Readonly<Record<string, unknown>>;

export function asking(
  atlassian: SimulatedAtlassian,
  { site, realm, retryMs = 5_000, doubled, isLost, onReply }: Asking,
) {
  /** One try. A lost reply has had its effect, and is not a reply. */
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

  /** Three tries, unless the app says with a code that it is no use. */
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

/** Asks on after the last hook, as Atlassian does not, until the app has nothing left to do: the status it ends in. */
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
