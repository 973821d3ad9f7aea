/**
 * The functions of one realm: loaded from the files that deploy as Lambdas, and bound to the
 * realm's app.
 */

import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { HookApp } from '../../../lambdas/doors.ts';
import type { InvocationContext } from '../../../lambdas/hook.ts';
import { ENTRIES, sizeOf } from '../../entries.ts';
import { type InvocationOptions, invoke } from './invocation.ts';

type BoundFunction = (event: unknown, context: InvocationContext) => Promise<unknown>;
type BindFunction = (app: HookApp) => BoundFunction;

export interface RealmFunctions {
  /** The function of a file below `lambdas/`. Throws for an unknown one. */
  named(entry: string): BoundFunction;
  /** Runs a function with its own timeout, as Lambda does. */
  run(entry: string, event: unknown): Promise<unknown>;
  timeoutMsOf(entry: string): number;
}

export interface RunOptions {
  readonly timeoutSecondsOf?: ((entry: string) => number) | undefined;
  /** Makes the request ids, which own the leases of workers. */
  readonly newRequestId?: InvocationOptions['newRequestId'];
  readonly onTimedOut?: InvocationOptions['onTimedOut'];
}

/** Loads every function once, for all realms. */
export async function loadFunctions(): Promise<ReadonlyMap<string, BindFunction>> {
  const load = async (entry: string): Promise<[string, BindFunction]> => [
    entry,
    await exported(entry),
  ];
  return new Map(await Promise.all(ENTRIES.map(load)));
}

async function exported(entry: string): Promise<BindFunction> {
  const name = entry.startsWith('tasks/') ? 'task' : 'endpoint';
  const file = new URL(`../../../lambdas/${entry}.ts`, import.meta.url).href;
  const module: Readonly<Record<string, unknown>> = await import(/* @vite-ignore */ file);
  const bind = module[name];
  if (typeof bind !== 'function')
    throw new Error(`lambdas/${entry}.ts does not export \`${name}\``);
  return bind as BindFunction;
}

export function functionsOf(
  loaded: ReadonlyMap<string, BindFunction>,
  realm: Realm,
  app: HookApp,
  {
    timeoutSecondsOf = (entry) => sizeOf(entry).timeoutSeconds,
    newRequestId,
    onTimedOut,
  }: RunOptions = {},
): RealmFunctions {
  const bound = new Map([...loaded].map(([entry, bind]) => [entry, bind(app)]));
  const timeoutMsOf = (entry: string) => timeoutSecondsOf(entry) * 1000;

  function named(entry: string): BoundFunction {
    const found = bound.get(entry);
    if (!found) throw new Error(`there is no function ${entry}`);
    return found;
  }

  return {
    named,
    timeoutMsOf,
    run: (entry, event) =>
      invoke({ realm, entry }, timeoutMsOf(entry), (context) => named(entry)(event, context), {
        newRequestId,
        event,
        onTimedOut,
      }),
  };
}
