/** What all checks of a declaration are written with. */

/** The error of a part that is declared wrongly; `says` is the sentence. */
export type Refused = (says: string) => Error;

/** Refuses fields that are not in the list, because a field that is ignored would seem to work. */
export function checkFields(
  value: unknown,
  allowed: Readonly<Record<string, true>>,
  refused: (field: string, allowed: string) => Error,
): void {
  for (const field of Object.keys(recordOf(value)))
    if (!Object.hasOwn(allowed, field)) throw refused(field, Object.keys(allowed).join(', '));
}

export const recordOf = (value: unknown): Readonly<Record<string, unknown>> => ({
  ...(typeof value === 'object' ? value : {}),
});

export const shown = (value: unknown): string =>
  typeof value === 'function' ? 'a function' : String(JSON.stringify(value) ?? value).slice(0, 60);
