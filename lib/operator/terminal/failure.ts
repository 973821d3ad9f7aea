/** The errors of a command, as one sentence and an exit code. */
import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { CommanderError } from 'commander';
import { printable } from './print.ts';

/**
 * 0: fine. 1: there is a finding, or the command failed. 2: the command was not understood, or not
 * confirmed.
 */
export type ExitCode = 0 | 1 | 2;

/** The command line is wrong. */
export class UsageError extends Error {}

/** The command was understood, and could not be done. */
export class Failure extends Error {}

/**
 * One sentence without a stack. Of an AWS error it shows only the name and what the call was about,
 * because its message may quote what was sent.
 */
export function sentenceOf(error: unknown): string {
  if (error instanceof UsageError || error instanceof Failure) return printable(error.message);
  const name = errorNameOf(error);
  const known = KNOWN[name];
  if (known !== undefined) return known;
  if (error instanceof DynamoDBServiceException || isAwsError(causeOf(error)))
    return `AWS refused a call: ${printable(name)}`;
  if (isOurs(error)) return printable(error.message);
  if (error instanceof CommanderError) return printable(error.message.replace(/^error: /, ''));
  return `something unexpected went wrong: ${printable(name)}`;
}

const KNOWN: Readonly<Record<string, string>> = {
  CredentialsProviderError:
    'no AWS credentials were found: set AWS_PROFILE, or sign in, and try again',
  ExpiredTokenException: 'the AWS credentials have expired: sign in again',
  ExpiredToken: 'the AWS credentials have expired: sign in again',
  UnrecognizedClientException: 'AWS does not know these credentials',
  AccessDeniedException:
    'these credentials may not do that: take the role operator-read, operator-act or operator-tenants of each realm (docs/security.md)',
  ResourceNotFoundException:
    'a table or function of this stage does not exist: is the stage right, and every realm deployed?',
  ValidationException:
    'AWS refused a call (ValidationException): most often a table has other names or types of keys than its part declares; residency doctor names the table',
  ECONNREFUSED: 'nothing answers there: is the local host up (npm run local), and on that port?',
  ENOTFOUND: 'an address could not be resolved: is there a network?',
  TimeoutError: 'AWS did not answer in time',
};

const isOurs = (error: unknown): error is Error =>
  error instanceof Error && ['Fault', 'Refusal', 'PermanentError'].includes(error.name);

/** An adapter's fault has the error of AWS as its cause. */
const causeOf = (error: unknown): unknown =>
  error instanceof Error && error.cause instanceof Error ? error.cause : error;

/**
 * The name of the error that AWS or the network raised, also where it is the cause of an adapter's
 * fault.
 */
export function errorNameOf(thrown: unknown): string {
  const error = causeOf(thrown);
  if (!(error instanceof Error)) return 'unknown error';
  const code: unknown = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code in KNOWN ? code : error.name;
}

const isAwsError = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && '$metadata' in error;
