/**
 * `retry`, `cancel`, `ahead` and `set`: the changes that an operator makes. Each command asks for a
 * confirmation first, and then calls the function `operate`.
 */

import { InvokeCommand } from '@aws-sdk/client-lambda';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Migration } from '../../../lambdas/domain/moving/migration.ts';
import {
  aheadObstacle,
  cancelObstacle,
  type OperationAnswer,
  retryObstacle,
} from '../../../lambdas/domain/operating/operations.ts';
import { SETTING_NAMES, settingsWords } from '../../../lambdas/domain/operating/setting-words.ts';
import {
  changedSettings,
  type Settings,
  type SettingsChange,
  settingsChange,
} from '../../../lambdas/domain/operating/settings.ts';
import { Refusal } from '../../../lambdas/domain/refusal.ts';
import { migrationOf } from '../moves/find-migration.ts';
import type { Operator } from '../operator.ts';
import { assertKnown } from '../tenants/known-tenant.ts';
import { Failure, UsageError } from '../terminal/failure.ts';
import { printable } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';

/** Resolves if the operator confirms; throws `UsageError` otherwise. */
export type Confirm = (question: string) => Promise<void>;

/**
 * The history takes an actor of at most this length. A longer ARN keeps its end, which names the
 * person.
 */
const LONGEST_ACTOR = 128;

export async function actOn(
  operator: Operator,
  verb: ActingVerb,
  tenant: string,
  id: string | undefined,
  confirm: Confirm,
): Promise<Verdict> {
  const migration = await migrationOf(operator, tenant, id);
  const { source, target, status } = migration;
  const obstacle = OBSTACLES[verb](migration);
  if (obstacle !== undefined) return answered({ outcome: 'refused', message: obstacle, status });
  const what = `migration ${migration.id} of ${tenant} (${source} → ${target}, ${status})`;
  await confirm(QUESTIONS[verb](what, status).trim());
  const { ledger } = migration;
  return answered(await operate(operator, ledger, { verb, ledger, tenant, id: migration.id }));
}

type ActingVerb = 'retry' | 'cancel' | 'ahead' | 'stop-ahead';

/** Why the function would refuse, so that the operator is not asked first. */
const OBSTACLES: Readonly<Record<ActingVerb, (migration: Migration) => string | undefined>> = {
  retry: retryObstacle,
  cancel: cancelObstacle,
  ahead: (migration) => aheadObstacle(migration, Date.now()),
  'stop-ahead': () => undefined,
};

const QUESTIONS: Readonly<Record<ActingVerb, (what: string, status: string) => string>> = {
  retry: (what) => `Start the next attempt of ${what}?`,
  cancel: (what, status) => `Cancel ${what}? ${CONSEQUENCE[status] ?? ''}`,
  ahead: (what) => `Copy the tenant of ${what} ahead of its window, while the source serves?`,
  'stop-ahead': (what) => `Stop copying ahead for ${what}? What is copied stays for the move.`,
};

const CONSEQUENCE: Readonly<Record<string, string>> = {
  scheduled: 'It will not begin.',
  copying: 'It fails now: the site comes back, and stays where it is.',
};

export interface SettingOptions {
  readonly realm: string;
  readonly tenant?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly rateLimit?: string | undefined;
  readonly newMoves?: string | undefined;
}

/** Checks what was typed before any call to the deployment. */
export function assertSettable(operator: Operator, options: SettingOptions): void {
  operator.realmNamed(options.realm);
  changeOf(options);
}

export async function set(
  operator: Operator,
  options: SettingOptions,
  confirm: Confirm,
): Promise<Verdict> {
  const ledger = operator.realmNamed(options.realm);
  const settings = changeOf(options);
  const { tenant } = options;
  if (tenant !== undefined) await assertKnown(operator, tenant);
  const { settings: current, ignored } = await operator.records.settings(ledger, tenant);
  const whose = tenant === undefined ? `realm ${ledger}` : `${tenant} in realm ${ledger}`;
  if (ignored.length === 0 && isSame(current, changedSettings(current, settings)))
    return answered({
      outcome: 'left-alone',
      message: `for ${whose} this is set already: ${settingsWords(settings).join('; ')}`,
      settings: current,
    });
  const now = settingsWords(current).join('; ') || 'nothing is set';
  await confirm(`Set for ${whose}: ${settingsWords(settings).join('; ')}? Now: ${now}.`);
  const operation = { verb: 'set', ledger, settings, ...defined({ tenant }) };
  return answered(await operate(operator, ledger, operation));
}

const isSame = (one: Partial<Settings>, other: Partial<Settings>): boolean =>
  SETTING_NAMES.every((name) => one[name] === other[name]);

/** Parses the options and checks their bounds, before the operator is asked. */
function changeOf({ concurrency, rateLimit, newMoves }: SettingOptions): SettingsChange {
  const change = {
    ...(concurrency !== undefined && { concurrency: numberOr(concurrency, '--concurrency') }),
    ...(rateLimit !== undefined && {
      rateLimit: numberOr(rateLimit, '--rate-limit'),
    }),
    ...(newMoves !== undefined && { noNewMoves: isOffIn(newMoves) }),
  };
  if (Object.keys(change).length === 0)
    throw new UsageError('set what? --concurrency, --rate-limit or --new-moves');
  try {
    return settingsChange(change);
  } catch (error) {
    throw error instanceof Refusal ? new UsageError(error.message) : error;
  }
}

/** `default` removes a setting. */
function numberOr(text: string, option: string): number | null {
  if (text === 'default') return null;
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new UsageError(`${option} is a whole number, or "default", not "${text}"`);
  return Number(text);
}

function isOffIn(text: string): boolean | null {
  if (text === 'default') return null;
  if (text !== 'on' && text !== 'off')
    throw new UsageError(`--new-moves is on, off, or "default", not "${text}"`);
  return text === 'off';
}

/** Calls the function `operate` of a realm in the name of the actor. */
export async function operate(
  operator: Operator,
  ledger: string,
  operation: object,
): Promise<OperationAnswer> {
  const actor = await actorOf(operator);
  const answer = await invoked(operator, ledger, 'operate', { ...operation, actor });
  if (!isAnswer(answer)) throw new Failure('the function operate gave no answer');
  return answer;
}

/** Who acts, in the characters that histories and logs take. */
export const actorOf = async (operator: Operator): Promise<string> =>
  (await operator.actor()).replace(/[^\w+=,.@:/ -]/g, '-').slice(-LONGEST_ACTOR);

/** Calls a function of a realm. Throws its error message where the function failed. */
export async function invoked(
  { clients, names }: Operator,
  realm: string,
  task: string,
  payload: object,
): Promise<unknown> {
  const { FunctionError: failure, Payload: body } = await clients.functions(realm).send(
    new InvokeCommand({
      FunctionName: names(realm).lambda(task),
      Payload: JSON.stringify(payload),
    }),
  );
  const answer: unknown = JSON.parse(body?.transformToString() || 'null');
  if (failure === undefined) return answer;
  const { errorMessage }: { errorMessage?: unknown } = Object(answer);
  throw new Failure(
    `the function ${task} of ${realm} failed: ${String(errorMessage).slice(0, 300)}`,
  );
}

const isAnswer = (value: unknown): value is OperationAnswer =>
  typeof value === 'object' && value !== null && 'outcome' in value && 'message' in value;

/** Pure: makes the command's verdict of the answer of `operate`. */
export function answered(answer: OperationAnswer): Verdict {
  const isFine = answer.outcome !== 'refused';
  const text = `${isFine ? '✓' : '✗'} ${printable(answer.message)}`;
  return { report: answer, text, isFine };
}
