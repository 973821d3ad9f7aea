/**
 * Checks that a local host of this app listens on the given port, so that the error names a wrong
 * port.
 */
import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { errorNameOf, Failure } from './terminal/failure.ts';

/** Throws a sentence that names the port. */
export async function assertHost(
  client: DynamoDBClient,
  port: number,
  tableName: string,
): Promise<void> {
  try {
    await client.send(new DescribeTableCommand({ TableName: tableName }));
  } catch (error) {
    const name = errorNameOf(error);
    if (name === 'ECONNREFUSED')
      throw new Failure(
        `nothing answers on port ${port} of this machine: is the local host up (npm run local), and is that its first port?`,
      );
    if (name === 'ResourceNotFoundException')
      throw new Failure(`what answers on port ${port} is a database without this app's tables`);
    if (name === 'TimeoutError')
      throw new Failure(`port ${port} takes connections, and does not answer in time`);
    throw new Failure(
      `what answers on port ${port} is not a local host: --local takes its first port, that of DynamoDB`,
    );
  }
}
