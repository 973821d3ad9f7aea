/**
 * The queue for events that EventBridge could not deliver, or whose function failed at every try.
 * Events of a schedule are not kept: the next tick of the schedule says the same.
 */
import { Duration } from 'aws-cdk-lib';
import { EventInvokeConfig, type IFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type Deployment, deadLettersName } from './deployment.ts';
import { suppressNag } from './nag-suppressions.ts';

export interface DeadLettersProps {
  readonly deployment: Deployment;
}

export class DeadLetters extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { deployment }: DeadLettersProps) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      queueName: deadLettersName(deployment.names),
      // An event holds ids of a tenant, a migration and an execution, and nothing secret: SQS's own
      // key is enough.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    suppressNag(this.queue, 'AwsSolutions-SQS3', 'It is the dead-letter queue of the others.');
  }

  /**
   * Keeps an event that the function failed at three times. The function's row in `grants.ts` lets
   * its role send to the queue.
   */
  keepEventsOf(lambda: IFunction): void {
    new EventInvokeConfig(this, idOf(lambda), {
      function: lambda,
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
      // SqsDestination would grant more than is used.
      onFailure: { bind: () => ({ destination: this.queue.queueArn }) },
    });
  }

  /**
   * Drops failed events without a second try, because the schedule calls the function again after
   * `every`.
   */
  dropEventsOf(lambda: IFunction, every: Duration): void {
    new EventInvokeConfig(this, idOf(lambda), {
      function: lambda,
      retryAttempts: 0,
      maxEventAge: every,
    });
  }
}

/** Names the config after the function's construct, whose id is its entry. */
const idOf = ({ node }: IFunction): string => `Of-${node.scope?.node.id.replace('/', '-')}`;
