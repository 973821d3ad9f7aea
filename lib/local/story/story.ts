/** One move from beginning to end: printed as it happens, and checked when it is over. */
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import type { LocalHost } from '../host.ts';
import {
  fieldOf,
  type Hook,
  type Reply,
  type SimulatedAtlassian,
  type Site,
} from '../simulated-atlassian.ts';
import { finalStatus, playMove } from '../simulated-move.ts';
import { copyAhead, fenceSeconds } from './ahead.ts';
import {
  type AheadCourse,
  type Cast,
  type Course,
  EXPORT,
  type Exported,
  hasSampleApp,
  isSuccess,
  type Possessions,
  type StoryOptions,
  TEMPLATE,
} from './cast.ts';
import {
  claimsOfAhead,
  claimsOfData,
  claimsOfDocuments,
  claimsOfMove,
  claimsOfNames,
  claimsOfService,
} from './claims.ts';
import { guardedUser } from './guarded-user.ts';
import { countsIn, type Holdings, partsWith, type StoryRealm, storyRealm } from './holdings.ts';
import { tellLastState } from './last-state.ts';
import { mutedWhen, type Teller } from './print.ts';
import { readDocument } from './user.ts';

const MIGRATION = 57_500;
const PACE = { pollMs: 100, retryMs: 500, patienceMs: 600_000 };

/** `holds` is true only if every claim of the story was checked and is true. */
export interface StoryEnd {
  readonly holds: boolean;
  /** Present where the story ended before its checks. */
  readonly brokenOff?: 'failed' | 'interrupted';
}

/**
 * Plays the story. A story that fails, or is interrupted by `signal`, prints the last state instead
 * of its checks.
 */
export async function tellStory(
  host: LocalHost,
  options: StoryOptions,
  tell: Teller,
  signal?: AbortSignal,
): Promise<StoryEnd> {
  const { atlassian } = host;
  if (!atlassian) throw new Error('the story signs its own installations: unset INSTALL_KEYS_URL');
  const url = host.urls[options.from] ?? '';
  const tenant = atlassian.site('acme', url, options.door === 'forge' ? 'forge' : 'connect');
  let isOver = false;
  /** After an interruption, running steps print nothing more. */
  const telling = mutedWhen(() => isOver, tell);
  const interrupted = new Promise<'interrupted'>((resolve) => {
    signal?.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  const told = wholeStory(host, atlassian, options, telling, tenant).catch((error: unknown) => {
    telling.event('The story fails', error instanceof Error ? error.message : String(error), 'bad');
    return 'failed' as const;
  });
  const end = await Promise.race([told, interrupted]);
  isOver = true;
  if (typeof end === 'boolean') return { holds: end };
  if (end === 'interrupted') tell.event('The story is interrupted', '', 'bad');
  await tellLastState(host, { tenant, migration: MIGRATION, ...options }, tell);
  return { holds: false, brokenOff: end };
}

async function wholeStory(
  host: LocalHost,
  atlassian: SimulatedAtlassian,
  options: StoryOptions,
  tell: Teller,
  tenant: Site,
): Promise<boolean> {
  const { from, to, items, door } = options;
  const [source, target] = [storyRealm(host, from), storyRealm(host, to)];
  const first = door === 'forge' ? 'forge' : 'connect';
  const neighbour = atlassian.site('acme-10', source.url, first);
  const isSample = hasSampleApp(host.residency);
  const cast: Cast = {
    ...{ host, atlassian, tell, source, target, tenant, neighbour },
    request: isSample
      ? (...asked) => atlassian.request(...asked)
      : guardedUser(host, [source, target]),
    saved: isSample ? 'a template' : 'an item',
  };

  tell.heading(`${Object.keys(host.urls).length} realms are up`);
  tell.line(
    `  ${Object.entries(host.urls)
      .map(([realm, url]) => `${realm} ${url}`)
      .join('   ')}`,
    'quiet',
  );

  if (!isSample) {
    const names = host.residency.parts.map(({ name }) => name).join(', ');
    tell.line(`  The sample app is out: items of ${names} move, and a user's writes ask the guard`);
  }

  tell.heading(`A tenant in ${from}, and its neighbour`);
  const exported = await settleIn(cast, items);
  const before = await possessionsIn(source, cast);
  const targetBefore = await possessionsIn(target, cast);
  tell.event(
    `${tenant.clientKey} has ${countsIn(before.tenant)}, ${neighbour.clientKey} ${countsIn(before.neighbour)}`,
  );

  tell.heading(
    `Atlassian moves ${tenant.clientKey} from ${from} to ${to} (migration ${MIGRATION})`,
  );
  const course = await move(cast, options);

  tell.heading('Before and after');
  const last = course.ahead && { ...before, tenant: course.ahead.atItsEnd };
  const after = {
    source: await possessionsIn(source, cast),
    target: await possessionsIn(target, cast),
  };
  tell.table([
    ['tenant', 'part', `${from} before`, `${from} after`, `${to} before`, `${to} after`],
    ...rowsOf(tenant, before.tenant, after.source.tenant, targetBefore.tenant, after.target.tenant),
    ...rowsOf(
      neighbour,
      before.neighbour,
      after.source.neighbour,
      targetBefore.neighbour,
      after.target.neighbour,
    ),
  ]);

  tell.heading('Checked');
  const claims = [
    ...claimsOfMove(course, options),
    ...claimsOfData(last ?? before, after, options),
    ...(await claimsOfAhead(cast, course, options.rollback)),
    ...(await claimsOfService(cast, options.rollback)),
    ...(await claimsOfDocuments(cast, exported, options.rollback)),
    ...(await claimsOfNames(cast, options)),
  ];
  for (const [holds, text] of claims) tell.check(holds, text);
  source.close();
  target.close();
  return claims.every(([holds]) => holds);
}

/**
 * Installs the app on both sites and gives them items and objects; the app's own routes add two
 * more items and a document, which is returned.
 */
async function settleIn(cast: Cast, items: number): Promise<Exported | undefined> {
  const { host, atlassian, request, saved, tell, source, tenant, neighbour } = cast;
  for (const site of [tenant, neighbour]) {
    report(
      tell,
      `Atlassian installs the app on the site of ${site.clientKey}`,
      await atlassian.install(site),
    );
  }
  await Promise.all([source.seed(tenant, items), source.seed(neighbour, Math.ceil(items / 10))]);
  report(
    tell,
    `A user saves ${saved}`,
    await request(tenant, 'PUT', TEMPLATE, { content: 'Who was there: {{names}}' }),
  );
  if (!hasSampleApp(host.residency)) return undefined;
  const reply = await request(tenant, 'POST', '/exports', EXPORT);
  report(tell, 'A user exports it as a document', reply);
  const path = `/exports/${fieldOf(reply, 'id')}`;
  const { status, text } = await readDocument(cast, path);
  const said = `${status} ${text.length} characters`;
  tell.event('A user reads the document by its URL', said, status === 200 ? 'good' : 'bad');
  return { path, text };
}

async function possessionsIn(realm: StoryRealm, { tenant, neighbour }: Cast): Promise<Possessions> {
  return {
    tenant: await realm.holdings(tenant),
    neighbour: await realm.holdings(neighbour),
    left: await realm.left(tenant),
  };
}

async function move(cast: Cast, options: StoryOptions): Promise<Course> {
  const { rollback, door } = options;
  const { host, atlassian, tell, source, target, tenant } = cast;
  const follow = workflowFollower(host, tell);
  let whileCopying = 0;
  let ahead: AheadCourse | undefined;
  const script = {
    ...PACE,
    site: tenant,
    target: target.url,
    location: target.realm.toUpperCase(),
    migrationId: MIGRATION,
    ...(rollback && {
      cancelWhen: options.ahead ? ('scheduled' as const) : ('ready-to-commit' as const),
    }),
    onReply: replyTeller(tell, follow, async (hook) => {
      if (hook === 'start') whileCopying = await tryToWrite(cast);
      if (hook === 'schedule' && options.ahead) ahead ??= await copyAhead(cast, MIGRATION);
      if (hook === 'schedule' && door === 'both') {
        await atlassian.upgrade(tenant);
        tell.event('The app becomes a Forge app on this site; Atlassian sends no event');
      }
    }),
  };
  const { outcome } = await playMove(atlassian, script);
  const afterwards = outcome === 'committed' ? await tryToWrite(cast) : 0;
  const timer = setInterval(follow, PACE.pollMs);
  const end = await finalStatus(atlassian, script, source.url).finally(() => clearInterval(timer));
  follow();
  tell.event('Atlassian: status?', `200 ${end}`, 'good');
  const fenced = ahead && (await fenceSeconds(cast, MIGRATION));
  return { end, whileCopying, afterwards, ahead, fenced };
}

/** Prints each hook with its answer; a poll only where its answer is new. */
function replyTeller(tell: Teller, follow: () => void, then: (hook: Hook) => Promise<void>) {
  let known: string | undefined;
  return async (hook: Hook, reply: Reply): Promise<void> => {
    const status = fieldOf(reply, 'status');
    if (hook === 'status') follow();
    if (hook !== 'status') report(tell, `Atlassian: ${hook}`, reply, status);
    else if (status !== known) report(tell, 'Atlassian: status?', reply, status);
    known = status;
    await then(hook);
  };
}

/** Prints the states that the executions of all realms have entered since its last call. */
function workflowFollower(host: LocalHost, tell: Teller): () => void {
  const told = new Map<string, number>();
  return () => {
    for (const { realm } of host.realms) {
      for (const execution of host.executions(realm).toReversed()) {
        const entered = execution.history.filter(
          ({ what, index }) => what === 'entered' && index === undefined,
        );
        for (const { state } of entered.slice(told.get(execution.arn) ?? 0)) {
          if (!state.endsWith('?')) tell.event(`    workflow in ${realm}: ${state}`, '', 'quiet');
        }
        told.set(execution.arn, entered.length);
      }
    }
  };
}

/** Sends a write that must be refused to the source. */
async function tryToWrite({ request, saved, tell, source, tenant }: Cast): Promise<number> {
  const reply = await request(tenant, 'PUT', TEMPLATE, { content: 'too late' }, source.url);
  const seconds = reply.headers.get('retry-after');
  const baseUrl = fieldOf(reply, 'baseUrl');
  const hints = [seconds && `try again in ${seconds} s`, baseUrl && `it is at ${baseUrl} now`];
  const text = `${reply.status} ${hints.filter(Boolean).join(', ')}`;
  tell.event(`A user saves ${saved} in ${source.realm}`, text, isSuccess(reply) ? 'bad' : 'good');
  return reply.status;
}

/** One row per part; the counts are in the order of `columns`. */
const rowsOf = (site: Site, ...columns: readonly Holdings[]) =>
  partsWith(columns[0] ?? new Map()).map((part) => [
    site.clientKey,
    `${part.name}${part.kind === 's3' ? ' (objects)' : ''}${part.policy === 'drop' ? ' (cache)' : ''}`,
    ...columns.map((holdings) => withCommas(holdings.get(part)?.size ?? 0)),
  ]);

function report(
  tell: Teller,
  what: string,
  reply: Reply,
  said = fieldOf(reply, 'message') ?? '',
): void {
  tell.event(what, `${reply.status} ${said}`.trim(), isSuccess(reply) ? 'good' : 'bad');
}
