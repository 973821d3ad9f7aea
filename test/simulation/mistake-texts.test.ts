/** Each deliberate mistake still changes the sources: the text that it replaces is there once. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MISTAKES } from './mistakes.ts';

const sourceOf = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

test.each(MISTAKES)('$name changes a text that is there once', ({ changes }) => {
  const counts = changes.map(({ file, from }) => [file, sourceOf(file).split(from).length - 1]);
  expect(counts).toEqual(changes.map(({ file }) => [file, 1]));
});
