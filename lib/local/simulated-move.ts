/** A whole move as Atlassian's migration service drives it: five hooks, its retries, its polls, and its ways to give up. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  fieldOf,
  type Hook,
  type Reply,
  type SimulatedAtlassian,
  type Site,
} from './simulated-atlassian.ts';

export interface MoveScript {
  readonly site: Site;
  /** The base URL of the realm it is moved to; hooks go to where it is now. */
  readonly target: string;
  /** As Atlassian writes it: `DE`. */
  readonly location: string;
  readonly migrationId: number;
  /** ISO; the window begins now and is an hour and a half long unless said otherwise. */
  readonly startTime?: string;
  readonly endTime?: string;
  /** Atlassian polls every five minutes, and tries again after five seconds. */
  readonly pollMs?: number;
  readonly retryMs?: number;
  /** When the site must be back: what is not ready by then is rolled back. */
  readonly patienceMs?: number;
  /** The admin changes their mind at this point: `rollback`, whatever the status. */
  readonly cancelWhen?: 'scheduled' | 'started' | 'ready-to-commit' | 'committed';
  /** Hooks that are sent twice at the same instant. */
  readonly doubled?: readonly Hook[];
  /** How many replies to a hook never reach Atlassian. */
  readonly lostReplies?: Partial<Readonly<Record<Hook, number>>>;
  /** Told of every reply; what comes next waits for it. */
  readonly onReply?: (hook: Hook, reply: Reply) => Promise<void> | void;
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
  const {
    site,
    migrationId,
    cancelWhen,
    pollMs = 300_000,
    retryMs = 5_000,
    patienceMs = WINDOW_MS,
  } = script;
  const source = site.home;
  const lost = { ...script.lostReplies };
  const statuses: string[] = [];
  const id = { migrationId };
  const startTime = script.startTime ?? new Date().toISOString();
  const endTime = script.endTime ?? new Date(Date.parse(startTime) + WINDOW_MS).toISOString();
  const facts = { startTime, endTime, location: script.location, migrationId };

  /** One try. A lost reply has had its effect, and is not a reply. */
  async function once(
    hook: Hook,
    fields: Readonly<Record<string, unknown>>,
  ): Promise<Reply | undefined> {
    const copies = script.doubled?.includes(hook) ? 2 : 1;
    const replies = await Promise.all(
      Array.from({ length: copies }, () =>
        atlassian.hook(site, source, hook, fields).catch(() => undefined),
      ),
    );
    const reply = replies[0];
    if (reply) await script.onReply?.(hook, reply);
    const losses = lost[hook] ?? 0;
    if (losses === 0) return reply;
    lost[hook] = losses - 1;
    return undefined;
  }

  /** Three tries, unless the app says with a code that it is no use. */
  async function tell(hook: Hook, fields: Readonly<Record<string, unknown>>): Promise<boolean> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const reply = await once(hook, fields);
      if (reply && isSuccess(reply)) return true;
      if (reply && fieldOf(reply, 'errorResponseCode') !== undefined) return false;
      if (attempt < TRIES) await sleep(retryMs);
    }
    return false;
  }

  /** Whether the app became ready before the site had to come back. */
  async function becomesReady(): Promise<boolean> {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
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

const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;

/** Asks on after the last hook, as Atlassian does not, until the app has nothing left to do: the status it ends in. */
export async function finalStatus(
  atlassian: SimulatedAtlassian,
  script: Pick<MoveScript, 'site' | 'migrationId' | 'pollMs' | 'patienceMs'>,
  source: string,
): Promise<string | undefined> {
  const deadline = Date.now() + (script.patienceMs ?? WINDOW_MS);
  let status: string | undefined;
  while (Date.now() < deadline) {
    const reply = await atlassian.hook(script.site, source, 'status', {
      migrationId: script.migrationId,
    });
    status = fieldOf(reply, 'status') ?? status;
    if (status === 'committed' || status === 'rolled-back') break;
    await sleep(script.pollMs ?? 1_000);
  }
  return status;
}
