/**
 * One move in memory: its hooks as Atlassian calls them, the states it can be driven into, and the
 * resulting records.
 */
import type { HookAnswer } from '../../lambdas/app/migration-hooks.ts';
import type { Migration, MigrationKey, Status } from '../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { Fault, Refusal } from '../../lambdas/domain/refusal.ts';
import type { ScheduleRequest } from '../../lambdas/domain/requests.ts';
import { factsFrom, TENANT, tenantRecord } from './builders.ts';
import { HOUR, MINUTE, SECOND } from './clock.ts';
import type { Operation } from './in-memory-cells.ts';
import { type MemoryApp, type MemoryAppOptions, memoryApp } from './memory-app.ts';

export const HOOKS = ['schedule', 'start', 'commit', 'rollback', 'status'] as const;
export type Hook = (typeof HOOKS)[number];

export type Row = Status | 'no record';

interface MoveOptions {
  readonly id?: string;
  readonly tenant?: string;
  /** The realm that gets the hooks. */
  readonly source?: Realm;
  readonly location?: string;
}

export type Move = ReturnType<typeof move>;

/** A hook's answer as text: `200 copying`, `200 failed E0004`, `409 E0001`, `503`. */
export async function answerOf(answer: Promise<HookAnswer>): Promise<string> {
  try {
    const { status, errorResponseCode } = await answer;
    return ['200', status, ...(errorResponseCode ? [errorResponseCode] : [])].join(' ');
  } catch (error) {
    if (error instanceof Refusal) return `${error.status} ${error.code}`;
    if (error instanceof Fault) return '503';
    throw error;
  }
}

/** A tenant that is active in `us` and has items there. */
export function tenantInUs(options: MemoryAppOptions = {}): MemoryApp {
  const app = memoryApp(options);
  app.tenants.set('us', tenantRecord());
  app.fill('us');
  return app;
}

/** A window that begins in an hour, and the hooks that name it. */
export function move(app: MemoryApp, options: MoveOptions = {}) {
  const { id = '57500', tenant = TENANT, source = 'us', location = 'DE' } = options;
  const facts = factsFrom(app.clock, { location });
  const key: MigrationKey = { ledger: source, tenant, id };

  const said = {
    schedule: (at = source, request: Partial<ScheduleRequest> = {}) =>
      answerOf(app.realm(at).migrations.schedule(app.caller(tenant), { id, ...facts, ...request })),
    start: (at = source) =>
      answerOf(app.realm(at).migrations.start(app.caller(tenant), { id, facts })),
    commit: (at = source) => answerOf(app.realm(at).migrations.commit(app.caller(tenant), { id })),
    rollback: (at = source) =>
      answerOf(app.realm(at).migrations.rollback(app.caller(tenant), { id })),
    status: (at = source) => answerOf(app.realm(at).migrations.status(app.caller(tenant), { id })),
  };

  /** The migration's record; throws where there is none. */
  function record(): Migration {
    const found = app.migrations.peek(key);
    if (found === undefined) throw new Error(`migration ${id} is not on record`);
    return found;
  }

  async function expectAnswer(answer: Promise<string>, wanted: string): Promise<void> {
    const found = await answer;
    if (found !== wanted) throw new Error(`the answer is ${found}, and not ${wanted}`);
  }

  /** Drives it from nothing into a state, only by hooks, tasks and the passing of time. */
  async function driveTo(row: Row): Promise<void> {
    if (row === 'no record') return;
    await expectAnswer(said.schedule(), '200 scheduled');
    if (row === 'scheduled') return;
    app.clock.advanceTo(Date.parse(facts.startTime));
    await expectAnswer(said.start(), '200 copying');
    if (row === 'copying') return;
    if (row === 'failed') {
      app.clock.advanceTo(Date.parse(facts.endTime) - MINUTE);
      await app.runAll();
      return expectAnswer(said.status(), '200 failed E9999');
    }
    if (row === 'rolling-back' || row === 'rolled-back') {
      await expectAnswer(said.rollback(), '200 rolling-back');
      if (row === 'rolled-back') await app.runAll();
      return expectAnswer(said.status(), `200 ${row}`);
    }
    await app.runAll();
    await expectAnswer(said.status(), '200 ready-to-commit');
    if (row === 'ready-to-commit') return;
    app.clock.advanceTo(Date.parse(facts.endTime) + SECOND);
    await expectAnswer(said.commit(), '200 committing');
    if (row === 'committing') return;
    await app.runAll();
    await expectAnswer(said.status(), '200 committed');
    app.clock.advance(HOUR);
  }

  return {
    app,
    id,
    key,
    facts,
    said,
    record,
    driveTo,
    history: () => app.migrations.peekHistory(key),
  };
}

/** Where the tenant is, and its items: everything that a customer could notice. */
export function situation(app: MemoryApp, tenant: string = TENANT) {
  const realms = app.realms.flatMap((realm) => {
    const record = app.tenants.peek(realm, tenant);
    const items = app.holdings(realm, tenant);
    if (record === undefined && Object.keys(items).length === 0) return [];
    const { state, migration, arrivedBy, movedTo } = record ?? {};
    return [[realm, { state, migration, arrivedBy, movedTo, items }] as const];
  });
  return Object.fromEntries(realms);
}

/** Ends the caller at its operation number `stop`: before it happens, or after it has. */
export function interruptedAt(stop: number, when: 'before' | 'after') {
  let isArmed = false;
  let seen = 0;
  const count = async () => {
    if (!isArmed) return;
    seen += 1;
    if (seen >= stop) throw new Error('the invocation has died');
  };
  return {
    hooks: when === 'before' ? { step: count } : { after: count },
    arm: () => {
      isArmed = true;
    },
    disarm: () => {
      isArmed = false;
    },
  };
}

/** Once it is armed, stops the first operation that matches until it is released. */
export function gateAt(matches: (operation: Operation) => boolean) {
  const [reached, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isArmed = false;
  return {
    hooks: {
      step: async (operation: Operation) => {
        if (!isArmed || !matches(operation)) return;
        isArmed = false;
        reached.resolve();
        await opened.promise;
      },
    },
    arm: () => {
      isArmed = true;
    },
    reached: reached.promise,
    open: () => opened.resolve(),
  };
}

/** The writes since it was armed, in order, as `realm port`. */
export function traceOfWrites() {
  let writes: string[] = [];
  return {
    hooks: {
      after: async ({ port, realm, name }: Operation) => {
        if (name !== 'history') writes.push(`${realm} ${port}`);
      },
    },
    arm: () => {
      writes = [];
    },
    writes: () => [...writes],
  };
}
