/**
 * All functions of one realm's app, made from one context. Hooks and tasks call them. Every host
 * makes them here.
 */
import type { AppContext } from './app-context.ts';
import { janitor } from './background/janitor.ts';
import { measureTenants } from './background/measure-tenants.ts';
import { operate } from './background/operate.ts';
import { operateTenants } from './background/operate-tenants.ts';
import { purgeRetired } from './background/purge-retired.ts';
import { settle } from './background/settle.ts';
import { guard } from './guard.ts';
import { identification } from './identification.ts';
import { lifecycleHooks } from './lifecycle-hooks.ts';
import { migrationHooks } from './migration-hooks.ts';
import { lookAtTenant } from './obstacles.ts';
import { aheadTasks } from './phases/ahead-tasks.ts';
import { commitTasks } from './phases/commit-tasks.ts';
import { copyTasks } from './phases/copy-tasks.ts';
import { rollbackTasks } from './phases/rollback-tasks.ts';
import { verifyTasks } from './phases/verify-tasks.ts';
import { undo } from './undo.ts';

export function realmApp(context: AppContext) {
  return {
    guard: guard(context.ports, context.settings),
    identification: identification(context),
    lifecycle: lifecycleHooks(context),
    migrations: migrationHooks(context),
    undo: undo(context),
    tasks: {
      ...aheadTasks(context),
      ...copyTasks(context),
      ...verifyTasks(context),
      ...commitTasks(context),
      ...rollbackTasks(context),
    },
    settle: settle(context),
    janitor: janitor(context),
    operate: operate(context),
    operateTenants: operateTenants(context),
    measureTenants: measureTenants(context),
    lookAtTenant: lookAtTenant(context),
    purgeRetired: purgeRetired(context),
  };
}
