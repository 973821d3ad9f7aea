/**
 * Shared by the handlers of the sample app: its parts by name, their tables, and the parsing of
 * bodies.
 */
import type { App } from '../compose.ts';
import type { Part } from '../domain/datasets/dataset.ts';
import { Fault, invalid, PermanentError } from '../domain/refusal.ts';

export function partNamed({ residency }: App, name: string): Part {
  const part = residency.parts.find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`the dataset has no part ${name}`);
  return part;
}

/** The table of a part. */
export const partOf = (app: App, name: string): string => app.names.part(partNamed(app, name));

/** A table or bucket that cannot be reached is a fault: 503, and the client tries again. */
export async function translatedCall<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Fault || error instanceof PermanentError) throw error;
    throw new Fault(
      `a store of the app cannot be reached: ${error instanceof Error ? error.name : 'unknown error'}`,
      { cause: error },
    );
  }
}

export function objectOf(body: unknown): object {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('the body is not a JSON object');
  return body;
}

export function templateId(id: unknown): string {
  if (typeof id !== 'string' || !/^[\w.-]{1,200}$/.test(id))
    throw invalid('a template id is letters, digits, dots, dashes and underscores');
  return id;
}
