/** One move from beginning to end, told as it happens and checked when it is over. */
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { residency } from '../../../residency.config.ts';
import type { LocalHost } from '../host.ts';
import {
  fieldOf,
  type Hook,
  type Reply,
  type SimulatedAtlassian,
  type Site,
} from '../simulated-atlassian.ts';
import { finalStatus, playMove } from '../simulated-move.ts';
import {
  differing,
  type Holdings,
  partsWith,
  type StoryRealm,
  sizeOf,
  storyRealm,
} from './holdings.ts';
import { counted, type Teller } from './print.ts';

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
interface Cast {
  readonly host: LocalHost;
  readonly atlassian: SimulatedAtlassian;
  readonly tell: Teller;
  readonly source: StoryRealm;
  readonly target: StoryRealm;
  readonly tenant: Site;
  readonly neighbour: Site;
}

interface Possessions {
  readonly tenant: Holdings;
  readonly neighbour: Holdings;
}

interface Course {
  /** The status in which the migration ended. */
  readonly end: string | undefined;
  /** What a write in the source was answered, while frozen and after the commit. */
  readonly whileCopying: number;
  readonly afterwards: number;
}

const MIGRATION = 57_500;
const PACE = { pollMs: 100, retryMs: 500, patienceMs: 600_000 };
const TEMPLATE = '/templates/minutes';

/** Tells the story; `true` only if everything that it claims was checked and holds. */
export async function tellStory(
  host: LocalHost,
  options: StoryOptions,
  tell: Teller,
): Promise<boolean> {
  const { from, to, items, door } = options;
  const { atlassian } = host;
  if (!atlassian) throw new Error('the story signs its own installations: unset INSTALL_KEYS_URL');
  const [source, target] = [storyRealm(host, from), storyRealm(host, to)];
  const first = door === 'forge' ? 'forge' : 'connect';
  const tenant = atlassian.site('acme', source.url, first);
  const neighbour = atlassian.site('acme-10', source.url, first);
  const cast: Cast = { host, atlassian, tell, source, target, tenant, neighbour };

  tell.heading(`${Object.keys(host.urls).length} realms are up`);
  tell.line(
    `  ${Object.entries(host.urls)
      .map(([realm, url]) => `${realm} ${url}`)
      .join('   ')}`,
    'quiet',
  );

  tell.heading(`A tenant in ${from}, and its neighbour`);
  await settleIn(cast, items);
  const before = await possessionsIn(source, cast);
  const targetBefore = await possessionsIn(target, cast);
  tell.event(
    `${tenant.clientKey} has ${counted(sizeOf(before.tenant))} items, ${neighbour.clientKey} ${counted(sizeOf(before.neighbour))}`,
  );

  tell.heading(
    `Atlassian moves ${tenant.clientKey} from ${from} to ${to} (migration ${MIGRATION})`,
  );
  const course = await move(cast, options);

  tell.heading('Before and after');
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
    ...claimsOfMove(course, options.rollback),
    ...claimsOfData(before, after, options),
    ...(await claimsOfService(cast, options.rollback)),
    ...(await claimsOfNames(cast, options)),
  ];
  for (const [holds, text] of claims) tell.check(holds, text);
  source.close();
  target.close();
  return claims.every(([holds]) => holds);
}

/** Both are installed and get their items; the app's own routes add two more. */
async function settleIn(
  { atlassian, tell, source, tenant, neighbour }: Cast,
  items: number,
): Promise<void> {
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
    'A user saves a template',
    await atlassian.request(tenant, 'PUT', TEMPLATE, { content: 'Who was there: …' }),
  );
  report(
    tell,
    'A user exports a page',
    await atlassian.request(tenant, 'POST', '/exports', {
      title: 'Minutes',
      document: { pages: [1, ''] },
    }),
  );
}

async function possessionsIn(realm: StoryRealm, { tenant, neighbour }: Cast): Promise<Possessions> {
  return { tenant: await realm.holdings(tenant), neighbour: await realm.holdings(neighbour) };
}

async function move(cast: Cast, { rollback, door }: StoryOptions): Promise<Course> {
  const { host, atlassian, tell, source, target, tenant } = cast;
  const follow = workflowFollower(host, tell);
  let whileCopying = 0;
  const script = {
    ...PACE,
    site: tenant,
    target: target.url,
    location: target.realm.toUpperCase(),
    migrationId: MIGRATION,
    ...(rollback && { cancelWhen: 'ready-to-commit' as const }),
    onReply: replyTeller(tell, follow, async (hook) => {
      if (hook === 'start') whileCopying = await tryToWrite(cast);
      if (hook === 'schedule' && door === 'both') {
        await atlassian.upgrade(tenant);
        tell.event('The app becomes a Forge app on this site, and nobody is told');
      }
    }),
  };
  const { outcome } = await playMove(atlassian, script);
  const afterwards = outcome === 'committed' ? await tryToWrite(cast) : 0;
  const timer = setInterval(follow, PACE.pollMs);
  const end = await finalStatus(atlassian, script, source.url).finally(() => clearInterval(timer));
  follow();
  tell.event('Atlassian: status?', `200 ${end}`, 'good');
  return { end, whileCopying, afterwards };
}

/** Says what Atlassian asked and heard; a poll only where the answer is a new one. */
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

/** Says which states the executions of all realms have entered since it was last called. */
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

/** A write that must not succeed, in the source. */
async function tryToWrite({ atlassian, tell, source, tenant }: Cast): Promise<number> {
  const reply = await atlassian.request(
    tenant,
    'PUT',
    TEMPLATE,
    { content: 'too late' },
    source.url,
  );
  const seconds = reply.headers.get('retry-after');
  const baseUrl = fieldOf(reply, 'baseUrl');
  const hints = [seconds && `try again in ${seconds} s`, baseUrl && `it is at ${baseUrl} now`];
  const text = `${reply.status} ${hints.filter(Boolean).join(', ')}`;
  tell.event(`A user saves a template in ${source.realm}`, text, isSuccess(reply) ? 'bad' : 'good');
  return reply.status;
}

type Claim = readonly [holds: boolean, text: string];

function claimsOfMove(
  { end, whileCopying, afterwards }: Course,
  rollback: boolean,
): readonly Claim[] {
  const wanted = rollback ? 'rolled-back' : 'committed';
  return [
    [end === wanted, `the migration ended ${end}`],
    [whileCopying === 503, `a write during the copy was refused (${whileCopying})`],
    ...(rollback
      ? []
      : [
          [
            afterwards === 421,
            `a write after the commit was sent on to the new realm (${afterwards})`,
          ] as const,
        ]),
  ];
}

function claimsOfData(
  before: Possessions,
  after: { readonly source: Possessions; readonly target: Possessions },
  { from, to, rollback }: StoryOptions,
): readonly Claim[] {
  const [moved, dropped] = [partsWith('move'), partsWith('drop')];
  const names = dropped.map(({ name }) => name).join(', ');
  const stays: Claim = [
    differing(before.neighbour, after.source.neighbour) === 0 &&
      sizeOf(after.target.neighbour) === 0,
    `the neighbour is untouched: ${counted(sizeOf(after.source.neighbour))} items in ${from}, none in ${to}`,
  ];
  if (rollback) {
    const unchanged = differing(before.tenant, after.source.tenant) === 0;
    return [
      [
        unchanged,
        `all ${counted(sizeOf(before.tenant))} items are still in ${from}, unchanged, compared one by one`,
      ],
      [sizeOf(after.target.tenant) === 0, `${to} holds nothing of the tenant`],
      stays,
    ];
  }
  const arrived = differing(before.tenant, after.target.tenant, moved) === 0;
  return [
    [
      arrived,
      `all ${counted(sizeOf(before.tenant, moved))} items arrived in ${to} unchanged, compared one by one`,
    ],
    [sizeOf(after.target.tenant, dropped) === 0, `caches stayed behind (${names})`],
    [sizeOf(after.source.tenant) === 0, `${from} holds nothing of the tenant`],
    stays,
  ];
}

async function claimsOfService(
  { atlassian, source, target, tenant }: Cast,
  rollback: boolean,
): Promise<readonly Claim[]> {
  const [inSource, inTarget] = [await source.stateOf(tenant), await target.stateOf(tenant)];
  const [wantedInSource, wantedInTarget] = rollback ? ['active', 'none'] : ['moved', 'active'];
  const saved = await atlassian.request(tenant, 'PUT', TEMPLATE, { content: 'And so on.' });
  return [
    [
      inSource === wantedInSource && inTarget === wantedInTarget,
      `the tenant's record: ${inSource} in ${source.realm}, ${inTarget} in ${target.realm}`,
    ],
    [
      isSuccess(saved),
      `a user saves a template again, in ${rollback ? source.realm : target.realm} (${saved.status})`,
    ],
  ];
}

/** A Forge token has no client key: the tenant is known by its installation, wherever it is. */
async function claimsOfNames(
  { source, target, tenant }: Cast,
  { door, rollback }: StoryOptions,
): Promise<readonly Claim[]> {
  const [installation] = tenant.installations.slice(-1);
  if (door === 'connect' || installation === undefined) return [];
  const at = rollback ? source : target;
  const known = await at.installationsOf(tenant);
  return [[known.includes(installation), `${at.realm} knows the tenant by its Forge installation`]];
}

/** A row per part; the counts stand in the order of the columns. */
const rowsOf = (site: Site, ...columns: readonly Holdings[]) =>
  residency.parts.map((part) => [
    site.clientKey,
    part.policy === 'drop' ? `${part.name} (cache)` : part.name,
    ...columns.map((holdings) => counted(holdings.get(part)?.size ?? 0)),
  ]);

const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;

function report(
  tell: Teller,
  what: string,
  reply: Reply,
  said = fieldOf(reply, 'message') ?? '',
): void {
  tell.event(what, `${reply.status} ${said}`.trim(), isSuccess(reply) ? 'good' : 'bad');
}
