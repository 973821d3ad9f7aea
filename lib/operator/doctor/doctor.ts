/** `doctor`: checks every realm from outside, and says what to mend. It only reads. */

import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { bucketsOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { isFinal, type Migration } from '../../../lambdas/domain/moving/migration.ts';
import { partitionOf, type Realm } from '../../../lambdas/domain/realm.ts';
import { keyServersOf } from '../../../lambdas/domain/residency.ts';
import { MINUTE_MS } from '../../../lambdas/domain/time.ts';
import type { Confirm } from '../acting/act.ts';
import { factsIn, factText } from '../acting/settings.ts';
import { keysCheck } from '../audit/strange-keys.ts';
import type { Operator } from '../operator.ts';
import { assertKnown } from '../tenants/known-tenant.ts';
import { commandFor } from '../terminal/command-name.ts';
import { errorNameOf, sentenceOf } from '../terminal/failure.ts';
import { moment, printable, table } from '../terminal/print.ts';
import type { Verdict } from '../terminal/verdict.ts';
import { descriptor, fetched, health } from './base-url-checks.ts';
import { bucketsFound, declaredBuckets } from './bucket-form.ts';
import { bad, type Check, type Found, fine } from './check.ts';
import { leftOut } from './left-out.ts';
import { expiry, tables } from './table-form.ts';
import { encryption, protection } from './table-safety.ts';

/** A move at full speed takes 16 workers; a new account runs 10 functions at once in all. */
const LEAST_CONCURRENCY = 100;
/** A deployment must not meet a move that begins within this time. */
const SOON_MS = 30 * MINUTE_MS;

export interface DoctorOptions {
  readonly beforeDeploy?: boolean;
  /** A tenant of which each realm's parts are looked at, too. */
  readonly tenant?: string;
  /** The realm of which one alarm is raised. This writes, so it is confirmed. */
  readonly testAlarm?: Realm;
  readonly confirm?: Confirm;
}

export async function doctor(
  operator: Operator,
  { beforeDeploy = false, tenant, testAlarm, confirm }: DoctorOptions,
): Promise<Verdict> {
  if (testAlarm !== undefined) await confirm?.(`Raise an alarm of realm ${testAlarm}, for a test?`);
  if (tenant !== undefined) await assertKnown(operator, tenant);
  const checks = beforeDeploy
    ? await openMoves(operator)
    : (
        await Promise.all([
          ...operator.realms.map((realm) => realmChecks(operator, realm)),
          ...leftOutIn(operator).map((realm) =>
            checked(realm, 'left out', () => leftOut(operator, realm)),
          ),
          keyServers(keyServersFor(operator)),
          ...(tenant === undefined ? [] : [tenantChecks(operator, tenant)]),
          ...(testAlarm === undefined ? [] : [alarmRaised(operator, testAlarm)]),
        ])
      ).flat();
  const isFine = checks.every(({ ok }) => ok);
  return { report: { fine: isFine, checks }, text: doctorText(checks), isFine };
}

/** A check by its name, and how it looks. */
type Looking = readonly [string, () => Promise<Found | readonly Found[]>];

async function realmChecks(operator: Operator, realm: Realm): Promise<readonly Check[]> {
  const checks: readonly Looking[] = [
    ['health', () => health(operator, realm)],
    ['descriptor', () => descriptor(operator, realm)],
    ['tables', () => tables(operator, realm)],
    ['permissions', () => permissions(operator, realm)],
    ['keys', () => keysCheck(operator, realm)],
    ['workflow', () => workflow(operator, realm)],
    ['settings', () => settings(operator, realm)],
    ...bucketChecks(operator, realm),
    ...(operator.localPort === undefined ? checksInAws(operator, realm) : []),
  ];
  return (await Promise.all(checks.map(([check, look]) => checked(realm, check, look)))).flat();
}

/** The module is loaded where it is needed: it takes time. */
const tenantChecks = async (operator: Operator, tenant: string): Promise<readonly Check[]> => {
  const { tenantCheck } = await import('./tenant-check.ts');
  const checks = operator.realms.map((realm) =>
    checked(realm, 'tenant', () => tenantCheck(operator, realm, tenant)),
  );
  return (await Promise.all(checks)).flat();
};

async function checked(realm: Realm, check: string, look: Looking[1]): Promise<readonly Check[]> {
  const found = await look().catch(unseen);
  return [found].flat().map((one) => ({ realm, check, ...one }));
}

/**
 * What kept a check from looking. An exception of AWS is named as it is, so that it can be looked
 * up, and what to do follows from its name.
 */
function unseen(error: unknown): Found {
  const name = errorNameOf(error);
  const sentence = sentenceOf(error);
  const isOfAws = /^[A-Z]\w+(Exception|Denied)$/.test(name) && !sentence.includes(name);
  const row = FIXES.find(([pattern]) => pattern.test(`${name} ${sentence}`));
  return bad(isOfAws ? `${name}: ${sentence}` : sentence, row?.[1] ?? 'run doctor again');
}

const FIXES: readonly (readonly [RegExp, string])[] = [
  [/AccessDenied/, 'take the role operator-read of this realm, or deploy the realm'],
  [/KMS|encryption key/, 'enable the key of the table, or let this role use it'],
  [/ResourceNotFound|NotExist/, 'deploy the realm; a table of your own must exist before'],
  [/Throttling|ThroughputExceeded|LimitExceeded/, 'wait a minute, and run doctor again'],
  [/Validation/, 'compare the table with its part in residency.config.ts'],
];

/** The module is loaded where it is needed: it takes time, as that of the queries does. */
const alarmRaised = (operator: Operator, realm: Realm) =>
  checked(realm, 'test alarm', async () =>
    (await import('./test-alarm.ts')).testAlarm(operator, realm),
  );

/** A local host never had what it is told to leave out. */
const leftOutIn = ({ leftOut: realms, localPort }: Operator): readonly Realm[] =>
  localPort === undefined ? realms : [];

/** A local host has no limits, keys, expiry or protection to check. */
function checksInAws(operator: Operator, realm: Realm): readonly Looking[] {
  return [
    ['concurrency', () => concurrency(operator, realm)],
    ['encryption', () => encryption(operator, realm)],
    ['expiry', () => expiry(operator, realm)],
    ['queries', async () => (await import('./saved-queries.ts')).savedQueries(operator, realm)],
    ...(operator.stage === 'prod'
      ? [['protection', () => protection(operator, realm)] as const]
      : []),
  ];
}

/** None where no part is in a bucket. */
const bucketChecks = (operator: Operator, realm: Realm): readonly Looking[] =>
  bucketsOf(operator.residency.parts).length === 0
    ? []
    : [
        [
          'buckets',
          async () => bucketsFound(operator, realm, await declaredBuckets(operator, realm)),
        ],
      ];

/** A setting is no fault, but the operator who made it may have forgotten it. */
async function settings(operator: Operator, realm: Realm): Promise<Found> {
  const facts = await factsIn(operator, realm);
  return fine(facts.length === 0 ? 'nothing is set' : facts.map(factText).join('; '));
}

/** An id that no tenant can have. A role that may read this record may read every record. */
const NO_TENANT = '#doctor';

async function permissions(operator: Operator, realm: Realm): Promise<Found> {
  const { tenants, ledger, partKind, residency } = operator;
  await tenants.read(realm, NO_TENANT);
  await ledger.migrations.open(realm);
  await Promise.all(
    residency.parts.map((part) =>
      partKind.size({ id: `${part.name}/00`, part: part.name, partition: NO_TENANT }, realm, 0),
    ),
  );
  return fine('records, ledger and counts can be read');
}

async function workflow(operator: Operator, realm: Realm): Promise<Found> {
  const { clients, region, names } = operator;
  const { name: partition } = partitionOf(region(realm));
  const arn = `arn:${partition}:states:${region(realm)}:${await operator.account()}:stateMachine:${names(realm).stateMachine}`;
  const command = new ListExecutionsCommand({ stateMachineArn: arn, maxResults: 1 });
  try {
    const { executions = [] } = await clients.states(realm).send(command);
    const [last] = executions;
    const when =
      last?.startDate === undefined
        ? 'it has never run'
        : `last run ${moment(last.startDate.getTime())}`;
    return fine(`the state machine is there; ${when}`);
  } catch (error) {
    if (error instanceof Error && error.name === 'StateMachineDoesNotExist')
      return bad('there is no state machine', 'deploy the realm');
    throw error;
  }
}

export async function concurrency(
  { clients }: Pick<Operator, 'clients'>,
  realm: Realm,
): Promise<Found> {
  const settings = await clients.functions(realm).send(new GetAccountSettingsCommand({}));
  const limit = settings.AccountLimit?.ConcurrentExecutions ?? 0;
  if (limit < LEAST_CONCURRENCY)
    return bad(
      `Lambda runs ${limit} functions at once in this account and region`,
      'ask for 1000 in Service Quotas: a move wants 16 workers, beside your hooks',
    );
  return fine(`Lambda runs ${limit} functions at once`);
}

const keyServersFor = ({ localPorts, residency }: Operator): readonly string[] =>
  localPorts === undefined
    ? keyServersOf(residency.app)
    : [`http://127.0.0.1:${localPorts.installKeys}`];

/** Asks each server: Atlassian decides which of them has an installation's key. */
export const keyServers = (urls: readonly string[]): Promise<readonly Check[]> =>
  Promise.all(urls.map(keyServer));

/** A server that does not know the key has answered. */
async function keyServer(url: string): Promise<Check> {
  const response = await fetched(`${url}/residency/doctor`);
  const found =
    response !== undefined && response.status < 500
      ? fine(`the server of install keys answers, at ${url}`)
      : bad(
          `the server of install keys does not answer, at ${url}`,
          'installations with its keys are refused until it does: see Atlassian’s status page, and this machine’s network',
        );
  return { realm: 'all', check: 'key server', ...found };
}

/**
 * A deployment replaces the code under a running move. That is safe, but costs time, which a short
 * window may not have.
 */
async function openMoves(operator: Operator): Promise<readonly Check[]> {
  const soon = operator.clock.now() + SOON_MS;
  const isInTheWay = (migration: Migration) =>
    !isFinal(migration) &&
    (migration.status !== 'scheduled' || Date.parse(migration.facts?.startTime ?? '') < soon);
  return Promise.all(
    operator.realms.map(async (realm) => {
      const open = (await operator.ledger.migrations.open(realm)).filter(isInTheWay);
      const names = open.slice(0, 5).map(({ tenant, id, status }) => `${tenant} ${id} (${status})`);
      const found =
        open.length === 0
          ? fine('no move is under way, or about to begin')
          : bad(
              `${open.length} under way: ${names.join(', ')}${open.length > 5 ? ' …' : ''}`,
              `deploy when they have ended: ${commandFor(operator, 'migrations')}`,
            );
      return { realm, check: 'open moves', ...found };
    }),
  );
}

/** Pure: the text for a terminal. */
export function doctorText(checks: readonly Check[]): string {
  const wrong = checks.filter(({ ok }) => !ok);
  return [
    table(
      ['', 'realm', 'check', ''],
      checks.map(({ realm, check, ok, says }) => [
        ok ? '✓' : '✗',
        realm,
        check,
        printable(says, 120),
      ]),
    ),
    '',
    ...(wrong.length === 0
      ? ['✓ all is as it should be']
      : wrong.map(({ realm, check, fix = '' }) => `✗ ${realm}, ${check}: ${printable(fix)}`)),
  ].join('\n');
}
