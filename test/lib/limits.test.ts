/**
 * Limits that keep one kind of load from blocking another: throttles per route, reserved
 * concurrency, ranges at once.
 */
import { describe, expect, test } from 'vitest';
import { MOST_CONCURRENCY } from '../../lambdas/domain/operating/settings.ts';
import { ROUTE_ENTRIES } from '../../lib/entries.ts';
import { ROUTES } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import { at, type Context, ofType, type RealmTemplate, templatesOf } from '../support/templates.ts';

const oneRealm = { ...residency, realms: residency.realms.slice(0, 1) };

function templateWith(context: Context = {}): RealmTemplate {
  const [template] = templatesOf(oneRealm, context);
  if (template === undefined) throw new Error('there is no template');
  return template;
}

/** The functions with a reservation, by their entry. */
const reserved = (template: RealmTemplate) =>
  Object.fromEntries(
    ofType(template, 'AWS::Lambda::Function')
      .filter(({ Properties }) => Properties['ReservedConcurrentExecutions'] !== undefined)
      .map(({ Properties }) => [
        String(Properties['Handler']).replace(/\.handler$/, ''),
        Properties['ReservedConcurrentExecutions'],
      ]),
  );

const mapWidths = (template: RealmTemplate): readonly number[] => {
  const [machine] = ofType(template, 'AWS::StepFunctions::StateMachine');
  const text = JSON.stringify(machine?.Properties['DefinitionString']);
  return [...text.matchAll(/MaxConcurrency\\*": ?(\d+)/g)].map(([, width]) => Number(width));
};

describe('a flood on one route', () => {
  test('meets a throttle of that route, and no throttle is shared', () => {
    const [stage] = ofType(templateWith(), 'AWS::ApiGatewayV2::Stage');
    const settings = Object(stage?.Properties['RouteSettings']);
    expect(Object.keys(settings)).toHaveLength(ROUTES.length);
    for (const { method, path } of ROUTES) {
      expect(at(settings, `${method} ${path}`, 'ThrottlingRateLimit')).toBeGreaterThan(0);
      expect(at(settings, `${method} ${path}`, 'ThrottlingBurstLimit')).toBeGreaterThan(0);
    }
    expect(stage?.Properties['DefaultRouteSettings']).toBeUndefined();
  });

  test('leaves each hook room for Atlassian’s three tries, for a window full of moves', () => {
    const hooks = ROUTES.filter(({ scheme }) => scheme === 'connect-jwt');
    for (const { throttle } of hooks)
      expect(throttle.burst).toBeGreaterThanOrEqual(residency.maxOverlappingMigrations);
  });

  test('takes the hooks of 200 tenants within a second, through either door', () => {
    const words = ['schedule', 'start', 'status', 'commit', 'rollback'].map(
      (word) => `hooks/${word}`,
    );
    const hooks = ROUTES.filter(({ entry }) => words.includes(entry));
    expect(hooks).toHaveLength(10);
    for (const { throttle } of hooks) expect(throttle.burst).toBeGreaterThanOrEqual(200);
  });
});

describe('reserved concurrency', () => {
  test('is off unless it is asked for', () => {
    expect(reserved(templateWith())).toEqual({});
  });

  test('is of what answers HTTP, so that the workflow’s tasks have all the rest', () => {
    const wanted = Object.fromEntries(ROUTE_ENTRIES.map((entry) => [entry, 5]));
    expect(reserved(templateWith({ reservedConcurrency: '5' }))).toEqual(wanted);
  });

  test.each(['0', '1.5', 'many', '-1', '1001'])('is not %j', (reservedConcurrency) => {
    expect(() => templateWith({ reservedConcurrency })).toThrow('reservedConcurrency is');
  });
});

describe('the number of ranges at once', () => {
  const defaults = (template: RealmTemplate) => {
    const found = ofType(template, 'AWS::Lambda::Function').map(({ Properties }) =>
      at(Properties, 'Environment', 'Variables', 'CONCURRENCY'),
    );
    return [...new Set(found)];
  };

  test('may be set to as many as every Map runs at once', () => {
    expect(mapWidths(templateWith())).toEqual(Array(10).fill(MOST_CONCURRENCY));
    expect(defaults(templateWith())).toEqual([undefined]);
  });

  test('has another default where it was asked for, and the same bound', () => {
    const template = templateWith({ concurrency: '4' });
    expect(defaults(template)).toContain('4');
    expect(mapWidths(template)).toEqual(Array(10).fill(MOST_CONCURRENCY));
  });

  test.each(['0', '41', '2.5', ''])('is not %j', (concurrency) => {
    expect(() => templateWith({ concurrency })).toThrow('concurrency is');
  });
});

describe('copying ahead', () => {
  /** Of the app's own functions; CDK adds others. */
  const switches = (template: RealmTemplate) =>
    new Set(
      ofType(template, 'AWS::Lambda::Function')
        .map(({ Properties }) => at(Properties, 'Environment', 'Variables'))
        .filter((variables) => at(variables, 'REALM') !== undefined)
        .map((variables) => at(variables, 'COPY_AHEAD')),
    );

  test('is left to the configuration, and switched off in every function where that was asked for', () => {
    expect([...switches(templateWith())]).toEqual([undefined]);
    expect([...switches(templateWith({ copyAhead: 'off' }))]).toEqual(['off']);
  });

  test.each(['on', '', 'OFF'])('is not %j', (copyAhead) => {
    expect(() => templateWith({ copyAhead })).toThrow('-c copyAhead=off');
  });
});
