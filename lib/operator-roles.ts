/**
 * The three roles that operators take. One reads; one reads and acts on migrations; one imports and
 * retires tenants. None sees a shared secret. Of a dataset, all see how many items there are and
 * under which partition keys. The account's own policies say who may take the roles.
 */
import {
  AccountRootPrincipal,
  ManagedPolicy,
  type PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { arnOf, type Deployment } from './deployment.ts';
import { logPatterns } from './log-groups.ts';
import { suppressNag } from './nag-suppressions.ts';
import { acting, bringing, counting, looking } from './operator-rights.ts';
import { inline, managed } from './policy-size.ts';

export interface OperatorsProps {
  readonly deployment: Deployment;
  /** Statements of the two roles that read, for resources that only the stack knows. */
  readonly statements: readonly PolicyStatement[];
}

export class Operators extends Construct {
  readonly read: Role;
  readonly act: Role;
  readonly tenants: Role;

  constructor(scope: Construct, id: string, { deployment, statements }: OperatorsProps) {
    super(scope, id);
    // The statements on datasets have managed policies of their own, because they grow with the
    // number of parts.
    const ofDatasets = managed('operator-read', counting(deployment)).map(
      (document, index) => new ManagedPolicy(this, `Datasets${index}`, { document }),
    );
    const role = (name: string, description: string, own: readonly PolicyStatement[]) =>
      new Role(this, name, {
        roleName: `${deployment.names.prefix}-${name}`,
        description,
        assumedBy: new AccountRootPrincipal(),
        inlinePolicies: { own: inline(name, own) },
        managedPolicies: ofDatasets,
      });
    this.read = role('operator-read', 'Sees where each tenant and each migration is', [
      ...looking(deployment),
      ...statements,
    ]);
    this.act = role(
      'operator-act',
      'Sees the same, changes settings, and retries or cancels migrations',
      [...looking(deployment), ...statements, ...acting(deployment)],
    );
    this.tenants = role(
      'operator-tenants',
      'Imports tenants that exist already, and retires those that are gone',
      bringing(deployment),
    );
    for (const one of [this.read, this.act]) explainStars(one, deployment);
  }
}

function explainStars(role: Role, deployment: Deployment): void {
  suppressNag(
    role,
    starIn(deployment, 'states', `execution:${deployment.names.stateMachine}:*`),
    'Execution names say what is moved: an operator of a state machine looks at all its executions.',
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
    'Account limits, lists of alarms, metrics, saved queries and query results cannot be limited to a resource.',
  );
}

/**
 * cdk-nag's name for a star in a resource; it writes values that are known only at deployment in
 * its own way.
 */
const starIn = ({ region }: Deployment, service: string, resource: string): string =>
  `AwsSolutions-IAM5[Resource::${arnOf(region, service, resource, '<AWS::Partition>', '<AWS::AccountId>')}]`;
