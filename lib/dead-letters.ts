/**
 * Where events go that EventBridge could not deliver, or whose function failed at every try. Only those that say something
 * new are kept: of a tick of a schedule, the next one says as much.
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
      // Ids of a tenant, a migration and an execution are in an event, and nothing secret: SQS's own key will do.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    suppressNag(this.queue, 'AwsSolutions-SQS3', 'It is the dead-letter queue of the others.');
  }

  /** What the function cannot do with three tries is kept. Its role may send to the queue by its row in `grants.ts`. */
  keepEventsOf(lambda: IFunction): void {
    new EventInvokeConfig(this, idOf(lambda), {
      function: lambda,
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
      // Not an SqsDestination, which would grant more than is used.
      onFailure: { bind: () => ({ destination: this.queue.queueArn }) },
    });
  }

  /** Called again before long anyway: no second try, and nothing is kept. */
  dropEventsOf(lambda: IFunction, every: Duration): void {
    new EventInvokeConfig(this, idOf(lambda), {
      function: lambda,
      retryAttempts: 0,
      maxEventAge: every,
    });
  }
}

/** By the function's construct, which is called after its entry. */
const idOf = ({ node }: IFunction): string => `Of-${node.scope?.node.id.replace('/', '-')}`;
