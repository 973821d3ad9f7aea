/**
 * The state machine of a realm, and the functions that EventBridge calls: `settle` when an
 * execution failed, others by schedule.
 */
import { readFileSync } from 'node:fs';
import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';
import { dependLess } from './dependencies.ts';
import { type Deployment, lambdaArn, removalOf, stateMachineArn } from './deployment.ts';
import { workflowLog } from './log-groups.ts';
import { suppressNag } from './nag-suppressions.ts';
import { SCHEDULES, substitutionOf, WORKFLOW_TASKS } from './routes.ts';

export interface WorkflowProps {
  readonly deployment: Deployment;
  readonly settle: IFunction;
  readonly lambdaOf: (entry: string) => IFunction;
  readonly deadLetters: DeadLetters;
}

const DEFINITION = new URL('./realm-migration.asl.json', import.meta.url);
const BAD_ENDS = ['FAILED', 'TIMED_OUT', 'ABORTED'];

export class Workflow extends Construct {
  readonly stateMachine: StateMachine;
  readonly logGroup: LogGroup;
  /** Name of the rule that matches executions which failed, timed out or were aborted. */
  readonly failureRule: string;

  constructor(
    scope: Construct,
    id: string,
    { deployment, settle, lambdaOf, deadLetters }: WorkflowProps,
  ) {
    super(scope, id);
    const { names } = deployment;
    const tasks = WORKFLOW_TASKS.map((task) => ({
      task,
      arn: lambdaArn(deployment, `tasks/${task}`),
    }));

    const role = new Role(this, 'Role', {
      roleName: names.stateMachine,
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
      // Written out, because CDK grants nothing for a definition that is text.
      inlinePolicies: {
        tasks: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['lambda:InvokeFunction'],
              resources: tasks.map(({ arn }) => arn),
            }),
          ],
        }),
      },
    });

    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: workflowLog(deployment),
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: removalOf(deployment),
    });
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: names.stateMachine,
      definitionBody: DefinitionBody.fromString(definition()),
      definitionSubstitutions: Object.fromEntries(
        tasks.map(({ task, arn }) => [substitutionOf(task), arn]),
      ),
      role,
      logs: {
        destination: this.logGroup,
        level: LogLevel.ALL,
        includeExecutionData: false,
      },
      // The state machine is deleted with its stack in every stage: everything in it is also in the
      // ledger and in the log, and it cannot be imported.
    });
    dependLess(this.stateMachine, [role.node.tryFindChild('DefaultPolicy')]);
    suppressNag(
      role,
      'AwsSolutions-IAM5[Resource::*]',
      'Log delivery of Step Functions knows no resource but "*".',
    );
    suppressNag(
      this.stateMachine,
      'AwsSolutions-SF2',
      'A move spans two regions and HTTP APIs have no X-Ray: logs are joined by migrationId instead.',
    );

    this.failureRule = `${names.stateMachine}-failed`;
    new Rule(this, 'FailedExecution', {
      ruleName: this.failureRule,
      description:
        'Writes the failure of an execution into the ledger, or starts the next attempt.',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { status: BAD_ENDS, stateMachineArn: [stateMachineArn(deployment)] },
      },
      targets: [
        new LambdaTarget(settle, {
          retryAttempts: 10,
          maxEventAge: Duration.hours(1),
          deadLetterQueue: deadLetters.queue,
        }),
      ],
    });
    deadLetters.keepEventsOf(settle);

    for (const { task, minutes, does } of SCHEDULES) {
      const every = Duration.minutes(minutes);
      const target = lambdaOf(`tasks/${task}`);
      new Rule(this, `Every-${task}`, {
        ruleName: `${names.prefix}-${task}`,
        description: does,
        schedule: Schedule.rate(every),
        targets: [new LambdaTarget(target, { retryAttempts: 0, maxEventAge: every })],
      });
      deadLetters.dropEventsOf(target, every);
    }
  }
}

/** The file without its indentation. */
const definition = (): string => JSON.stringify(JSON.parse(readFileSync(DEFINITION, 'utf8')));
