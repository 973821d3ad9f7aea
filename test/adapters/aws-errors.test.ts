/**
 * Errors of AWS: which are permanent and which transient, what our errors name, and that they quote
 * nothing of AWS's message.
 */
import { describe, expect, test } from 'vitest';
import type { SdkCall } from '../../lambdas/adapters/aws-clients.ts';
import { errorOf, isThrottle, isTransient } from '../../lambdas/adapters/aws-errors.ts';
import { Fault, PermanentError } from '../../lambdas/domain/refusal.ts';

const call: SdkCall = {
  service: 'dynamodb',
  command: 'Query',
  region: 'eu-central-1',
  resources: ['theirs'],
};
const awsError = (name: string, httpStatusCode = 400, message = 'item 4711 of acme') =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });
const told = (error: unknown) => {
  const became = errorOf(error, call);
  if (!(became instanceof Error)) throw new Error('it became no error');
  return became;
};

describe('an error of DynamoDB', () => {
  test.each([
    ['ResourceNotFoundException', ' (there is no such table or index)'],
    ['AccessDeniedException', ''],
    ['ValidationException', ''],
    ['ItemCollectionSizeLimitExceededException', ''],
    ['KMSInvalidStateException', ' (the encryption key of the table cannot be used)'],
  ])('%s is final', (name, meaning) => {
    const became = told(awsError(name));
    expect(became).toBeInstanceOf(PermanentError);
    expect(became.message).toBe(
      `DynamoDB refuses Query on theirs in eu-central-1: ${name}${meaning}`,
    );
  });

  test.each([
    ['ProvisionedThroughputExceededException', 400, { throttle: true, transient: false }],
    ['ThrottlingException', 400, { throttle: true, transient: false }],
    ['InternalServerError', 500, { throttle: false, transient: true }],
    ['ServiceUnavailable', 503, { throttle: false, transient: true }],
    ['SomethingNew', 400, { throttle: false, transient: false }],
  ])('%s is tried again as before, and is a fault', (name, status, kind) => {
    const became = told(awsError(name, status));
    expect(became).toBeInstanceOf(Fault);
    expect(became.message).toBe(`DynamoDB fails Query on theirs in eu-central-1: ${name}`);
    expect({ throttle: isThrottle(became), transient: isTransient(became) }).toEqual(kind);
  });

  test('that never came is told from its code', () => {
    const became = told(Object.assign(new Error('connect 10.0.0.1'), { code: 'ECONNREFUSED' }));
    expect(became.message).toBe('DynamoDB fails Query on theirs in eu-central-1: ECONNREFUSED');
    expect(isTransient(became)).toBe(true);
    expect(isTransient(told(Object.assign(new Error('late'), { name: 'TimeoutError' })))).toBe(
      true,
    );
  });

  test('quotes nothing that AWS has said, in its message or in its stack', () => {
    for (const name of ['ValidationException', 'InternalServerError']) {
      const { message, stack, cause } = told(awsError(name, 500));
      expect(`${message} ${stack} ${String(cause)}`).not.toMatch(/4711|acme/);
    }
  });

  test('that is an answer, or no error of AWS, stays as it is', () => {
    const failed = awsError('ConditionalCheckFailedException');
    expect(errorOf(failed, call)).toBe(failed);
    const died = new Error('the worker died');
    expect(errorOf(died, call)).toBe(died);
  });
});
