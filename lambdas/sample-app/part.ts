/**
 * Shared by the handlers of the sample app: its tables, by the name of their part, and the parsing
 * of bodies.
 */
import type { App } from '../compose.ts';
import { Fault, invalid, PermanentError } from '../domain/refusal.ts';

export function partOf({ residency, names }: App, name: string): string {
  const part = residency.parts.find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`the dataset has no part ${name}`);
  return names.part(part);
}

/** A table that cannot be reached is a fault: 503, and the client tries again. */
export async function translatedCall<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Fault || error instanceof PermanentError) throw error;
    throw new Fault(
      `a table of the app cannot be reached: ${error instanceof Error ? error.name : 'unknown error'}`,
      { cause: error },
    );
  }
}

export function objectOf(body: unknown): object {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('the body is not a JSON object');
  return body;
}
