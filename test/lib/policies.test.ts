/** What each role may do: what its row in grants.ts says, in documents that IAM accepts, and not a star more. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Part } from '../../lambdas/domain/datasets/dataset.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { ENTRIES } from '../../lib/entries.ts';
import { GRANTS } from '../../lib/grants.ts';
import { WORKFLOW_TASKS } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import {
  ACCOUNT,
  allowedCalls,
  documentsOf,
  isAllowed,
  readDocument,
  type Statement,
  statementsOf,
  textOf,
} from '../support/policies.ts';
import { at, listOf, ofType, type RealmTemplate, templatesOf } from '../support/templates.ts';

/** Stars that cannot be avoided. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'kms:* on *':
    'a key policy speaks of its own key; without the account as administrator nobody could ever change it',
  'kms:Decrypt on *': 'a key policy speaks of its own key',
  'kms:DescribeKey on *': 'a key policy speaks of its own key',
  'kms:Encrypt on *': 'a key policy speaks of its own key',
  'kms:GenerateDataKey on *': 'a key policy speaks of its own key',
  'kms:GenerateDataKeyWithoutPlaintext on *': 'a key policy speaks of its own key',
  'kms:ReEncryptFrom on *': 'a key policy speaks of its own key',
  'kms:ReEncryptTo on *': 'a key policy speaks of its own key',
  'lambda:GetAccountSettings on *': 'an account has one limit in a region, and no name for it',
  'logs:CreateLogDelivery on *': 'log delivery of Step Functions knows no resource',
  'logs:DeleteLogDelivery on *': 'log delivery of Step Functions knows no resource',
  'logs:DescribeLogGroups on *': 'log delivery of Step Functions knows no resource',
  'logs:DescribeResourcePolicies on *': 'log delivery of Step Functions knows no resource',
  'logs:GetLogDelivery on *': 'log delivery of Step Functions knows no resource',
  'logs:ListLogDeliveries on *': 'log delivery of Step Functions knows no resource',
  'logs:PutResourcePolicy on *': 'log delivery of Step Functions knows no resource',
  'logs:UpdateLogDelivery on *': 'log delivery of Step Functions knows no resource',
};

let templates: readonly RealmTemplate[];
let us: RealmTemplate;

beforeAll(() => {
  templates = templatesOf(residency);
  us = first(templates);
});

describe('grants', () => {
  test('have a row for every Lambda, and no other row', () => {
    expect(Object.keys(GRANTS).sort()).toEqual([...ENTRIES].sort());
  });

  test('become exact actions on exact tables', () => {
    const table = (region: string, name: string) =>
      `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${name}`;
    const may = (entry: string, action: string, arn: string) => isAllowed(us, entry, action, arn);
    const theirs = table('eu-central-1', 'residency-dev-de-templates');
    expect(may('tasks/copy-range', 'dynamodb:Query', theirs)).toBe(true);
    expect(may('tasks/copy-range', 'dynamodb:BatchWriteItem', theirs)).toBe(false);
    expect(
      may('hooks/status', 'dynamodb:PutItem', table('us-east-1', 'residency-dev-us-migrations')),
    ).toBe(false);
    expect(
      may(
        'tasks/janitor',
        'dynamodb:Query',
        table('us-east-1', 'residency-dev-us-migrations/index/open'),
      ),
    ).toBe(true);
    expect(allowedCalls(us).filter(({ entry }) => entry === 'hooks/health')).toEqual([
      expect.objectContaining({ action: 'logs:CreateLogStream' }),
      expect.objectContaining({ action: 'logs:PutLogEvents' }),
    ]);
  });

  test('never let anyone write a dataset of another realm', () => {
    const foreignParts = (call: { resource: string }) =>
      /:table\/residency-dev-(?!us-)\w+-(templates|exports|previews)$/.test(call.resource);
    const actions = allowedCalls(us)
      .filter(foreignParts)
      .map(({ action }) => action);
    expect(new Set(actions)).toEqual(new Set(['dynamodb:Query']));
  });
});

describe('policies', () => {
  test('have no star that is not explained', () => {
    const stars = templates.flatMap((template) =>
      allStatements(template).flatMap(({ actions, resources }) =>
        actions.flatMap((action) =>
          resources
            .filter((resource) => action.includes('*') || resource === '*')
            .map((resource) => `${action} on ${resource}`),
        ),
      ),
    );
    expect([...new Set(stars)].sort()).toEqual(Object.keys(EXCEPTIONS).sort());
  });

  test('leave the use of keys to the key policy', () => {
    for (const template of templates) {
      const actions = rolesOf(template)
        .flatMap((role) => allowedTo(template, role))
        .flatMap((statement) => statement.actions);
      expect(actions.filter((action) => action.startsWith('kms:'))).toEqual([]);
      const [key] = ofType(template, 'AWS::KMS::Key');
      const [, use] = listOf(at(key?.Properties['KeyPolicy'], 'Statement'));
      expect(textOf(template, at(use, 'Condition', 'StringEquals', 'kms:ViaService'))).toBe(
        `dynamodb.${template.region}.amazonaws.com`,
      );
      const patterns = listOf(at(use, 'Condition', 'ArnLike', 'aws:PrincipalArn'));
      expect(patterns.map((pattern) => textOf(template, pattern))).toEqual(
        residency.realms.map(
          ({ realm }) => `arn:aws:iam::${ACCOUNT}:role/residency-dev-${realm}-*`,
        ),
      );
    }
  });

  test('let the state machine invoke the Lambdas of its tasks, and nothing else', () => {
    for (const template of templates) {
      const [machine] = ofType(template, 'AWS::StepFunctions::StateMachine');
      const substitutions = Object.values(Object(machine?.Properties['DefinitionSubstitutions']));
      const inFile = substitutions.map((value) => textOf(template, value));
      const role = String(at(machine?.Properties['RoleArn'], 'Fn::GetAtt', 0));
      const invocable = statementsOf(template, role)
        .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
        .flatMap(({ resources }) => resources);
      expect(invocable.sort()).toEqual(inFile.sort());
      const existing = ofType(template, 'AWS::Lambda::Function')
        .filter(({ Properties }) => isWorkflowTask(String(Properties['Handler'])))
        .map(
          ({ Properties }) =>
            `arn:aws:lambda:${template.region}:${ACCOUNT}:function:${Properties['FunctionName']}`,
        );
      expect(invocable).toEqual(existing.sort());
    }
  });

  test('fit into what IAM accepts at 11 realms and 12 parts', () => {
    for (const template of templatesOf(large(), { stage: 'staging' })) {
      for (const role of rolesOf(template)) {
        const documents = documentsOf(template, role);
        const sizes = (kind: string) =>
          documents.filter((d) => d.kind === kind).map((d) => sizeOf(template, d.document));
        expect(
          sizes('inline').reduce((sum, size) => sum + size, 0),
          role,
        ).toBeLessThan(10_240);
        expect(sizes('managed').length, role).toBeLessThanOrEqual(10);
        for (const size of sizes('managed')) expect(size, role).toBeLessThanOrEqual(6144);
      }
      const [key] = ofType(template, 'AWS::KMS::Key');
      expect(sizeOf(template, key?.Properties['KeyPolicy'])).toBeLessThan(32_768);
      expect(Object.keys(template.resources).length).toBeLessThan(500);
      expect(JSON.stringify(template.resources).length).toBeLessThan(1_000_000);
    }
  });
});

/** As many realms as Atlassian has, and more parts than most apps. */
function large(): Residency {
  const realms = ['us', 'de', 'eu', 'au', 'sg', 'ca', 'ch', 'gb', 'in', 'jp', 'kr'];
  const more: Part[] = Array.from({ length: 12 - residency.parts.length }, (_, index) => ({
    kind: 'dynamodb',
    name: `a-part-with-a-long-name-${index}`,
    policy: 'move',
    partitionKey: 'tenant',
    sortKey: { name: 'id', type: 'S' },
  }));
  return {
    ...residency,
    realms: realms.map((realm, index) => ({
      realm,
      region: residency.realms[index]?.region ?? `ap-southeast-${index}`,
    })),
    parts: [...residency.parts, ...more],
  };
}

const rolesOf = ({ resources }: RealmTemplate): readonly string[] =>
  Object.keys(resources).filter((id) => resources[id]?.Type === 'AWS::IAM::Role');

/** The conditional ones too, which people's roles have. */
const allowedTo = (template: RealmTemplate, role: string): readonly Statement[] =>
  documentsOf(template, role).flatMap(({ document }) => readDocument(template, document));

/** Of roles and of keys. */
function allStatements(template: RealmTemplate): readonly Statement[] {
  const keyPolicies = ofType(template, 'AWS::KMS::Key').map((key) => key.Properties['KeyPolicy']);
  return [
    ...rolesOf(template).flatMap((role) => allowedTo(template, role)),
    ...keyPolicies.flatMap((document) => readDocument(template, document)),
  ];
}

const isWorkflowTask = (handler: string): boolean =>
  WORKFLOW_TASKS.some((task) => handler === `tasks/${task}.handler`);

/** As IAM counts: without white space, and with every reference resolved. */
function sizeOf(template: RealmTemplate, document: unknown): number {
  const resolved = JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'object' && value !== null && ('Fn::Join' in value || 'Fn::GetAtt' in value)
      ? textOf(template, value)
      : value,
  );
  return resolved.replaceAll(/\s/g, '').length;
}

function first(all: readonly RealmTemplate[]): RealmTemplate {
  const [template] = all;
  if (template === undefined) throw new Error('there is no template');
  return template;
}
