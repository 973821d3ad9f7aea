/**
 * The two roles that people take: one looks, the other also acts. Neither ever sees a shared secret; of a dataset they see
 * how many items there are, and under which partition keys. Who may take them is for the account's own policies to say.
 */
import {
  AccountRootPrincipal,
  type IManagedPolicy,
  ManagedPolicy,
  type PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { arnOf, type Deployment } from './deployment.ts';
import { logPatterns } from './log-groups.ts';
import { suppressNag } from './nag-suppressions.ts';
import { acting, counting, looking } from './operator-rights.ts';
import { inline, managed } from './policy-size.ts';

export interface OperatorsProps {
  readonly deployment: Deployment;
  /** What both may do beside, because only the stack knows the resource. */
  readonly statements: readonly PolicyStatement[];
}

export class Operators extends Construct {
  readonly read: Role;
  readonly act: Role;

  constructor(scope: Construct, id: string, { deployment, statements }: OperatorsProps) {
    super(scope, id);
    // Of datasets, by a policy of their own: it grows with the parts.
    const ofDatasets = managed('operator-read', counting(deployment)).map(
      (document, index) => new ManagedPolicy(this, `Datasets${index}`, { document }),
    );
    this.read = this.role(
      deployment,
      'operator-read',
      'Sees where each tenant and each migration is',
      [...looking(deployment), ...statements],
      ofDatasets,
    );
    this.act = this.role(
      deployment,
      'operator-act',
      'Sees the same, changes settings, and retries or cancels migrations',
      [...looking(deployment), ...statements, ...acting(deployment)],
      ofDatasets,
    );
  }

  private role(
    deployment: Deployment,
    name: string,
    description: string,
    statements: readonly PolicyStatement[],
    managedPolicies: IManagedPolicy[],
  ): Role {
    const { prefix, stateMachine } = deployment.names;
    const role = new Role(this, name, {
      roleName: `${prefix}-${name}`,
      description,
      assumedBy: new AccountRootPrincipal(),
      inlinePolicies: { own: inline(name, statements) },
      managedPolicies,
    });
    suppressNag(
      role,
      starIn(deployment, 'states', `execution:${stateMachine}:*`),
      'Executions are named by what they do: whoever looks after a machine looks at all of them.',
    );
    for (const pattern of logPatterns(deployment).filter((one) => one.endsWith('*')))
      suppressNag(
        role,
        starIn(deployment, 'logs', `log-group:${pattern}`),
        'The logs of this realm, and of no other; nothing secret is in them.',
      );
    suppressNag(
      role,
      'AwsSolutions-IAM5[Resource::*]',
      'Limits of an account, lists of alarms, metrics, saved queries and results of queries know no resource.',
    );
    return role;
  }
}

/** cdk-nag's name for a star in a resource, with its own way to write what only a deployment knows. */
const starIn = ({ region }: Deployment, service: string, resource: string): string =>
  `AwsSolutions-IAM5[Resource::${arnOf(region, service, resource, '<AWS::Partition>', '<AWS::AccountId>')}]`;
