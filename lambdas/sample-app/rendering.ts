/** PURE: how the sample document exporter makes a document of a template and a request. */

import { invalid } from '../domain/refusal.ts';

/** What a user asks to be exported. Fields of other types are no part of it. */
export interface Asked {
  readonly title?: string;
  /** What replaces `{{name}}` in the template. */
  readonly values: Readonly<Record<string, unknown>>;
}

export function askedIn(body: object): Asked {
  const { title, values }: { title?: unknown; values?: unknown } = body;
  return {
    ...(typeof title === 'string' && { title }),
    values: typeof values === 'object' && values !== null ? { ...values } : {},
  };
}

/** A template may name a long value many times. */
const MOST_CHARACTERS = 1024 ** 2;

/**
 * Markdown: the title, and the template's `content` with each `{{name}}` replaced where the request
 * has a value of that name. A template without a text as `content` is shown as it is. Throws a
 * refusal where the document would be too long.
 */
export function rendered(template: object, { title, values }: Asked): string {
  const { content }: { content?: unknown } = template;
  const text = typeof content === 'string' ? content : JSON.stringify(template, null, 2);
  let length = text.length;
  const filled = text.replace(/\{\{(\w{1,100})\}\}/g, (whole, name: string) => {
    if (!Object.hasOwn(values, name)) return whole;
    const value = shown(values[name]);
    length += value.length;
    if (length > MOST_CHARACTERS)
      throw invalid(`the document would be longer than ${MOST_CHARACTERS} characters`);
    return value;
  });
  return `${title === undefined ? '' : `# ${title}\n\n`}${filled}\n`;
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
