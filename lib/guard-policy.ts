/**
 * What the role of an app outside these stacks needs to ask the guard: a managed policy that the
 * vendor attaches to it. The role must be called `{name}-{stage}-{realm}-…`, so that the realm's
 * key lets it in. docs/guard.md has the same statement.
 */
import { CfnOutput } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { VERDICT_ATTRIBUTES } from '../lambdas/domain/tenants/verdict.ts';
import { arnOf, type Deployment } from './deployment.ts';

export class GuardPolicy extends Construct {
  constructor(scope: Construct, id: string, { region, names }: Deployment) {
    super(scope, id);
    const policy = new ManagedPolicy(this, 'Policy', {
      managedPolicyName: `${names.prefix}-guard`,
      description: 'Lets an app outside this stack ask which state a tenant has in this realm',
      statements: [
        // A request that does not name its attributes, or names the secret, is refused.
        new PolicyStatement({
          actions: ['dynamodb:GetItem'],
          resources: [arnOf(region, 'dynamodb', `table/${names.tenants}`)],
          conditions: {
            'ForAllValues:StringEquals': { 'dynamodb:Attributes': [...VERDICT_ATTRIBUTES] },
            Null: { 'dynamodb:Attributes': 'false' },
          },
        }),
      ],
    });
    new CfnOutput(scope, 'GuardPolicy', {
      description: 'For the role of an app outside this stack that asks the guard',
      value: policy.managedPolicyArn,
    });
  }
}
