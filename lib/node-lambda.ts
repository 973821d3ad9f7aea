/** One Lambda with its role and its log, all three with deterministic names. */
import { Duration } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { objectWildcards } from './bucket-policies.ts';
import { dependLess } from './dependencies.ts';
import { type Deployment, removalOf } from './deployment.ts';
import { ROUTE_ENTRIES, sizeOf, wordOf } from './entries.ts';
import { lambdaLog } from './log-groups.ts';
import { suppressNag } from './nag-suppressions.ts';
import { otherDocuments, ownStatements } from './policies.ts';
import { inline } from './policy-size.ts';

export interface NodeLambdaProps {
  readonly deployment: Deployment;
  /** File below `lambdas/`: `hooks/start`. */
  readonly entry: string;
  /** The folder that holds the bundles of all entries. */
  readonly code: Code;
  /** Environment variables that only this function has. */
  readonly variables?: Readonly<Record<string, string>>;
  /**
   * Statements beside the function's row in `grants.ts`, for resources that only the stack knows.
   */
  readonly statements?: readonly PolicyStatement[];
}

export class NodeLambda extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;

  constructor(
    scope: Construct,
    id: string,
    { deployment, entry, code, variables = {}, statements = [] }: NodeLambdaProps,
  ) {
    super(scope, id);
    const { names, environment, reservedConcurrency } = deployment;
    const name = names.lambda(wordOf(entry));
    const { timeoutSeconds, memoryMb } = sizeOf(entry);

    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: lambdaLog(deployment, entry),
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: removalOf(deployment),
    });

    const role = new Role(this, 'Role', {
      roleName: name,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        own: inline(entry, [
          // The stack creates the group, so the function has no right to create one.
          new PolicyStatement({
            actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
            resources: [this.logGroup.logGroupArn],
          }),
          ...ownStatements(deployment, entry),
          ...statements,
        ]),
      },
      managedPolicies: otherDocuments(deployment, entry).map(
        (document, index) => new ManagedPolicy(this, `OtherRealms${index}`, { document }),
      ),
    });

    this.function = new LambdaFunction(this, 'Function', {
      functionName: name,
      description: entry,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code,
      handler: `${entry}.handler`,
      timeout: Duration.seconds(timeoutSeconds),
      memorySize: memoryMb,
      ...(reservedConcurrency !== undefined &&
        ROUTE_ENTRIES.includes(entry) && { reservedConcurrentExecutions: reservedConcurrency }),
      environment: { ...environment, ...variables },
      role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
    });
    dependLess(this.function);
    for (const rule of objectWildcards(deployment))
      suppressNag(this, rule, 'Every tenant has objects in the bucket, under a prefix of its own.');
  }
}
