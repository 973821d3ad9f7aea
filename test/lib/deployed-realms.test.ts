/** `cdk -c realms=us,de`: two of the five stacks, which do not know the other three. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { deployedIn } from '../../lambdas/domain/deployed-realms.ts';
import { keptRealms } from '../../lib/kept-context.ts';
import { residency } from '../../residency.config.ts';
import { appOf, at, ofType, type RealmTemplate, synthesised } from '../support/templates.ts';

let templates: readonly RealmTemplate[];
let names: readonly string[];
beforeAll(() => {
  const app = appOf(residency, { stage: 'prod', realms: 'us,de' });
  templates = synthesised(deployedIn(residency, 'us,de'), app);
  names = app
    .synth()
    .stacks.map(({ stackName }) => stackName)
    .sort();
});

describe('a deployment of two of five realms', () => {
  test('has two stacks', () => {
    expect(names).toEqual(['residency-prod-de', 'residency-prod-us']);
  });

  test('names no other realm and no other region: not in a policy, a key, a dashboard or a variable', () => {
    for (const { resources } of templates) {
      const text = JSON.stringify(resources);
      expect(text).not.toMatch(/residency-prod-(eu|au|sg)\b/);
      expect(text).not.toMatch(/eu-west-1|ap-southeast-[12]/);
      expect(text).toContain('residency-prod-de-tenants');
    }
  });

  test('tells every function which realms there are', () => {
    for (const template of templates)
      for (const { Properties } of ofType(template, 'AWS::Lambda::Function'))
        expect(at(Properties, 'Environment', 'Variables', 'REALMS')).toBe('us,de');
  });
});

test('a deployment that leaves its default realm out is refused', () => {
  expect(() => appOf(residency, { realms: 'de' })).toThrow('realms leaves out the default realm');
});

describe('the realms that cdk.json keeps', () => {
  const written = (content: unknown): URL => {
    const file = join(mkdtempSync(join(tmpdir(), 'residency-')), 'cdk.json');
    writeFileSync(file, JSON.stringify(content));
    return pathToFileURL(file);
  };

  test.each([
    [{ context: { realms: 'us,de' } }, 'us,de'],
    [{ context: { realms: ['us', 'de'] } }, 'us,de'],
    [{ context: {} }, undefined],
    [{}, undefined],
  ])('%j', (content, realms) => {
    expect(keptRealms(written(content))).toBe(realms);
  });
});
