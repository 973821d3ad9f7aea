/**
 * Finds where each item of an answer begins and ends, so that it can be written as the same text
 * that was read.
 */

const [QUOTE, BACKSLASH, OPEN, CLOSE, END] = [...'"\\{}]'].map((character) =>
  character.charCodeAt(0),
);
/**
 * Only the list of items begins so: an attribute's value is an object with a type, and quotes
 * within text are escaped.
 */
const ITEMS = '"Items":[';

/**
 * The text of each item in an answer to a Query, which is valid JSON. `undefined` where the list
 * does not begin as DynamoDB begins it.
 */
export function itemTexts(answer: string): readonly string[] | undefined {
  const found = answer.indexOf(ITEMS);
  if (found < 0) return undefined;
  const texts: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = found + ITEMS.length; at < answer.length; at += 1) {
    const character = answer.charCodeAt(at);
    if (character === QUOTE) at = closingQuote(answer, at);
    else if (character === OPEN) {
      if (depth === 0) start = at;
      depth += 1;
    } else if (character === CLOSE) {
      depth -= 1;
      if (depth === 0) texts.push(answer.slice(start, at + 1));
    } else if (character === END && depth === 0) return texts;
  }
  return undefined;
}

/**
 * An even number of backslashes before a quote are backslashes; after an odd one, the quote belongs
 * to the text.
 */
function closingQuote(text: string, opening: number): number {
  for (let at = text.indexOf('"', opening + 1); at > 0; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 1) return at;
  }
  return text.length;
}
