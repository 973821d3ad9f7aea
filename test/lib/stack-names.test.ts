/** The names that `preflight` looks for are those that the stacks take. */
import { beforeAll, describe, expect, test } from 'vitest';
import { deployedIn } from '../../lambdas/domain/deployed-realms.ts';
import { type StackNames, stackNames } from '../../lib/operator/preflight/names.ts';
import { residency } from '../../residency.config.ts';
import { appOf, ofType, type RealmTemplate, synthesised } from '../support/templates.ts';

let de: RealmTemplate;
let names: StackNames;
beforeAll(() => {
  const app = appOf(residency, { stage: 'prod', realms: 'us,de' });
  const templates = synthesised(deployedIn(residency, 'us,de'), app);
  const found = templates.find(({ realm }) => realm === 'de');
  if (found === undefined) throw new Error('there is no stack of de');
  de = found;
  names = stackNames(residency, 'prod', 'de');
});

const named = (type: string, property: string) =>
  ofType(de, type)
    .map(({ Properties }) => String(Properties[property]))
    .sort();

describe('the names of a stack', () => {
  test.each<[string, string, () => readonly string[]]>([
    ['AWS::IAM::Role', 'RoleName', () => names.roles],
    ['AWS::DynamoDB::Table', 'TableName', () => names.tables],
    ['AWS::Logs::LogGroup', 'LogGroupName', () => names.logGroups],
    ['AWS::StepFunctions::StateMachine', 'StateMachineName', () => [names.stateMachine]],
    ['AWS::KMS::Alias', 'AliasName', () => [names.receiptKey]],
  ])('are all that its template gives to resources of type %s', (type, property, expected) => {
    expect(named(type, property)).toEqual([...expected()].sort());
  });

  test('have that of the guard’s policy', () => {
    const given = ofType(de, 'AWS::IAM::ManagedPolicy').flatMap(
      ({ Properties }) => Properties['ManagedPolicyName'] ?? [],
    );
    expect(given).toEqual([names.guardPolicy]);
  });

  test('go with as many managed policies as there are', () => {
    expect(names.managedPolicies).toBe(ofType(de, 'AWS::IAM::ManagedPolicy').length);
  });

  test('leave out tables of the vendor’s own, which must be there', () => {
    const own = residency.parts.map((part) =>
      part.name === 'templates' ? { ...part, tableName: () => 'theirs' } : part,
    );
    const { tables } = stackNames({ ...residency, parts: own }, 'prod', 'de');
    expect(tables).toHaveLength(names.tables.length - 1);
    expect(tables).not.toContain('theirs');
  });
});
