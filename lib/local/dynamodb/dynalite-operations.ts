/**
 * Calls dynalite's operations as functions, without its server: no port of its own, and no error
 * that ends the process.
 */
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import type { Store } from 'dynalite/db/index.js';
import validations from 'dynalite/validations/index.js';

type Act = (
  store: Store,
  input: object,
  done: (error: Error | null, output?: unknown) => void,
) => void;

interface Operation {
  readonly act: (store: Store, input: object) => Promise<unknown>;
  readonly rules: { readonly types: unknown; readonly custom?: unknown };
}

/** The operations, as DynamoDB names them. dynalite has two files for each. */
const NAMES = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'ListTables',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
  'UpdateTable',
  'TagResource',
  'UntagResource',
  'ListTagsOfResource',
];

const require = createRequire(import.meta.url);

const OPERATIONS: ReadonlyMap<string, Operation> = new Map(
  NAMES.map((name) => {
    const file = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
    const act: Act = require(`dynalite/actions/${file}`);
    const operation: Operation = {
      act: promisify<Store, object, unknown>(act),
      rules: require(`dynalite/validations/${file}`),
    };
    return [name, operation];
  }),
);

export const isOperation = (name: string): boolean => OPERATIONS.has(name);

/** A refusal that DynamoDB itself would give. */
export interface DynamoDbError {
  readonly statusCode: number;
  readonly body: object;
}

export const isDynamoDbError = (error: unknown): error is DynamoDbError =>
  error instanceof Error &&
  'statusCode' in error &&
  typeof error.statusCode === 'number' &&
  'body' in error &&
  typeof error.body === 'object';

/** Rejects with a `DynamoDbError`, or with an error of this host. Changes `input`. */
export async function perform(store: Store, name: string, input: object): Promise<unknown> {
  const operation = OPERATIONS.get(name);
  if (operation === undefined) throw new Error(`there is no operation ${name}`);
  const { act, rules } = operation;
  const checked = validations.checkTypes(input, rules.types);
  validations.checkValidations(checked, rules.types, rules.custom, store);
  return await act(store, checked);
}
