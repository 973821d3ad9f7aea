/** Refuses requests that would crash or block dynalite. DynamoDB refuses most of them too. */
import { isDeeperThan } from '../json-depth.ts';

/** Name and message of an error of DynamoDB. */
export interface RefusedRequest {
  readonly name: 'SerializationException' | 'ValidationException';
  readonly message: string;
}

/** DynamoDB takes documents of 32 levels. Each is two levels of JSON, and a request adds a few. */
const MAX_DEPTH = 80;
const MAX_EXPRESSION_BYTES = 4_096;
/**
 * The time that dynalite takes to parse an expression grows by a factor of two to seven with each
 * level of parentheses: four levels take up to a second, twenty take minutes. DynamoDB itself takes
 * more levels and more pairs.
 */
const MAX_LEVELS = 4;
const MAX_GROUPS = 64;

/** What is wrong with the body of a request; `undefined` where nothing is. */
export function refusalOf(input: unknown): RefusedRequest | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { name: 'SerializationException', message: 'a request is a JSON object' };
  if (isDeeperThan(MAX_DEPTH, input)) {
    const message = 'Nesting Levels have exceeded supported limits';
    return { name: 'ValidationException', message };
  }
  for (const [name, value] of Object.entries(input)) {
    const message = name.endsWith('Expression') && wrongExpression(String(value));
    if (message) return { name: 'ValidationException', message: `Invalid ${name}: ${message}` };
  }
  return undefined;
}

/** An expression has no quoted text, so that every parenthesis counts. */
function wrongExpression(expression: string): string | undefined {
  const bytes = Buffer.byteLength(expression);
  if (bytes > MAX_EXPRESSION_BYTES)
    return `Expression size has exceeded the maximum allowed size; expression size: ${bytes}`;
  let [level, groups] = [0, 0];
  const functions: boolean[] = [];
  for (const { index, 0: sign } of expression.matchAll(/[()]/g)) {
    if (sign === ')') {
      const wasFunction = functions.pop();
      if (wasFunction === undefined) return 'Syntax error; token: ")"';
      if (!wasFunction) level -= 1;
      continue;
    }
    const isFunction = /\b(?!(?:and|or|not|in|between)\b)[a-z_]+\s*$/i.test(
      expression.slice(Math.max(0, index - 40), index),
    );
    functions.push(isFunction);
    if (isFunction) continue;
    level += 1;
    groups += 1;
    if (level > MAX_LEVELS)
      return `the local host takes parentheses in ${MAX_LEVELS} levels at most, DynamoDB takes more`;
  }
  if (functions.length > 0) return 'Syntax error; a parenthesis is not closed';
  if (groups > MAX_GROUPS)
    return `the local host takes ${MAX_GROUPS} pairs of parentheses at most, DynamoDB takes more`;
  return undefined;
}
