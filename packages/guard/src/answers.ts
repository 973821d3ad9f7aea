/**
 * The answers that a request gets instead of the app's, word for word those of the handlers inside
 * these stacks.
 */
import { UNAVAILABLE } from '../../../lambdas/domain/answers.ts';
import { answerTo as answerInside } from '../../../lambdas/domain/tenants/verdict.ts';
import type { Answer, Verdict } from './types.ts';

/** `undefined` where the app answers. */
export function answerTo(verdict: Verdict): Answer | undefined {
  return answerInside(verdict);
}

/** Where the guard could not be asked. */
export const FAULT_ANSWER: Answer = UNAVAILABLE;
