/**
 * Atlassian, and an admin who changes their mind: moves that are retried, doubled, cancelled,
 * forgotten and rolled back late.
 */
import type { HookAnswer } from '../../lambdas/app/migration-hooks.ts';
import type { Facts, Status } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Refusal } from '../../lambdas/domain/refusal.ts';
import { HOUR, MINUTE, SECOND } from '../support/clock.ts';
import type { RealmApp } from '../support/memory-app.ts';
import { checkAccepted, isFreeFor } from './invariants.ts';
import { writeTo } from './people.ts';
import type { FaultKind } from './scheduler.ts';
import { REALMS, TENANT, Unauthorized, type World } from './world.ts';

type HookName = 'schedule' | 'start' | 'status' | 'commit' | 'rollback';

type Reply =
  | { readonly kind: 'answer'; readonly answer: HookAnswer }
  /** Not 2xx, with a code: not asked again. */
  | { readonly kind: 'refused'; readonly code: string }
  /** Not 2xx and without a code, or no answer at all. */
  | { readonly kind: 'nothing' };

const TRIES = 3;
const POLL = 5 * MINUTE;
/** Atlassian waits this long for an answer; the function goes on meanwhile. */
const PATIENCE = 5 * SECOND;
/**
 * Tokens live for three minutes; the simulation allows five times as long, which is harder for the
 * app.
 */
const TOKEN_SECONDS = 15 * 60;

export interface Habits {
  readonly moves: number;
  /** Probabilities. */
  readonly doubles: number;
  readonly loses: number;
  readonly cancels: number;
  /** A cancellation after the copy has started. */
  readonly cancelsLate: number;
  readonly supersedes: number;
  readonly isHasty: boolean;
  /** Gives a start up at its first try without an answer. */
  readonly isImpatient: boolean;
  /** A user writes at the moment of the fence, and takes as long as a function may. */
  readonly writesLast: number;
  /** A rollback after a commit whose answer arrived. */
  readonly regrets: number;
  /** Connect may leave the id out. */
  readonly isNameless: boolean;
  /** The target realm; a random one where it is left out. */
  readonly target?: Realm;
}

export function atlassian(world: World, habits: Habits) {
  const { random, clock, site, timeline, coverage, migrations } = world;
  let lastId = 57_499;
  let installs = 0;

  function call(
    hook: HookName,
    of: RealmApp,
    id: string,
    facts: Facts,
    iat: number,
  ): Promise<HookAnswer> {
    const caller = { tenant: TENANT, iat };
    const named = habits.isNameless ? {} : { id };
    switch (hook) {
      case 'schedule':
        return of.migrations.schedule(caller, { ...named, ...facts });
      case 'start':
        return of.migrations.start(caller, { ...named, facts });
      case 'status':
        return of.migrations.status(caller, named);
      case 'commit':
        return of.migrations.commit(caller, named);
      case 'rollback':
        return of.migrations.rollback(caller, named);
    }
  }

  /**
   * One request. Its reply may be lost, and it may come twice, the second time at any later moment.
   */
  async function once(
    hook: HookName,
    realm: Realm,
    id: string,
    facts: Facts,
    iat = Math.floor(clock.now() / 1000),
  ): Promise<Reply> {
    const secret = site.secret;
    const send = () => {
      world.hooks.sent += 1;
      const status = statusOf(id);
      const isFree = isFreeFor(world, realm, id);
      return coverage
        .watched(status, hook, (suffered) =>
          timeline.invokeAs(
            {
              name: `${hook} ${id}@${realm}`,
              isLambda: true,
              deadline: clock.now() + 10 * SECOND,
              suffered,
              isDead: false,
            },
            async () => {
              // With an id, a hook with an old token counts as one with a new token. Without an id,
              // the time of the token says which migration it means.
              const isExpired = clock.now() / 1000 - iat > TOKEN_SECONDS;
              if (habits.isNameless && isExpired) throw new Unauthorized();
              if (!(await world.door.isTenants(realm, hook, iat, secret))) throw new Unauthorized();
              return call(hook, world.app.realm(realm), id, facts, iat);
            },
          ),
        )
        .then(
          (answer): Reply => ({ kind: 'answer', answer }),
          (error: unknown): Reply => {
            if (!(error instanceof Refusal) || !error.code) return { kind: 'nothing' };
            // A move that began or ended in between may be the reason.
            if (hook === 'schedule' && isFree && isFreeFor(world, realm, id))
              checkAccepted(error.code, id);
            return { kind: 'refused', code: error.code };
          },
        );
    };
    if (random.chance(habits.doubles)) {
      timeline.spawn(`late ${hook} ${id}`, async () => {
        await timeline.sleep(random.chance(0.5) ? 0 : random.below(20 * 60) * SECOND);
        await send();
      });
    }
    const tooLate = timeline.sleep(PATIENCE).then((): Reply => ({ kind: 'nothing' }));
    const reply = await Promise.race([send(), tooLate]);
    world.follow();
    timeline.note(`Atlassian: ${hook} ${id} → ${describe(reply)}`);
    const isBuried =
      hook === 'rollback' && reply.kind === 'answer' && reply.answer.status === 'rolled-back';
    if (isBuried && !habits.isNameless) world.buried.add(id);
    if (random.chance(habits.loses)) {
      coverage.count(statusOf(id), hook, 'reply-lost');
      timeline.note('  … which is lost on the way');
      return { kind: 'nothing' };
    }
    return reply;
  }

  /** Up to three times, five seconds apart, unless there is a code. */
  async function ask(
    hook: HookName,
    realm: Realm,
    id: string,
    facts: Facts,
    tries = TRIES,
  ): Promise<Reply> {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await once(hook, realm, id, facts);
      if (reply.kind !== 'nothing' || attempt === tries) return reply;
      await timeline.sleep(5 * SECOND);
    }
  }

  const statusOf = (id: string): Status | undefined => {
    const known = migrations();
    return (habits.isNameless ? known.at(-1) : known.find((migration) => migration.id === id))
      ?.status;
  };

  /**
   * Repeats until it is answered. A rollback is given up only where the site no longer lives in the
   * source.
   */
  async function undo(realm: Realm, id: string, facts: Facts): Promise<void> {
    if (random.chance(habits.doubles)) {
      const iat = Math.floor(clock.now() / 1000);
      timeline.spawn(`a very late rollback ${id}`, async () => {
        await timeline.sleep(random.below(90) * MINUTE);
        await once('rollback', realm, id, facts, iat);
      });
    }
    while ((await ask('rollback', realm, id, facts)).kind === 'nothing' && site.home === realm) {
      await timeline.sleep(POLL);
    }
  }

  /** Rolls back a move that is over. The site lives in the realm where that ends. */
  async function regret(source: Realm, id: string, facts: Facts): Promise<void> {
    const target = site.home;
    site.home = source;
    for (;;) {
      // A hook without an answer may still be on its way, so that the status is not final yet.
      const wasHeard = (await ask('rollback', source, id, facts)).kind !== 'nothing';
      const reply = await ask('status', source, id, facts);
      const now = wasHeard && reply.kind === 'answer' ? reply.answer.status : '';
      if (now === 'committed') site.home = target;
      if (now === 'committed' || now === 'rolled-back' || site.home !== source) return;
      await timeline.sleep(MINUTE);
    }
  }

  function window(): { startsIn: number; lasts: number } {
    return {
      startsIn: habits.isHasty ? 0 : 2 * HOUR,
      lasts: habits.isHasty ? 30 * MINUTE : 2 * HOUR,
    };
  }

  async function move(): Promise<void> {
    const source = site.home;
    const target = habits.target ?? random.pick(REALMS);
    const { startsIn, lasts } = window();
    const begins = clock.now() + startsIn;
    const facts: Facts = {
      location: target.toUpperCase(),
      startTime: new Date(begins).toISOString(),
      endTime: new Date(begins + lasts).toISOString(),
    };
    const id = String(++lastId);
    const scheduled = await ask('schedule', source, id, facts);
    if (scheduled.kind !== 'answer') return undo(source, id, facts);
    if (random.chance(habits.cancels)) return undo(source, id, facts);
    if (random.chance(habits.supersedes)) return;
    await timeline.sleep(startsIn);

    if (random.chance(habits.writesLast))
      timeline.spawn('a user at the last moment', () =>
        writeTo(world, source, `last-${random.below(3)}`, true),
      );
    const started = await ask('start', source, id, facts, habits.isImpatient ? 1 : TRIES);
    if (started.kind !== 'answer') return undo(source, id, facts);
    if (random.chance(habits.cancelsLate)) {
      await timeline.sleep(random.below(120) * SECOND);
      return undo(source, id, facts);
    }
    const end = Date.parse(facts.endTime);
    let status = started.answer.status;
    while (status !== 'ready-to-commit' && status !== 'failed' && clock.now() < end) {
      await timeline.sleep(random.chance(0.5) ? POLL : 20 * SECOND);
      const reply = await ask('status', source, id, facts, 1);
      if (reply.kind === 'answer') status = reply.answer.status;
    }
    const last = await ask('status', source, id, facts);
    if (last.kind !== 'answer' || last.answer.status !== 'ready-to-commit')
      return undo(source, id, facts);
    const committed = await ask('commit', source, id, facts);
    if (committed.kind !== 'answer') {
      // Sometimes so late that the source is purged already.
      if (random.chance(0.5)) await timeline.sleep(random.below(30) * MINUTE);
      return undo(source, id, facts);
    }
    site.home = target;
    if (!random.chance(habits.regrets) || source === target) return;
    await timeline.sleep(random.below(20) * MINUTE);
    await regret(source, id, facts);
  }

  async function run(): Promise<void> {
    for (let at = 0; at < habits.moves; at += 1) {
      await move();
      await timeline.sleep(random.below(10) * MINUTE);
    }
  }

  /**
   * Installs the site's app again, with a new secret; Atlassian signs with it once the app has
   * answered.
   */
  async function install(): Promise<void> {
    installs += 1;
    const number = installs;
    const sharedSecret = world.secretCalled(number);
    for (;;) {
      const iat = Math.floor(clock.now() / 1000);
      const status = migrations().at(-1)?.status;
      const home = site.home;
      const send = (suffered: Set<FaultKind>) => {
        world.hooks.sent += 1;
        return isHeard(world.installed(home, { sharedSecret, iat, number }, suffered));
      };
      const heard = await coverage.watched(status, 'installed', send);
      world.follow();
      if (random.chance(habits.doubles)) {
        timeline.spawn('a late installed', async () => {
          await timeline.sleep(random.below(60) * MINUTE);
          if (site.home === home) await send(new Set());
        });
      }
      if (heard) break;
      await timeline.sleep(30 * SECOND);
    }
    if (!world.door.isForge) site.secret = sharedSecret;
    world.door.heard(number);
    site.isInstalled = true;
    timeline.note('Atlassian: installed, with a new secret');
  }

  async function uninstall(): Promise<void> {
    const iat = Math.floor(clock.now() / 1000);
    const realm = site.home;
    for (;;) {
      world.hooks.sent += 1;
      const status = migrations().at(-1)?.status;
      const run = () => world.door.uninstalled(realm, iat);
      const heard = await coverage.watched(status, 'uninstalled', (suffered) =>
        isHeard(timeline.invoke(`uninstalled@${realm}`, 10 * SECOND, run, suffered)),
      );
      world.follow();
      if (heard) break;
      await timeline.sleep(30 * SECOND);
    }
    site.isInstalled = false;
    timeline.note('Atlassian: uninstalled');
  }

  return { run, install, uninstall };
}

function describe(reply: Reply): string {
  if (reply.kind === 'answer') return reply.answer.status;
  return reply.kind === 'refused' ? `refused ${reply.code}` : 'nothing';
}

const isHeard = (hook: Promise<void>): Promise<boolean> =>
  hook.then(
    () => true,
    () => false,
  );
