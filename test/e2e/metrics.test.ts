/**
 * Whole moves, good and bad: alarms use the metrics that they write, and no metric names a tenant.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STATUSES } from '../../lambdas/domain/moving/migration.ts';
import { HOOKS, METRICS } from '../../lambdas/domain/operating/metric.ts';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { residency } from '../../residency.config.ts';
import { at, listOf } from '../support/templates.ts';
import { eventually, facts, startWorld, type World } from '../support/world.ts';

/** Names that are found wherever they appear, because no other word of the system is like them. */
const TENANTS = ['qqtenant-moves', 'qqtenant-differs', 'qqtenant-halts'] as const;
const MIGRATIONS = [918_271, 918_272, 918_273] as const;
const [MOVES, DIFFERS, HALTS] = TENANTS;

let fault: (call: DynamoDbCall) => InjectedFault | undefined = () => undefined;
let world: World;
let lines: readonly Readonly<Record<string, unknown>>[];
let alarmLines: readonly string[];
let begunAt: number;
const minutesLeft = (now: number) => (Date.parse(facts('DE').endTime) - now) / 60_000;

beforeAll(async () => {
  begunAt = Date.now();
  world = await startWorld({ dynamoDb: { inject: (call) => fault(call) } });
  await moved();
  await differing();
  await halted();
  await world.host.invoke('us', 'tasks/janitor', {});
  lines = world.measurements.map((line) => Object(JSON.parse(line)));
  alarmLines = world.lines
    .map((line) => String(Object(JSON.parse(line)).message))
    .filter((message) => message.startsWith('alarm:'));
});
afterAll(() => world[Symbol.asyncDispose]());

/** With a throttle, a refused hook, one without a token, and one that meets a fault. */
async function moved(): Promise<void> {
  const site = await world.installed(MOVES);
  await world.fill(MOVES, 'us');
  expect((await world.hook(site, 'start', 918_999, facts('DE'))).status).toBe(404);
  const stranger = world.atlassian.site('qqtenant-unknown', world.host.urls['us'] ?? '');
  expect((await world.hook(stranger, 'commit', MIGRATIONS[0])).status).toBe(401);
  fault = ({ operation }) =>
    operation === 'GetItem' ? { error: 'AccessDeniedException' } : undefined;
  expect((await world.hook(site, 'status', MIGRATIONS[0])).status).toBe(503);
  let throttles = 3;
  let planted: Promise<unknown> | undefined;
  fault = ({ operation, input }) => {
    const text = JSON.stringify(input);
    // The item that is planted is itself written in a batch, and must land before the verification.
    const isCopied = text.includes(MOVES) && !text.includes('stranger');
    if (operation !== 'BatchWriteItem' || !isCopied) return undefined;
    // A writer that does not ask the guard writes into the target while it is copied.
    planted ??= world.put('de', 'templates', { tenant: MOVES, id: 'stranger' });
    return throttles-- > 0 ? { error: 'ProvisionedThroughputExceededException' } : undefined;
  };
  await world.moved(site, MIGRATIONS[0], 'DE');
  await planted;
  fault = () => undefined;
}

/** Another writer's item is in the target already: the target is not claimed. */
async function differing(): Promise<void> {
  const site = await world.installed(DIFFERS);
  await world.fill(DIFFERS, 'us', 8);
  await world.put('de', 'templates', { tenant: DIFFERS, id: 'stranger' });
  await world.scheduled(site, MIGRATIONS[1]);
  await world.hook(site, 'start', MIGRATIONS[1], facts('DE'));
  await world.until(site, MIGRATIONS[1], ['failed']);
  await world.hook(site, 'rollback', MIGRATIONS[1]);
  await world.until(site, MIGRATIONS[1], ['rolled-back']);
}

/** A writer that does not ask the guard writes between verification and commit. */
async function halted(): Promise<void> {
  const site = await world.installed(HALTS);
  await world.fill(HALTS, 'us', 8);
  await world.ready(site, MIGRATIONS[2]);
  await world.put('us', 'templates', { tenant: HALTS, id: 'late' });
  await world.hook(site, 'commit', MIGRATIONS[2]);
  await eventually(
    async () => (await world.migration('us', HALTS, MIGRATIONS[2]))?.halted !== undefined,
  );
}

interface Seen {
  readonly value: number;
  readonly dimensions: Readonly<Record<string, unknown>>;
}

function seen(name: string, where: Readonly<Record<string, string>> = {}): readonly Seen[] {
  return lines
    .filter((line) => name in line)
    .map((line) => ({
      value: Number(line[name]),
      dimensions: Object.fromEntries(dimensionsOf(line).map((key) => [key, line[key]])),
    }))
    .filter(({ dimensions }) =>
      Object.entries(where).every(([key, value]) => dimensions[key] === value),
    );
}

const dimensionsOf = (line: object): readonly string[] =>
  listOf(at(line, '_aws', 'CloudWatchMetrics', 0, 'Dimensions', 0)).map(String);

const sum = (name: string, where: Readonly<Record<string, string>> = {}) =>
  seen(name, where).reduce((total, { value }) => total + value, 0);

describe('what moves measure', () => {
  test('counts each change of status once, in the realm that made it', () => {
    expect(sum('Moves', { status: 'scheduled' })).toBe(3);
    expect(sum('Moves', { status: 'copying' })).toBe(3);
    expect(sum('Moves', { status: 'ready-to-commit', realm: 'de' })).toBe(2);
    expect(sum('Moves', { status: 'committing', realm: 'us' })).toBe(2);
    expect(sum('Moves', { status: 'committed' })).toBe(1);
    expect(sum('Moves', { status: 'failed' })).toBe(1);
    expect(sum('Moves', { status: 'rolled-back' })).toBe(1);
  });

  test('counts what was copied, to the item, and never what was copied before', () => {
    // 40 and 8 items in each of the two parts that move.
    expect(sum('CopiedItems', { realm: 'de' })).toBe(2 * (40 + 8));
    expect(sum('CopiedItems')).toBe(sum('CopiedItems', { realm: 'de' }));
    expect(sum('CopiedBytes')).toBeGreaterThan(sum('CopiedItems') * 20);
  });

  test('counts the writes that were throttled', () => {
    expect(sum('Throttles', { realm: 'de' })).toBeGreaterThanOrEqual(3);
  });

  test('counts a mismatch of the two realms, and a source that has changed', () => {
    expect(sum('VerifyMismatches', { realm: 'de' })).toBeGreaterThanOrEqual(1);
    expect(sum('VerifyMismatches', { realm: 'us' })).toBe(1);
  });

  test('says how long the window still lasts, while the site waits', () => {
    const minutes = seen('WindowMinutesLeft').map(({ value }) => value);
    expect(minutes.length).toBeGreaterThan(10);
    for (const value of minutes) {
      expect(value).toBeGreaterThanOrEqual(minutesLeft(Date.now()));
      expect(value).toBeLessThanOrEqual(minutesLeft(begunAt));
    }
  });

  test('says that a migration is stuck', () => {
    expect(seen('StuckMigrations')).toEqual([
      { value: 1, dimensions: { service: residency.name, stage: 'local', realm: 'us' } },
    ]);
  });

  test('counts each line that calls for an operator, from every function', () => {
    const said = alarmLines.join('\n');
    expect(said).toContain(`migration ${MIGRATIONS[2]} is halted`);
    expect(said).toContain('is not the same in both realms');
    expect(sum('Alarms')).toBe(alarmLines.length);
    expect(sum('Alarms', { realm: 'us' })).toBeGreaterThan(0);
    expect(sum('Alarms', { realm: 'de' })).toBeGreaterThan(0);
  });

  test('times each hook, and counts refusals by code, and faults', () => {
    for (const hook of ['installed', 'schedule', 'start', 'status', 'commit', 'rollback']) {
      expect(seen('HookLatency', { hook }).length, hook).toBeGreaterThan(0);
    }
    expect(sum('Refusals', { code: 'E0001' })).toBe(1);
    expect(sum('Refusals', { code: 'unauthenticated' })).toBe(1);
    expect(sum('Faults', { hook: 'status' })).toBe(1);
  });

  test('has the units that the table says, and nothing that is not in it', () => {
    for (const line of lines) {
      const [metric, ...more] = listOf(at(line, '_aws', 'CloudWatchMetrics', 0, 'Metrics'));
      expect(more).toEqual([]);
      const name = String(at(metric, 'Name'));
      expect(at(METRICS, name, 'unit'), name).toBe(at(metric, 'Unit'));
      expect(at(line, '_aws', 'CloudWatchMetrics', 0, 'Namespace')).toBe(residency.name);
    }
  });
});

describe('no metric', () => {
  test('has a dimension but service, stage, realm, status, hook and code, each from a closed list', () => {
    const words: Readonly<Record<string, readonly string[]>> = {
      service: [residency.name],
      stage: ['local'],
      realm: residency.realms.map(({ realm }) => realm),
      status: STATUSES,
      hook: [...HOOKS, 'other'],
      code: ['E0001', 'E0002', 'E0003', 'E0004', 'E9999', 'unauthenticated', 'none'],
    };
    for (const line of lines) {
      for (const key of dimensionsOf(line)) expect(words[key]).toContain(line[key]);
      const [name] = Object.keys(line).filter((key) => key in METRICS);
      const others = Object.keys(line).filter((key) => key !== '_aws' && key !== name);
      expect(others.sort()).toEqual([...dimensionsOf(line)].sort());
    }
  });

  test('names a tenant or a migration, in any place', () => {
    const text = world.measurements.join('\n');
    expect(world.measurements.length).toBeGreaterThan(80);
    expect(text).not.toContain('qqtenant');
    for (const id of [...MIGRATIONS, 918_999]) {
      const values = lines.flatMap((line) => JSON.stringify({ ...line, _aws: undefined }));
      expect(values.filter((value) => value.includes(String(id)))).toEqual([]);
    }
    for (const tenant of TENANTS) expect(world.lines.join('\n')).toContain(tenant);
  });
});

describe('the log', () => {
  test('has a line for each answer to a hook that joins the request with the migration', () => {
    const answers = world.lines
      .map((line) => Object(JSON.parse(line)))
      .filter(({ message }) => message === '200: POST /dare-migration/commit');
    expect(answers).toHaveLength(2);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 'committing', requestId: expect.any(String) });
      expect(MIGRATIONS.map(String)).toContain(answer.migrationId);
    }
  });
});
