/** The part of Step Functions that a start needs: each name is taken for ever, by one input. */
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

export interface StandInExecution {
  readonly machine: string;
  readonly name: string;
  readonly input: string;
  isRunning: boolean;
}

export async function startStatesStandIn() {
  const executions = new Map<string, StandInExecution>();
  let isReachable = true;

  /** `ExecutionAlreadyExists`, unless the same execution runs. */
  function begin(request: Readonly<Record<string, unknown>>): boolean {
    const [machine, name, input] = [
      request['stateMachineArn'],
      request['name'],
      request['input'],
    ].map(String);
    if (machine === undefined || name === undefined || input === undefined) return false;
    const found = executions.get(`${machine} ${name}`);
    if (found) return found.isRunning && found.input === input;
    executions.set(`${machine} ${name}`, { machine, name, input, isRunning: true });
    return true;
  }

  const server = createServer(async (request, response) => {
    const body: unknown = JSON.parse(await text(request));
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    if (!isReachable) {
      response.statusCode = 400;
      response.end(JSON.stringify({ __type: 'AccessDeniedException', message: 'unreachable' }));
    } else if (begin({ ...(typeof body === 'object' ? body : {}) })) {
      response.end(JSON.stringify({ executionArn: 'arn:aws:states:::execution', startDate: 1 }));
    } else {
      response.statusCode = 400;
      response.end(JSON.stringify({ __type: 'ExecutionAlreadyExists', message: 'it exists' }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();

  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    executions,
    setReachable(to: boolean): void {
      isReachable = to;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
