/** Parses what an operator asks for, and words what is answered. */
import { defined } from '../defined.ts';
import { isNoOp, type Migration, PHASES_OF, type Status } from '../moving/migration.ts';
import type { Realm } from '../realm.ts';
import { invalid } from '../refusal.ts';
import { isMigrationId, isTenantId } from '../requests.ts';
import { isCloudId, isInstallationId } from '../tenants/identity.ts';
import { type Settings, type SettingsChange, settingsChange } from './settings.ts';

interface OfMigration {
  /** The realm that keeps the migration's record: its source. */
  readonly ledger: Realm;
  readonly tenant: string;
  readonly id: string;
  /** The operator's name, for the history. Only CloudTrail proves it. */
  readonly actor: string;
}

/** Says that a Forge installation belongs to the tenant, or that it does not. */
export interface AdoptionAsked {
  readonly verb: 'adopt' | 'disown';
  readonly ledger: Realm;
  readonly tenant: string;
  readonly installation: string;
  readonly cloudId?: string;
  readonly actor: string;
}

export type Operation =
  | AdoptionAsked
  | ({ readonly verb: 'cancel' | 'retry' | 'ahead' | 'stop-ahead' } & OfMigration)
  | {
      readonly verb: 'set';
      readonly ledger: Realm;
      /** Without it, the settings of the realm. */
      readonly tenant?: string;
      readonly actor: string;
      readonly settings: SettingsChange;
    };

/**
 * `left-alone`: the wanted state is there already, or under way. `refused`: it is impossible, and
 * asking again changes nothing. `message` is a sentence for the operator.
 */
export interface OperationAnswer {
  readonly outcome:
    | 'cancelled'
    | 'retried'
    | 'begun'
    | 'stopped'
    | 'set'
    | 'adopted'
    | 'disowned'
    | 'left-alone'
    | 'refused';
  readonly message: string;
  /** The migration's present status. */
  readonly status?: string;
  /** What is now set for this realm or tenant; only in answers to `set`. */
  readonly settings?: Partial<Settings>;
}

/** Throws a refusal that names the field. */
export function operation(input: unknown): Operation {
  const fields: Record<string, unknown> = { ...(typeof input === 'object' ? input : {}) };
  const { verb, ledger, tenant, id, actor, settings } = fields;
  if (typeof ledger !== 'string') throw invalid('ledger names no realm');
  if (!isActor(actor)) throw invalid('actor names the operator in 1 to 128 plain characters');
  if (tenant !== undefined && !isTenantId(tenant)) throw invalid('tenant is no id of a tenant');
  if (verb === 'set') {
    const change = settingsChange(settings);
    return { verb, ledger, ...defined({ tenant }), actor, settings: change };
  }
  if (!isVerb(verb)) throw invalid(`verb is none of ${VERBS.join(', ')} and set`);
  if (tenant === undefined) throw invalid('tenant is missing');
  if (verb === 'adopt' || verb === 'disown') {
    const { installation, cloudId } = fields;
    if (!isInstallationId(installation)) throw invalid('installation is no id of an installation');
    if (cloudId !== undefined && !isCloudId(cloudId)) throw invalid('cloudId is no cloud id');
    const cloud = cloudId === undefined ? {} : { cloudId: cloudId.toLowerCase() };
    return { verb, ledger, tenant, installation, ...cloud, actor };
  }
  if (!isMigrationId(id)) throw invalid('id is no migration id');
  return { verb, ledger, tenant, id, actor };
}

const VERBS = ['cancel', 'retry', 'ahead', 'stop-ahead', 'adopt', 'disown'] as const;
const isVerb = (verb: unknown): verb is (typeof VERBS)[number] =>
  VERBS.some((known) => known === verb);

/**
 * Why a migration cannot be copied ahead of its window; `undefined` where it can, or is. `now` in
 * epoch milliseconds.
 */
export function aheadObstacle(migration: Migration, now: number): string | undefined {
  const { id, status, ahead, facts } = migration;
  if (status !== 'scheduled')
    return `migration ${id} is ${status}: only what is scheduled can be copied ahead`;
  if (isNoOp(migration)) return `migration ${id} moves nothing`;
  if (ahead?.finishedAt !== undefined)
    return `migration ${id} was copied ahead already, at ${ahead.finishedAt}`;
  if (facts !== undefined && Date.parse(facts.endTime) <= now)
    return `the window of migration ${id} is over`;
  return undefined;
}

/** Why a migration cannot be cancelled; `undefined` where it can, or has been. */
export function cancelObstacle({
  id,
  status,
  error,
}: Pick<Migration, 'id' | 'status' | 'error'>): string | undefined {
  if (status === 'scheduled' || status === 'copying') return undefined;
  const isCancelled = error?.reason.startsWith(CANCELLED) ?? false;
  const isOver = status === 'rolled-back' || status === 'failed' || status === 'rolling-back';
  if (isCancelled && isOver) return undefined;
  return `migration ${id} is ${status}: ${CANCEL_HINTS[status] ?? 'there is nothing left to cancel'}`;
}

/** The first words of the reason of a cancelled migration. */
export const CANCELLED = 'cancelled by';

const CANCEL_HINTS: Partial<Record<Status, string>> = {
  'ready-to-commit':
    'only what is scheduled or copying is cancelled here, and Atlassian decides now',
  committing: 'the tenant lives in the target already; only a rollback by Atlassian brings it back',
  committed: 'the tenant lives in the target; only a rollback by Atlassian brings it back',
};

/** Why no phase of a migration can be tried again; `undefined` where one can. */
export function retryObstacle(migration: Migration): string | undefined {
  const { id, status, phase, halted, driven } = migration;
  if (phase === undefined || !PHASES_OF[status]?.includes(phase))
    return `migration ${id} is ${status}: no phase of it can be tried again`;
  if (isNoOp(migration)) return `migration ${id} moves nothing: repeat its hook to end it`;
  if (status === 'committing' && driven === undefined && !halted)
    return `migration ${id} has a commit that was never answered: a repeated commit goes on; otherwise it is rolled back`;
  return undefined;
}

/** A name, an address or an ARN. */
export const isActor = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w+=,.@:/ -]{1,128}$/.test(value);
