/** Step Functions on one HTTP port: the state machines of all realms, told apart by ARN. */
import { randomUUID } from 'node:crypto';

import type { Realm } from '../../../lambdas/domain/realm.ts';
import { awsRefusal, listenOn, localServer, Refused, stop, textOf } from '../http.ts';
import { readDefinition } from './definition.ts';
import type { Execution } from './execution.ts';

import { type Machine, type MachineOptions, StatesError, stateMachine } from './state-machine.ts';

export interface WorkflowRunnerOptions {
  readonly machines: readonly MachineOptions[];
  /** 0 or `undefined` takes any free port. */
  readonly port?: number;
  /** ASL text; the file that CDK deploys where it is left out. */
  readonly definition?: string;
  /** Divides the waiting time of every retrier. */
  readonly retrySpeed?: number;
}

export interface WorkflowRunner {
  readonly url: string;
  /** Newest first. */
  executions(realm: Realm): readonly Execution[];
  close(): Promise<void>;
}

type Request = Readonly<Record<string, unknown>>;

const TYPES = ['application/x-amz-json-1.0', 'application/json'];
/** The limit of Step Functions. */
const MAX_REQUEST_BYTES = 1024 * 1024;

function requestOf(text: string): Request {
  const request = jsonOr(text || '{}');
  if (typeof request !== 'object' || request === null || Array.isArray(request))
    throw new Refused(400, 'a request is a JSON object');
  return { ...request };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export async function startWorkflowRunner(options: WorkflowRunnerOptions): Promise<WorkflowRunner> {
  const definition = readDefinition(options.definition, options.retrySpeed);
  const machines = options.machines.map((machine) => stateMachine(definition, machine));

  const server = localServer(
    async (request, response) => {
      const operation = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.setHeader('x-amzn-requestid', randomUUID());
      const asked = requestOf(await textOf(request, MAX_REQUEST_BYTES));
      try {
        response.end(JSON.stringify(answer(machines, operation, asked)));
      } catch (error) {
        if (!(error instanceof StatesError)) throw error;
        response.statusCode = 400;
        response.end(JSON.stringify({ __type: error.name, message: error.message }));
      }
    },
    { types: TYPES, say: awsRefusal('SerializationException') },
  );
  const port = await listenOn(server, options.port ?? 0);

  return {
    url: `http://127.0.0.1:${port}`,
    executions: (realm) => machines.find((machine) => machine.realm === realm)?.list() ?? [],
    async close() {
      await Promise.all(machines.map((machine) => machine.close()));
      await stop(server);
    },
  };
}

function answer(machines: readonly Machine[], operation: string, request: Request): unknown {
  switch (operation) {
    case 'StartExecution': {
      const name = request['name'] === undefined ? randomUUID() : text(request, 'name');
      const input = request['input'] === undefined ? '{}' : text(request, 'input');
      const execution = machineOf(machines, text(request, 'stateMachineArn')).start(name, input);
      return { executionArn: execution.arn, startDate: execution.startDate / 1000 };
    }
    case 'DescribeExecution': {
      const { machine, name } = executionOf(machines, text(request, 'executionArn'));
      return described(machine, machine.named(name));
    }
    case 'ListExecutions':
      return listed(machineOf(machines, text(request, 'stateMachineArn')), request);
    case 'StopExecution': {
      const { machine, name } = executionOf(machines, text(request, 'executionArn'));
      const reason = {
        ...(request['error'] !== undefined && { error: text(request, 'error') }),
        ...(request['cause'] !== undefined && { cause: text(request, 'cause') }),
      };
      return { stopDate: (machine.stop(name, reason).stopDate ?? Date.now()) / 1000 };
    }
    default:
      throw new StatesError(
        'UnknownOperationException',
        `the local host does not answer ${operation}`,
      );
  }
}

function text(request: Request, field: string): string {
  const value = request[field];
  if (typeof value !== 'string')
    throw new StatesError('ValidationException', `${field} must be a text`);
  return value;
}

function machineOf(machines: readonly Machine[], arn: string): Machine {
  const machine = machines.find((candidate) => candidate.arn === arn);
  if (!machine)
    throw new StatesError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  return machine;
}

function executionOf(
  machines: readonly Machine[],
  arn: string,
): { machine: Machine; name: string } {
  const at = arn.lastIndexOf(':');
  const machine = machines.find(
    (candidate) => candidate.arn === arn.slice(0, at).replace(':execution:', ':stateMachine:'),
  );
  if (!machine)
    throw new StatesError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  return { machine, name: arn.slice(at + 1) };
}

const summary = (machine: Machine, { arn, name, status, startDate, stopDate }: Execution) => ({
  executionArn: arn,
  stateMachineArn: machine.arn,
  name,
  status,
  startDate: startDate / 1000,
  ...(stopDate !== undefined && { stopDate: stopDate / 1000 }),
});

const described = (machine: Machine, execution: Execution) => ({
  ...summary(machine, execution),
  input: execution.input,
  inputDetails: { included: true },
  ...(execution.output !== undefined && {
    output: execution.output,
    outputDetails: { included: true },
  }),
  error: execution.error,
  cause: execution.cause,
});

/** One page; `nextToken` is the number of executions before it. */
function listed(machine: Machine, request: Request): unknown {
  const from = Number(request['nextToken'] ?? 0);
  const upTo = from + (Number(request['maxResults']) || 100);
  const filter = request['statusFilter'];
  const wanted = machine.list().filter(({ status }) => filter === undefined || filter === status);
  return {
    executions: wanted.slice(from, upTo).map((execution) => summary(machine, execution)),
    ...(upTo < wanted.length && { nextToken: String(upTo) }),
  };
}
