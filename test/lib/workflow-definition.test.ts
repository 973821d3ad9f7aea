/** The ASL file: valid, and within what Step Functions and the local interpreter both do alike. */
import { readFileSync } from 'node:fs';
import validate from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { sizeOf } from '../../lib/entries.ts';
import { substitutionOf, WORKFLOW_TASKS } from '../../lib/routes.ts';
import { at, listOf } from '../support/templates.ts';

const TEXT = readFileSync(new URL('../../lib/realm-migration.asl.json', import.meta.url), 'utf8');

/** The fields that a state may have. The local host would ignore or misread any other. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Task: ['Resource', 'TimeoutSeconds', 'Parameters', 'ResultPath', 'Retry', 'Catch', 'Next', 'End'],
  Choice: ['Choices', 'Default'],
  Wait: ['Seconds', 'SecondsPath', 'Next', 'End'],
  Map: [
    'ItemsPath',
    'ItemSelector',
    'ItemProcessor',
    'MaxConcurrency',
    'ResultPath',
    'Retry',
    'Catch',
    'Next',
    'End',
  ],
  Pass: ['Result', 'Parameters', 'ResultPath', 'Next', 'End'],
  Succeed: [],
  Fail: ['Error', 'Cause'],
};
const RULE = [
  'Variable',
  'Next',
  'Not',
  'And',
  'Or',
  'StringEquals',
  'BooleanEquals',
  'NumericEquals',
  'NumericLessThan',
  'NumericGreaterThan',
  'IsPresent',
];
const RETRIER = [
  'ErrorEquals',
  'IntervalSeconds',
  'MaxAttempts',
  'BackoffRate',
  'MaxDelaySeconds',
  'JitterStrategy',
];
const CATCHER = ['ErrorEquals', 'ResultPath', 'Next'];

interface State {
  readonly name: string;
  readonly type: string;
  readonly body: object;
}

describe('the state machine', () => {
  test('is valid', () => {
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:task';
    const { isValid, errorsText } = validate(JSON.parse(TEXT.replaceAll(/\$\{\w+\}/g, arn)));
    expect(isValid, isValid ? '' : errorsText('\n')).toBe(true);
  });

  test('says nothing that the local interpreter does not do', () => {
    const definition: unknown = JSON.parse(TEXT);
    expect(Object.keys(Object(definition)).sort()).toEqual(['Comment', 'StartAt', 'States']);
    for (const { name, type, body } of states()) {
      const known = FIELDS[type];
      expect(known, `${name} is a ${type}`).toBeDefined();
      expectOnly(body, ['Type', 'Comment', ...(known ?? [])], name);
      for (const rule of listOf(at(body, 'Choices'))) expectRule(rule, name);
      for (const retrier of listOf(at(body, 'Retry'))) expectOnly(retrier, RETRIER, name);
      for (const catcher of listOf(at(body, 'Catch'))) expectOnly(catcher, CATCHER, name);
    }
  });

  test('reads nothing of the context but the item of a Map, and computes nothing', () => {
    expect([...new Set(TEXT.match(/\$\$[.\w]*/g))]).toEqual(['$$.Map.Item.Value']);
    expect(TEXT).not.toMatch(/"States\.(?!ALL)\w+\(/);
    expect(TEXT).not.toMatch(/\{%/);
  });

  test('runs every task of routes.ts, and no other', () => {
    const named = new Set([...TEXT.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]));
    expect([...named].sort()).toEqual(WORKFLOW_TASKS.map(substitutionOf).sort());
  });

  test('gives every task a time limit that its Lambda cannot outlive', () => {
    for (const { name, body } of states().filter(({ type }) => type === 'Task')) {
      const limit = Number(at(body, 'TimeoutSeconds'));
      const task = WORKFLOW_TASKS.find((t) => at(body, 'Resource') === `\${${substitutionOf(t)}}`);
      const { timeoutSeconds } = sizeOf(`tasks/${task}`);
      // Two turns on one range would wait for each other; other tasks are safe to run twice at
      // once.
      const isTurn = task?.endsWith('-range') ?? false;
      expect(limit, name).toBeGreaterThanOrEqual(timeoutSeconds + (isTurn ? 10 : 0));
    }
  });

  test('fans out inline, and never over more than 40 at once', () => {
    for (const { name, body } of states().filter(({ type }) => type === 'Map')) {
      expect(at(body, 'ItemProcessor', 'ProcessorConfig', 'Mode'), name).toBe('INLINE');
      expect(Object.keys(Object(at(body, 'ItemProcessor'))).sort(), name).toEqual([
        'ProcessorConfig',
        'StartAt',
        'States',
      ]);
      const concurrently = Number(at(body, 'MaxConcurrency'));
      expect(concurrently >= 1 && concurrently <= 40, name).toBe(true);
    }
  });

  test('never repeats our own permanent errors, and repeats all others with jitter', () => {
    for (const { name, body } of states().filter(({ type }) => type === 'Task')) {
      const [permanent, others] = listOf(at(body, 'Retry'));
      expect(permanent, name).toEqual({ ErrorEquals: ['PermanentError'], MaxAttempts: 0 });
      expect(others, name).toMatchObject({ ErrorEquals: ['States.ALL'], JitterStrategy: 'FULL' });
    }
  });
});

/** All states, those within Maps too. */
function states(container: unknown = JSON.parse(TEXT)): readonly State[] {
  return Object.entries(Object(at(container, 'States'))).flatMap(([name, body]) => {
    if (typeof body !== 'object' || body === null) throw new Error(`${name} is no state`);
    const state = { name, type: String(at(body, 'Type')), body };
    const processor = at(body, 'ItemProcessor');
    return processor === undefined ? [state] : [state, ...states(processor)];
  });
}

function expectOnly(value: unknown, fields: readonly string[], where: string): void {
  expect(
    Object.keys(Object(value)).filter((field) => !fields.includes(field)),
    where,
  ).toEqual([]);
}

/** `IsPresent: false` is read as `true` by the local interpreter: write `Not`. */
function expectRule(rule: unknown, where: string): void {
  expectOnly(rule, RULE, where);
  expect([undefined, true], where).toContain(at(rule, 'IsPresent'));
  for (const inner of [at(rule, 'Not'), ...listOf(at(rule, 'And')), ...listOf(at(rule, 'Or'))]) {
    if (inner !== undefined) expectRule(inner, where);
  }
}
