/**
 * Decides whether a prefix of one tenant could lie within that of another. Keys of a table only
 * have to differ; a prefix also holds everything below it: with `{tenant}/` and `files/{tenant}/`,
 * a tenant called `files` would have the files of all.
 */
import { sayForm } from './key-declaration.ts';
import type { KeyForm } from './key-template.ts';

/** The first two forms that may do so, as a sentence; `undefined` where there are none. */
export function nestedIn(
  forms: readonly KeyForm[],
  others: readonly KeyForm[],
): string | undefined {
  for (const one of forms)
    for (const other of others)
      if (one !== other && canNest(one, other))
        return `a prefix by ${sayForm(one)} can hold one by ${sayForm(other)}: let them begin with different words, such as files/ and thumbs/`;
  return undefined;
}

/** No value contains the delimiter, so that equal beginnings have equal values. */
function canNest(one: KeyForm, other: KeyForm): boolean {
  if (one.head === other.head) return isBeginning(one.tail, other.tail);
  return isBeginning(one.head, other.head);
}

const isBeginning = (one: string, other: string): boolean =>
  one.startsWith(other) || other.startsWith(one);
