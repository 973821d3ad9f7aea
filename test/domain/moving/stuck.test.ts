/**
 * Which migrations need an operator: halted ones, and those whose commit or rollback does not end.
 */
import { describe, expect, test } from 'vitest';
import { type Migration, STATUSES } from '../../../lambdas/domain/moving/migration.ts';
import { isStuck } from '../../../lambdas/domain/moving/stuck.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-12-26T12:00:00.000Z');
const migration = (facts: Partial<Migration>): Migration => ({
  ledger: 'us',
  tenant: 'tenant-1',
  id: '57500',
  source: 'us',
  target: 'de',
  status: 'committing',
  scheduledAt: '2026-12-25T00:00:00.000Z',
  scheduledIat: 0,
  updatedAt: new Date(NOW).toISOString(),
  attempt: 1,
  facts: {
    location: 'DE',
    startTime: '2026-12-26T08:00:00.000Z',
    endTime: '2026-12-26T09:30:00.000Z',
  },
  ...facts,
});
const quietFor = (hours: number) => new Date(NOW - hours * HOUR).toISOString();

describe('a migration', () => {
  test('that is halted is stuck, in whichever status', () => {
    for (const status of STATUSES)
      expect(isStuck(migration({ status, halted: 'why' }), NOW)).toBe(true);
  });

  test.each(['committing', 'rolling-back'] as const)(
    'that is %s is stuck after twice its window without a change, or nine attempts',
    (status) => {
      expect(isStuck(migration({ status, updatedAt: quietFor(2.9) }), NOW)).toBe(false);
      expect(isStuck(migration({ status, updatedAt: quietFor(3.1) }), NOW)).toBe(true);
      expect(isStuck(migration({ status, attempt: 8 }), NOW)).toBe(false);
      expect(isStuck(migration({ status, attempt: 9 }), NOW)).toBe(true);
    },
  );

  test('with a short window has two hours', () => {
    const facts = {
      location: 'DE',
      startTime: '2026-12-26T08:00:00.000Z',
      endTime: '2026-12-26T08:30:00.000Z',
    };
    expect(isStuck(migration({ facts, updatedAt: quietFor(1.9) }), NOW)).toBe(false);
    expect(isStuck(migration({ facts, updatedAt: quietFor(2.1) }), NOW)).toBe(true);
  });

  test.each([
    'scheduled',
    'copying',
    'ready-to-commit',
    'failed',
    'committed',
    'rolled-back',
  ] as const)(
    'that is %s waits for Atlassian, for its window or for nothing, and is never stuck',
    (status) => {
      expect(isStuck(migration({ status, attempt: 40, updatedAt: quietFor(50) }), NOW)).toBe(false);
    },
  );
});
