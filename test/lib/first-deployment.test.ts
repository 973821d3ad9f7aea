/**
 * A first deployment that fails can be tried again: it leaves nothing behind, and nothing refuses
 * to be deleted. Resources that outlive their stack can be imported into the next one.
 */
import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec';
import type { App, Stack } from 'aws-cdk-lib';
import { beforeAll, describe, expect, test } from 'vitest';
import { defineResidency } from '../../lambdas/domain/residency.ts';
import { residency } from '../../residency.config.ts';
import { textOf } from '../support/policies.ts';
import { appOf, ofType, type RealmTemplate, synthesised } from '../support/templates.ts';

/** `us` is deployed and protected; `de` has just been added. */
const grown = {
  ...residency,
  realms: [
    { realm: 'us', region: 'us-east-1', isProtected: true },
    { realm: 'de', region: 'eu-central-1' },
  ],
};
const PATIENCE = 120_000;

let app: App;
let us: RealmTemplate;
let de: RealmTemplate;
beforeAll(() => {
  app = appOf(grown, { stage: 'prod' });
  const [first, second] = synthesised(grown, app);
  if (first === undefined || second === undefined) throw new Error('there are no two stacks');
  [us, de] = [first, second];
}, PATIENCE);

const outliving = ({ resources }: RealmTemplate) =>
  Object.values(resources).filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith('Retain'));
const isProtected = (template: RealmTemplate): readonly unknown[] =>
  ofType(template, 'AWS::DynamoDB::Table').map((t) => t.Properties['DeletionProtectionEnabled']);
const stackOf = (realm: string): Stack | undefined =>
  app.node
    .findAll()
    .find(
      (construct): construct is Stack =>
        'terminationProtection' in construct && construct.node.id === `residency-${realm}`,
    );

describe('what outlives its stack in production', () => {
  test('does not outlive the rollback of the deployment that created it', () => {
    for (const template of [us, de]) {
      const kept = outliving(template);
      expect(kept.length).toBeGreaterThan(40); // tables, logs, the key
      const policies = kept.map((r) => [r.DeletionPolicy, r.UpdateReplacePolicy].join());
      expect(new Set(policies)).toEqual(new Set(['RetainExceptOnCreate,Retain']));
    }
  });

  test(
    'can be imported by its name, all but the key',
    async () => {
      const spec = await loadAwsServiceSpec();
      const importable = (type: string): boolean => {
        const { primaryIdentifier = [], attributes } = spec
          .lookup('resource', 'cloudFormationType', 'equals', type)
          .only();
        // A template cannot name a resource whose id only AWS gives.
        return (
          primaryIdentifier.length > 0 && !primaryIdentifier.some((name) => name in attributes)
        );
      };
      expect(importable('AWS::StepFunctions::StateMachine')).toBe(false);
      const types = new Set([us, de].flatMap(outliving).map(({ Type }) => Type));
      expect(types).toContain('AWS::DynamoDB::Table');
      expect(types).toContain('AWS::Logs::LogGroup');
      // What the key has encrypted cannot be read without it.
      expect([...types].filter((type) => !importable(type))).toEqual(['AWS::KMS::Key']);
    },
    PATIENCE,
  );

  test('has the name that it is imported by', () => {
    // The policy of a bucket has no name of its own.
    const named = outliving(us).filter(
      ({ Type }) => Type !== 'AWS::KMS::Key' && Type !== 'AWS::S3::BucketPolicy',
    );
    for (const { Type, Properties } of named) {
      const { TableName, LogGroupName, BucketName } = Properties;
      const name = TableName ?? LogGroupName ?? textOf(us, BucketName);
      expect(name, Type).toMatch(/residency-prod-us\b/);
    }
  });
});

describe('protection from deletion', () => {
  test('is left out until a realm is said to be deployed', () => {
    expect(isProtected(de)).toEqual([false, false, false, false, false]);
    expect(stackOf('de')?.terminationProtection).toBe(false);
  });

  test('is of the tables and the stack of a realm that is', () => {
    expect(isProtected(us)).toEqual([true, true, true, true, true]);
    expect(stackOf('us')?.terminationProtection).toBe(true);
  });

  test('is of production alone', () => {
    const [dev] = synthesised(grown, appOf(grown, { stage: 'dev' }));
    expect(dev && isProtected(dev)).toEqual([false, false, false, false, false]);
  });

  test('is true or false', () => {
    const odd: unknown = 'yes';
    const realms = [{ realm: 'us', region: 'us-east-1', isProtected: odd as boolean }];
    expect(() => defineResidency({ ...residency, realms })).toThrow(
      'realm "us": isProtected is true or false',
    );
  });
});
