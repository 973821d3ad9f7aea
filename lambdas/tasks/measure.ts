/**
 * Runs every few minutes: counts the tenants that are scheduled to move, for one turn. An operator
 * invokes it with a tenant, to look for what stands in the way of its move.
 */
import { isTenantId } from '../domain/requests.ts';
import { taskOf, taskOnLambda } from '../task.ts';

export const task = taskOf((app, input, invocation) => {
  const { tenant }: { readonly tenant?: unknown } = Object(input);
  if (tenant === undefined) return app.measureTenants(invocation);
  return isTenantId(tenant)
    ? app.lookAtTenant(tenant, invocation)
    : Promise.resolve({ refused: 'the input names no tenant of ours' });
});
export const handler = taskOnLambda(task);
