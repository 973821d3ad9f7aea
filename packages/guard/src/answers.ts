/** What the app's visitors are answered in its stead: word for word as the handlers inside these stacks answer. */
import { UNAVAILABLE } from '../../../lambdas/domain/answers.ts';
import { answerTo as answerInside } from '../../../lambdas/domain/tenants/verdict.ts';
import type { Answer, Verdict } from './types.ts';

/** `undefined` where the app answers. */
export function answerTo(verdict: Verdict): Answer | undefined {
  return answerInside(verdict);
}

/** Where the guard could not be asked. */
export const FAULT_ANSWER: Answer = UNAVAILABLE;
