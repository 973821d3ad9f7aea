/**
 * Decides every interleaving: at each operation on a port, and at each pause, the actor waits until
 * the scheduler lets it go on, kills it, or makes the operation fail. Time passes only here.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Fault } from '../../lambdas/domain/refusal.ts';
import type { ManualClock } from '../support/clock.ts';
import type { Operation } from '../support/in-memory-cells.ts';
import type { Random } from './random.ts';

/**
 * An actor: an invocation of a Lambda, which can be killed, or an actor outside of Lambda, which
 * cannot.
 */
export interface Actor {
  readonly name: string;
  /** Epoch milliseconds after which it cannot run any more; absent outside of Lambda. */
  readonly deadline?: number;
  readonly isLambda: boolean;
  /** The faults that it met, for the coverage. */
  readonly suffered: Set<FaultKind>;
  isDead: boolean;
  /**
   * Goes on only when almost no other actor can: a paused function, or one with a slow connection.
   */
  isSluggish?: boolean;
  /**
   * The number, from 0, of the operation before which it sleeps for as long as it can: a paused
   * function. -1 for none.
   */
  sleepsAt?: number;
  /** At most this many milliseconds, instead of a random time. */
  readonly napsFor?: number;
  operations?: number;
  onDeath?: (reason: string) => void;
}

/**
 * Before or after an operation: killed; an error instead of the operation, or instead of its reply.
 */
export type FaultKind = 'killed-before' | 'killed-after' | 'refused' | 'reply-lost' | 'timed-out';

export interface FaultPlan {
  /** The fault of an operation of a Lambda; `undefined` for none. */
  next(actor: Actor, operation: Operation): FaultKind | undefined;
  /** Whether this Lambda is paused once. */
  sleeps(actor: Actor): boolean;
}

interface Waiting {
  readonly actor: Actor;
  readonly operation?: Operation;
  /** Epoch milliseconds: the end of a pause or of a sleep before an operation. */
  readonly due?: number;
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

export type Scheduler = ReturnType<typeof scheduler>;

export interface SchedulerOptions {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly faults: FaultPlan;
  /** Called after everything that happened; throws when an invariant is broken. */
  readonly check: (operation?: Operation) => void;
  /** In order of arrival instead of at random. */
  readonly isFair?: boolean;
}

/** Every actor has gone as far as it can: Node runs its ticks when no promise can go on. */
const idle = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** An actor asks for ever, or never stops. */
export class Endless extends Error {
  override readonly name = 'Endless';
}

/**
 * The present actor. One storage for all schedulers: each further one would be in every later
 * context, which is copied at each operation, and a process would slow down with every seed.
 */
const current = new AsyncLocalStorage<Actor>();

const MOST_TURNS = 30_000;
/** Probability that time passes although an actor could go on: that actor is slow. */
const SLOWNESS = 0.03;
/** The share of invocations that are slower than all others. */
const SLUGGISH = 0.06;
/** A function that sleeps does so before one of its first operations. */
const MOST_AWAKE = 12;

export function scheduler({ clock, random, faults, check, isFair = false }: SchedulerOptions) {
  const waiting = new Set<Waiting>();
  const lostReplies = new WeakMap<Operation, FaultKind>();
  const notes: { readonly at: number; readonly text: string }[] = [];
  const done = { operations: 0, invocations: 0, faults: 0, deaths: 0 };
  let turns = 0;
  let slowness = isFair ? 0 : SLOWNESS;
  let failure: unknown;

  const note = (text: string) => notes.push({ at: clock.now(), text });
  /** Everything that happened, one line each. */
  const trace = () =>
    notes.map(({ at, text }) => `${new Date(at).toISOString().slice(5, 23)}  ${text}`);

  function actorNow(): Actor {
    const actor = current.getStore();
    if (actor === undefined) throw new Error('an operation outside of any actor');
    return actor;
  }

  /** Called before each operation of a port. A dead actor does nothing more. */
  function step(operation: Operation): Promise<void> {
    const actor = actorNow();
    actor.isSluggish ??= actor.isLambda && !isFair && random.chance(SLUGGISH);
    const due = napOf(actor);
    return new Promise((go, fail) => {
      if (actor.isDead) return;
      waiting.add({ actor, operation, go, fail, ...(due !== undefined && { due }) });
    });
  }

  /** When it wakes: at a random moment of the time that it has left, or at the last one. */
  function napOf(actor: Actor): number | undefined {
    if (actor.deadline === undefined || (isFair && actor.sleepsAt === undefined)) return undefined;
    actor.operations = (actor.operations ?? -1) + 1;
    actor.sleepsAt ??= faults.sleeps(actor) ? random.below(MOST_AWAKE) : -1;
    if (actor.operations !== actor.sleepsAt) return undefined;
    const left = Math.max(1, actor.deadline - clock.now());
    note(`${actor.name} sleeps`);
    if (actor.napsFor !== undefined) return clock.now() + Math.min(actor.napsFor, left - 1);
    return random.chance(0.5) ? actor.deadline - 1 : clock.now() + random.below(left);
  }

  /** Called after each write that was made. */
  async function after(operation: Operation): Promise<void> {
    const actor = actorNow();
    checked(operation);
    const kind = lostReplies.get(operation);
    if (kind === undefined) return;
    lostReplies.delete(operation);
    if (kind === 'reply-lost') throw new Fault('the reply is lost');
    kill(actor, 'killed-after');
    await new Promise(() => undefined);
  }

  /** A pause of an actor outside of Lambda, or of a workflow. */
  function sleep(milliseconds: number): Promise<void> {
    const actor = actorNow();
    return new Promise((go, fail) => {
      if (!actor.isDead) waiting.add({ actor, due: clock.now() + milliseconds, go, fail });
    });
  }

  function kill(actor: Actor, kind: FaultKind): void {
    if (actor.isDead) return;
    actor.isDead = true;
    actor.suffered.add(kind);
    done.deaths += 1;
    note(`${actor.name} is ${kind}`);
    for (const one of [...waiting]) if (one.actor === actor) waiting.delete(one);
    actor.onDeath?.(kind);
  }

  /** Starts an actor outside of Lambda, which acts beside all others until it is done. */
  function spawn(name: string, run: () => Promise<void>): void {
    const actor: Actor = { name, isLambda: false, suffered: new Set(), isDead: false };
    current.run(actor, () => {
      run().catch((error: unknown) => {
        failure ??= error;
      });
    });
  }

  /** An invocation of a Lambda: rejects when it is killed, and then never goes on. */
  function invoke<T>(
    name: string,
    timeoutMs: number,
    call: () => Promise<T>,
    suffered: Set<FaultKind> = new Set(),
  ): Promise<T> {
    const deadline = clock.now() + timeoutMs;
    return invokeAs({ name, isLambda: true, deadline, suffered, isDead: false }, call);
  }

  function invokeAs<T>(actor: Actor, call: () => Promise<T>): Promise<T> {
    done.invocations += 1;
    return new Promise((resolve, reject) => {
      actor.onDeath = (reason) => reject(new Error(`${actor.name} ${reason}`));
      current.run(actor, () => {
        call().then(
          (value) => actor.isDead || resolve(value),
          (error) => actor.isDead || reject(error),
        );
      });
    });
  }

  function checked(operation?: Operation): void {
    try {
      check(operation);
    } catch (error) {
      failure ??= error;
    }
  }

  /** Lets the actors act until none is left, or `isEnough`. */
  async function run(isEnough: () => boolean = () => false): Promise<void> {
    for (;;) {
      await idle();
      if (failure !== undefined) throw failure;
      if (isEnough()) return;
      turns += 1;
      if (turns > MOST_TURNS) throw new Endless(`nothing has come to an end after ${turns} turns`);
      const operations: Waiting[] = [];
      const pauses: Waiting[] = [];
      const outlived: Waiting[] = [];
      let woken: Waiting | undefined;
      const now = clock.now();
      for (const one of waiting) {
        const { actor, operation, due } = one;
        const isAsleep = due !== undefined && due > now;
        if (actor.deadline !== undefined && now >= actor.deadline) outlived.push(one);
        if (operation === undefined || isAsleep) pauses.push(one);
        else operations.push(one);
        if (operation !== undefined && due !== undefined && !isAsleep) woken ??= one;
      }
      // An actor that slept to its last moment still makes its operation, whatever else happened in
      // that moment.
      if (woken?.operation !== undefined) {
        happen(woken, woken.operation);
        continue;
      }
      for (const { actor } of outlived) kill(actor, 'timed-out');
      if (outlived.length > 0) continue;
      if (operations.length === 0 && pauses.length === 0) return;
      const isSlow = pauses.length > 0 && slowness > 0 && random.chance(slowness);
      if (operations.length > 0 && !isSlow) operate(operations);
      else if (pauses.length > 0) pass(pauses);
    }
  }

  function pick(operations: readonly Waiting[]): Waiting {
    const brisk = operations.filter(({ actor }) => !actor.isSluggish);
    return random.pick(brisk.length > 0 && random.chance(0.97) ? brisk : operations);
  }

  function operate(operations: readonly Waiting[]): void {
    const next = isFair ? operations[0] : pick(operations);
    if (next?.operation === undefined) return;
    clock.advance(isFair ? 5 : 1 + random.below(40));
    happen(next, next.operation);
  }

  function happen(next: Waiting, operation: Operation): void {
    const { actor } = next;
    waiting.delete(next);
    done.operations += 1;
    const kind = actor.isLambda ? faults.next(actor, operation) : undefined;
    const { port, name, realm, detail = '', access } = operation;
    note(`${actor.name}: ${access} ${port}.${name} ${realm} ${detail}${kind ? ` (${kind})` : ''}`);
    if (kind !== undefined) {
      done.faults += 1;
      actor.suffered.add(kind);
    }
    switch (kind) {
      case 'killed-before':
      case 'timed-out':
        kill(actor, kind);
        break;
      case 'refused':
        next.fail(new Fault('injected'));
        break;
      case 'killed-after':
      case 'reply-lost':
        // A read whose reply is lost has not happened.
        if (access === 'write') {
          lostReplies.set(operation, kind);
          next.go();
        } else if (kind === 'reply-lost') next.fail(new Fault('the reply is lost'));
        else kill(actor, kind);
        break;
      default:
        next.go();
    }
  }

  function pass(pauses: readonly Waiting[]): void {
    let [first] = pauses;
    if (first === undefined) return;
    for (const pause of pauses) if ((pause.due ?? 0) < (first.due ?? 0)) first = pause;
    clock.advanceTo(first.due ?? 0);
    if (first.operation !== undefined) happen(first, first.operation);
    else {
      waiting.delete(first);
      first.go();
    }
  }

  /** From here on no actor is slow: each goes on as far as it can before time passes. */
  function hurry(): void {
    slowness = 0;
  }

  return {
    step,
    after,
    sleep,
    spawn,
    invoke,
    invokeAs,
    kill,
    run,
    note,
    trace,
    done,
    checked,
    hurry,
  };
}
