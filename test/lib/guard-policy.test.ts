/**
 * The rights of an app outside these stacks: the stack makes what the manual says, and examples ask
 * for no more.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VERDICT_ATTRIBUTES } from '../../lambdas/domain/tenants/verdict.ts';
import { residency } from '../../residency.config.ts';
import { textOf } from '../support/policies.ts';
import { at, listOf, templatesOf } from '../support/templates.ts';

const page = readFileSync(new URL('../../docs/guard.md', import.meta.url), 'utf8');
const printed = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '');

test.each(templatesOf(residency))(
  'realm $realm has the policy that docs/guard.md prints',
  (template) => {
    const { realm, resources } = template;
    const name = `residency-dev-${realm}-guard`;
    const policy = Object.values(resources).find(
      ({ Properties }) => Properties['ManagedPolicyName'] === name,
    );
    const [statement, ...others] = listOf(at(policy?.Properties['PolicyDocument'], 'Statement'));
    expect(others).toEqual([]);
    const { Resource: resource, ...rest } = Object(statement);
    expect(textOf(template, resource)).toMatch(
      new RegExp(`^arn:aws:dynamodb:[a-z0-9-]+:\\d+:table/residency-dev-${realm}-tenants$`),
    );
    const { Resource: _, ...said } = printed;
    expect(rest).toEqual(said);
  },
);

test('neither the secret nor the table’s other attributes are in it', () => {
  expect(VERDICT_ATTRIBUTES).not.toContain('sharedSecret');
  expect(printed.Condition['ForAllValues:StringEquals']['dynamodb:Attributes']).toEqual([
    ...VERDICT_ATTRIBUTES,
  ]);
});

test('the examples for other languages read attributes that it allows', () => {
  const lists = [...page.matchAll(/READ = ['"]([^'"]+)['"]/g)].map(([, list = '']) => list);
  expect(lists).toHaveLength(2);
  for (const list of lists)
    for (const name of list.split(', '))
      expect(VERDICT_ATTRIBUTES).toContain(name === '#state' ? 'state' : name);
});
