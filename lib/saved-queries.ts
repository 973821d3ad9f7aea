/**
 * DATA: what the queries that each stack saves are called, after the realm's prefix, and which
 * alarm a test raises.
 */
export const SAVED_QUERIES = {
  oneMigration: 'one migration',
  requests: 'requests of one migration',
  alarms: 'alarms',
} as const;

/** It reports a moment, so that nothing goes on where it is raised for a test. */
export const TEST_ALARM = 'alarm-line';
