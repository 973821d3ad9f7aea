/** The transition table, as a whole. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ActingHook,
  advance,
  isFinal,
  isLater,
  isNoOp,
  isUnderWay,
  NEXT,
  PHASES_OF,
  realmOfPhase,
  STATUSES,
  type Status,
  type Step,
  sameFacts,
  statusAfter,
} from '../../../lambdas/domain/moving/migration.ts';
import { migrationRecord } from '../../support/builders.ts';

const STEPS: readonly Step[] = [
  'start',
  'commit',
  'rollback',
  'copied',
  'fail',
  'purged',
  'undone',
  'kept',
  'expire',
];
const stepsFrom = (status: Status): readonly (readonly [Step, Status])[] => {
  const next: Partial<Record<Step, Status>> = NEXT[status];
  return STEPS.flatMap((step) => {
    const to = next[step];
    return to === undefined ? [] : [[step, to] as const];
  });
};

/** Every status that can be reached, `from` included. */
function reachable(
  from: Status,
  without: (from: Status, step: Step) => boolean = () => false,
): Set<Status> {
  const found = new Set<Status>([from]);
  for (const status of found) {
    for (const [step, to] of stepsFrom(status)) if (!without(status, step)) found.add(to);
  }
  return found;
}

/** The status after a sequence of steps; a step that a status does not know changes nothing. */
const endOf = (steps: readonly Step[], from: Status = 'scheduled'): Status =>
  steps.reduce<Status>((status, step) => new Map(stepsFrom(status)).get(step) ?? status, from);

const anySteps = fc.array(fc.constantFrom(...STEPS), { maxLength: 12 });

describe('the transition table', () => {
  test.each(STATUSES)('leads from %s to a final status', (status) => {
    expect([...reachable(status)].some((reached) => isFinal({ status: reached }))).toBe(true);
  });

  test.each(STATUSES)('leads from %s to rolled-back, unless it is there', (status) => {
    expect(reachable(status)).toContain('rolled-back');
  });

  test('has no other step than these', () => {
    const known = STATUSES.flatMap((status) => Object.keys(NEXT[status]));
    expect([...new Set(known)].sort()).toEqual([...STEPS].sort());
  });

  test('reaches every status from scheduled', () => {
    expect([...reachable('scheduled')].sort()).toEqual([...STATUSES].sort());
  });

  test('reaches committed through ready-to-commit only, but for a rollback that is called off', () => {
    const without = (status: Status, step: Step) => status === 'ready-to-commit' || step === 'kept';
    expect(reachable('scheduled', without)).not.toContain('committed');
    expect(reachable('scheduled', without)).not.toContain('committing');
  });

  test('knows one way back to committed, and only from rolling-back', () => {
    const ways = STATUSES.flatMap((status) =>
      stepsFrom(status)
        .filter(([, to]) => to === 'committed')
        .map(([step]) => [status, step]),
    );
    expect(ways).toEqual([
      ['committing', 'purged'],
      ['rolling-back', 'kept'],
    ]);
  });

  test('never lets a migration purge after a rollback', () => {
    fc.assert(
      fc.property(anySteps, anySteps, (before, later) => {
        const rolledBack = endOf([...before, 'rollback']);
        fc.pre(['rolling-back', 'rolled-back'].includes(rolledBack));
        const withoutKept = later.filter((step) => step !== 'kept');
        const status = endOf(withoutKept, rolledBack);
        expect(['rolling-back', 'rolled-back']).toContain(status);
        expect(PHASES_OF[status] ?? []).not.toContain('commit');
      }),
    );
  });

  test('makes a step that is taken twice at once the same as one that is taken once', () => {
    for (const status of STATUSES) {
      for (const [step, to] of stepsFrom(status)) {
        // No step that was taken has another meaning afterwards.
        expect(endOf([step], to), `${step} from ${status}`).toBe(to);
      }
    }
  });

  test('ends rolled back whatever happens after that', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        expect(endOf(steps, 'rolled-back')).toBe('rolled-back');
      }),
    );
  });

  test('names the phases that a status waits for, and the realm whose data each changes', () => {
    expect(PHASES_OF).toEqual({
      scheduled: ['ahead'],
      copying: ['copy'],
      committing: ['commit'],
      'rolling-back': ['restore', 'rollback'],
    });
    const realms = (['ahead', 'copy', 'commit', 'restore', 'rollback'] as const).map((phase) =>
      realmOfPhase({ source: 'us', target: 'de' }, phase),
    );
    expect(realms).toEqual(['de', 'de', 'us', 'us', 'de']);
  });

  test('tells what is final, what is under way, and what has nothing to move', () => {
    expect(STATUSES.filter((status) => isFinal({ status }))).toEqual(['committed', 'rolled-back']);
    const startedAt = '2026-12-26T00:00:00.000Z';
    expect(STATUSES.filter((status) => !isUnderWay({ status, startedAt }))).toEqual([
      'scheduled',
      'committed',
      'rolled-back',
    ]);
    // A schedule that never started stands in nobody's way while what was copied ahead is
    // discarded.
    expect(isUnderWay({ status: 'rolling-back' })).toBe(false);
    expect([
      isNoOp({ source: 'us', target: 'us' }),
      isNoOp({ source: 'us', target: 'de' }),
    ]).toEqual([true, false]);
  });
});

describe('a hook', () => {
  const HOOKS: readonly ActingHook[] = ['schedule', 'start', 'commit', 'rollback'];

  test('has an answer in every status', () => {
    const kinds = STATUSES.flatMap((status) =>
      HOOKS.map((hook) => `${status}: ${hook} ${advance(migrationRecord({ status }), hook).kind}`),
    );
    expect(kinds).toHaveLength(32);
    expect(kinds.filter((kind) => /rollback/.test(kind) && /refused/.test(kind))).toEqual([]);
  });

  test('is an answer given before, once it has moved the status', () => {
    for (const status of STATUSES) {
      for (const hook of HOOKS) {
        const outcome = advance(migrationRecord({ status }), hook);
        if (outcome.kind !== 'moves') continue;
        expect(
          advance(migrationRecord({ status: outcome.to }), hook).kind,
          `${hook} from ${status}`,
        ).toBe('repeated');
      }
    }
  });

  test.each([
    ['start', 'rolled-back', 'E0001'],
    ['schedule', 'rolled-back', 'E9999'],
    ['commit', 'copying', 'E9999'],
    ['commit', 'scheduled', 'E9999'],
    ['start', 'rolling-back', 'E9999'],
  ] as const)('%s is refused when it is %s, with %s', (hook, status, code) => {
    const startedAt = '2026-12-26T00:00:00.000Z';
    expect(advance(migrationRecord({ status, startedAt }), hook)).toMatchObject({
      kind: 'refused',
      refusal: { status: 409, code },
    });
  });

  test('start of a schedule that is being undone says that it is not scheduled', () => {
    expect(advance(migrationRecord({ status: 'rolling-back' }), 'start')).toMatchObject({
      refusal: { status: 409, code: 'E0001' },
    });
  });

  test('ends a schedule at once, unless something may have been copied ahead for it', () => {
    const ahead = { begunAt: '2026-12-25T00:00:00.000Z' };
    for (const step of ['rollback', 'expire'] as const) {
      expect(statusAfter({ status: 'scheduled' }, step)).toBe('rolled-back');
      expect(statusAfter({ status: 'scheduled', ahead }, step)).toBe('rolling-back');
    }
    expect(statusAfter({ status: 'scheduled', ahead }, 'start')).toBe('copying');
    expect(advance(migrationRecord({ status: 'scheduled', ahead }), 'rollback')).toEqual({
      kind: 'moves',
      to: 'rolling-back',
    });
  });

  test.each(['schedule', 'start', 'commit'] as const)(
    '%s of what has failed says with which code',
    (hook) => {
      const failed = migrationRecord({
        status: 'failed',
        error: { code: 'E0004', reason: 'a test says so' },
      });
      expect(advance(failed, hook)).toMatchObject({
        kind: 'refused',
        refusal: { status: 409, code: 'E0004' },
      });
      expect(advance(migrationRecord({ status: 'failed' }), hook)).toMatchObject({
        refusal: { code: 'E9999' },
      });
    },
  );

  test('says in its refusal what a reader of the log needs', () => {
    const outcome = advance(migrationRecord({ status: 'copying' }), 'commit');
    expect(outcome.kind === 'refused' && outcome.refusal.message).toBe(
      'cannot commit migration 57500: it is copying, and only ready-to-commit can be committed',
    );
  });
});

describe('the facts of a schedule', () => {
  const facts = {
    location: 'de',
    startTime: '2026-12-26T00:00:00.000Z',
    endTime: '2026-12-26T02:00:00.000Z',
  };

  test('are the same however their times are written', () => {
    expect(sameFacts(facts, { ...facts, startTime: '2026-12-26T01:00:00+01:00' })).toBe(true);
    expect(sameFacts(facts, { ...facts, startTime: '2026-12-26T00:00:01Z' })).toBe(false);
    expect(sameFacts(facts, { ...facts, endTime: '2026-12-26T02:00:01Z' })).toBe(false);
    expect(sameFacts(facts, { ...facts, location: 'eu' })).toBe(false);
    expect(sameFacts(undefined, facts)).toBe(false);
  });

  test('stand in a total order: of any two schedules one is later', () => {
    const schedules = fc.record({
      scheduledAt: fc.constantFrom('2026-01-01', '2026-01-02'),
      id: fc.constantFrom('1', '2', '10'),
    });
    fc.assert(
      fc.property(schedules, schedules, (one, other) => {
        const isSame = one.id === other.id && one.scheduledAt === other.scheduledAt;
        expect(Number(isLater(one, other)) + Number(isLater(other, one))).toBe(isSame ? 0 : 1);
      }),
    );
  });
});
