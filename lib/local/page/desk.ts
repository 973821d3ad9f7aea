/**
 * Atlassian's part on the watch page: the operator decides which hook comes next, and what goes
 * wrong.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { defined } from '../../../lambdas/domain/defined.ts';
import { type Realm, stackRows } from '../../../lambdas/domain/realm.ts';
import { HOUR_MS } from '../../../lambdas/domain/time.ts';
import type { LocalHost } from '../host.ts';
import { fieldOf, type Hook, type SimulatedAtlassian, type Site } from '../simulated-atlassian.ts';
import { asking } from '../simulated-move.ts';
import { fillUp } from '../story/holdings.ts';
import type { Action, Outcome } from './actions.ts';
import { knownSites } from './known-sites.ts';
import { type MigrationView, newestOf } from './migration-view.ts';
import { answerOf, isSuccess, type Said, saidLog } from './said.ts';
import type { View } from './view.ts';

const SIZES: readonly number[] = [0, 100, 1_000, 4_000, 20_000];

export interface SiteView {
  readonly tenant: string;
  /** The realm to which Atlassian sends its requests. */
  readonly realm: Realm;
  readonly migration?: string;
  /** What ends the migration now: a committed one is rolled back, an earlier one is cancelled. */
  readonly undo: 'Cancel' | 'Roll back';
  /** Why a button has no effect now; absent where it has one. */
  readonly refused: Partial<Readonly<Record<Action, string>>>;
}

export interface DeskView {
  readonly sizes: readonly number[];
  /** Why no button has an effect. */
  readonly closed?: string;
  readonly sites: readonly SiteView[];
  readonly losesReply: boolean;
  /** The tenant whose next worker is to be killed. */
  readonly killsNextOf?: string;
  readonly said: readonly Said[];
}

/** The present move of one site. */
interface Move {
  /** As it goes over the wire: usually a number. */
  readonly id: number | string;
  readonly source: Realm;
  readonly target: Realm;
  readonly facts: Readonly<Record<string, unknown>>;
}

interface Client {
  readonly site: Site;
  realm: Realm;
  isBusy: boolean;
  /** The migration whose status is polled. */
  polled?: number | string;
}

export interface DeskOptions {
  readonly host: LocalHost;
  readonly view: () => View;
  /** The migrations of all realms, as they were read last. */
  readonly migrations: () => readonly MigrationView[];
  /** The directory that keeps the sites over restarts. */
  readonly dataDir?: string | undefined;
}

/**
 * In these statuses the app works, and Atlassian polls. In the others the app waits for the admin,
 * or has ended.
 */
const BUSY: readonly string[] = ['copying', 'committing', 'rolling-back'];
const RETRY_MS = 1_000;
const POLL_MS = 1_000;
const FIRST_ID = 57_500;
const MAX_NAME = 100;

export function pageDesk({ host, view, migrations, dataDir }: DeskOptions) {
  const store = knownSites(host.atlassian && dataDir);
  const clients = new Map<string, Client>();
  const { said, say, heard } = saidLog();
  const closing = new AbortController();
  const realms = stackRows(host.realms).map(({ realm }) => realm);
  const windowMs = host.residency.maxMigrationDurationHours * HOUR_MS;
  let lastId = 0;
  let losesReply = false;
  let killsNextOf: string | undefined;

  const urlOf = (realm: Realm): string => host.urls[realm] ?? '';

  for (const { site, realm } of store.read()) {
    if (!realms.includes(realm)) continue;
    site.home = urlOf(realm);
    clients.set(site.clientKey, { site, realm, isBusy: false });
  }
  const keep = () => store.keep([...clients.values()].map(({ site, realm }) => ({ site, realm })));

  /** Goes on to poll migrations that an earlier run of this host polled. */
  function resume(): void {
    const { atlassian } = host;
    for (const client of clients.values()) {
      const migration = migrationOf(client);
      if (atlassian && migration && BUSY.includes(migration.status))
        void poll(atlassian, client, moveBy(migration));
    }
  }

  async function perform(action: Action, fields: Fields): Promise<Outcome> {
    const { atlassian } = host;
    if (!atlassian) return refused(CLOSED);
    if (action === 'install') return install(atlassian, fields);
    if (action === 'lose-reply') {
      losesReply = fields['on'] === true;
      return done(losesReply ? 'the next reply will be lost' : 'no reply will be lost');
    }
    const client = clients.get(String(fields['tenant']));
    if (!client) return refused('Atlassian knows no such tenant');
    const reason = refusalsOf(client)[action];
    if (reason !== undefined) return refused(reason);
    if (action === 'kill-worker') return killNextWorker(client, fields['on'] === true);
    return alone(client, () => ask(atlassian, client, action, fields));
  }

  /** A second request about the same site is refused, and does not wait. */
  async function alone(client: Client, work: () => Promise<Outcome>): Promise<Outcome> {
    client.isBusy = true;
    try {
      return await work();
    } finally {
      client.isBusy = false;
    }
  }

  async function install(atlassian: SimulatedAtlassian, fields: Fields): Promise<Outcome> {
    const tenant = String(fields['tenant'] ?? '').trim();
    const realm = String(fields['realm']);
    const items = Number(fields['items']);
    if (tenant === '' || tenant.length > MAX_NAME)
      return refused(`a name has 1 to ${MAX_NAME} characters`);
    if (!realms.includes(realm)) return refused('there is no such realm');
    if (!SIZES.includes(items)) return refused('there is no such number of items');
    const home = clients.get(tenant)?.realm ?? homeOf(tenant, view());
    if (home !== undefined && home !== realm) return refused(`${tenant} lives in ${home}`);
    const client = clients.get(tenant) ?? {
      site: atlassian.site(tenant, urlOf(realm)),
      realm,
      isBusy: false,
    };
    const reason = openMoveOf(client) ? 'it is being moved' : busyReason(client);
    if (reason !== undefined) return refused(`${tenant} cannot be installed: ${reason}`);
    const isNew = !clients.has(tenant);
    clients.set(tenant, client);
    return alone(client, async () => {
      const sent = atlassian.install(client.site);
      keep(); // keeps the new secret before the app can know it
      const reply = await sent;
      heard(tenant, `installed, in ${realm}`, reply);
      if (!isSuccess(reply)) {
        if (isNew) clients.delete(tenant);
        keep();
        return refused(answerOf(reply));
      }
      const reason = items > 0 ? await fillUp(host, client.site, realm, items) : undefined;
      return reason === undefined
        ? done(`${tenant} is installed in ${realm}`)
        : refused(`${tenant} is installed in ${realm}, without items: ${reason}`);
    });
  }

  async function ask(
    atlassian: SimulatedAtlassian,
    client: Client,
    action: Exclude<Action, 'install' | 'lose-reply' | 'kill-worker'>,
    fields: Fields,
  ): Promise<Outcome> {
    const target = String(fields['target']);
    if (action === 'schedule' && !realms.includes(target)) return refused('there is no such realm');
    if (action === 'schedule' && target === client.realm)
      return refused(`${client.site.clientKey} is in ${target}`);
    const migration = migrationOf(client);
    const move = action === 'schedule' ? moveTo(client, target) : migration && moveBy(migration);
    if (!move) return refused('no migration is scheduled');
    const hook = action === 'cancel' ? 'rollback' : action;
    const isWhole = hook === 'schedule' || hook === 'start';
    const isTaken = await asker(atlassian, client, move).tell(
      hook,
      isWhole ? move.facts : { migrationId: move.id },
    );
    if (!isTaken) return refused(`the app did not take ${hook}`);
    if (hook === 'commit') settle(client, move.target);
    if (hook === 'rollback') settle(client, move.source);
    if (hook !== 'schedule') void poll(atlassian, client, move);
    return done(`${hook} of migration ${move.id}`);
  }

  /** From now on, Atlassian sends the site's requests to this realm. */
  function settle(client: Client, realm: Realm): void {
    client.realm = realm;
    client.site.home = urlOf(realm);
    keep();
  }

  function moveTo({ realm }: Client, target: Realm): Move {
    const ids = migrations().map(({ id }) => Number(id));
    const id = 1 + Math.max(FIRST_ID - 1, lastId, ...ids.filter(Number.isSafeInteger));
    lastId = id;
    const startTime = new Date();
    const facts = {
      startTime: startTime.toISOString(),
      endTime: new Date(startTime.getTime() + windowMs).toISOString(),
      location: target.toUpperCase(),
      migrationId: id,
    };
    return { id, source: realm, target, facts };
  }

  function asker(atlassian: SimulatedAtlassian, { site }: Client, move: Move) {
    const takeLoss = (hook: Hook) => {
      const isLost = losesReply && hook !== 'status';
      if (isLost) losesReply = false;
      return isLost;
    };
    return asking(atlassian, {
      site,
      realm: urlOf(move.source),
      retryMs: RETRY_MS,
      isLost: takeLoss,
      onReply(hook, reply, isLost) {
        if (hook === 'status') return;
        heard(site.clientKey, `${hook} ${move.id}`, reply);
        if (isLost) say(site.clientKey, 'the reply was lost', 'Atlassian asks again', 'trouble');
      },
    });
  }

  /**
   * Atlassian polls every five minutes until the commit. This desk polls more often, and after the
   * commit too, so that the log shows the end.
   */
  async function poll(atlassian: SimulatedAtlassian, client: Client, move: Move): Promise<void> {
    if (client.polled === move.id) return;
    client.polled = move.id;
    const { once } = asker(atlassian, client, move);
    let known: string | undefined;
    while (client.polled === move.id && !closing.signal.aborted) {
      const reply = await once('status', { migrationId: move.id });
      const status = reply && fieldOf(reply, 'status');
      if (reply && status !== known) heard(client.site.clientKey, `status? ${move.id}`, reply);
      known = status;
      if (status !== undefined && !BUSY.includes(status)) break;
      await sleep(POLL_MS, undefined, { ref: false });
    }
    if (client.polled === move.id) delete client.polled;
  }

  function killNextWorker({ site: { clientKey } }: Client, isOn: boolean): Outcome {
    host.deaths.spareNextWorker();
    killsNextOf = isOn ? clientKey : undefined;
    if (!isOn) return done('no worker will be killed');
    host.deaths.killNextWorker(clientKey, ({ realm, entry }) => {
      killsNextOf = undefined;
      const task = entry.replace('tasks/', '');
      say(clientKey, `${task} was killed in ${realm}`, 'the workflow tries again', 'trouble');
    });
    return done(`the next worker that writes for ${clientKey} is killed`);
  }

  const migrationOf = ({ site }: Client): MigrationView | undefined =>
    newestOf(migrations(), site.clientKey);

  const openMoveOf = (client: Client): MigrationView | undefined => {
    const migration = migrationOf(client);
    return migration?.isFinal ? undefined : migration;
  };

  /** The ledger decides: Atlassian would not send a hook that cannot succeed. */
  function refusalsOf(client: Client): SiteView['refused'] {
    const busy = busyReason(client);
    if (busy !== undefined)
      return { install: busy, schedule: busy, start: busy, commit: busy, cancel: busy };
    const { id, status = 'not scheduled' } = migrationOf(client) ?? {};
    const it = id === undefined ? 'no migration is scheduled' : `migration ${id} is ${status}`;
    const open = openMoveOf(client);
    return {
      ...(open && { schedule: it }),
      ...(status !== 'scheduled' && { start: it }),
      ...(status !== 'ready-to-commit' && { commit: it }),
      ...(['not scheduled', 'rolling-back', 'rolled-back'].includes(status) && { cancel: it }),
      ...(!open && { 'kill-worker': `${it}: there is no worker` }),
    };
  }

  return {
    perform,
    resume,
    view: (): DeskView => ({
      sizes: SIZES,
      ...(!host.atlassian && { closed: CLOSED }),
      sites: [...clients.values()].map((client) => {
        const { id, status = '' } = migrationOf(client) ?? {};
        const isCommitted = ['committing', 'committed'].includes(status);
        return {
          tenant: client.site.clientKey,
          realm: client.realm,
          ...defined({ migration: id }),
          undo: isCommitted ? ('Roll back' as const) : ('Cancel' as const),
          refused: refusalsOf(client),
        };
      }),
      losesReply,
      ...defined({ killsNextOf }),
      said,
    }),
    close: () => closing.abort(),
  };
}

/** The move, from the ledger's record. */
function moveBy({ id: text, source, target, window }: MigrationView): Move {
  const id = Number.isSafeInteger(Number(text)) ? Number(text) : text;
  return { id, source, target, facts: { ...window, migrationId: id } };
}

type Fields = Readonly<Record<string, unknown>>;

const CLOSED = 'INSTALL_KEYS_URL names the keys of another Atlassian: this page cannot sign for it';

const done = (message: string): Outcome => ({ isDone: true, message });
const refused = (message: string): Outcome => ({ isDone: false, message });
const busyReason = ({ isBusy }: Client): string | undefined =>
  isBusy ? 'Atlassian waits for an answer' : undefined;

/**
 * The realm that serves a tenant which this desk does not know, from an earlier run or another
 * client.
 */
const homeOf = (tenant: string, { realms }: View): Realm | undefined =>
  realms.find((row) =>
    row.tenants.some((one) => one.tenant === tenant && ['active', 'frozen'].includes(one.state)),
  )?.realm;
