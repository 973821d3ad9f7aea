/**
 * A JSON file as a list of values, with the line of each: an array, an object with a list in it,
 * one value in each line, or one value.
 */
import {
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { refuseProblems } from './file-text.ts';

export interface JsonRow {
  readonly line: number;
  readonly value: unknown;
}

export interface JsonRows {
  readonly rows: readonly JsonRow[];
  /** The object around the list, without it; empty where there is none. */
  readonly around: Readonly<Record<string, unknown>>;
}

/**
 * `lists` are the names under which an object may have its list. Throws a sentence that never
 * quotes the file.
 */
export function jsonRows(text: string, file: string, lists: readonly string[]): JsonRows {
  const { tree, error } = treeOf(text);
  const isInLines = error && printParseErrorCode(error.error) === 'EndOfFileExpected';
  if (isInLines) return { rows: linesOf(text, file), around: {} };
  if (error !== undefined)
    refuseProblems(file, [{ line: lineAt(text, error.offset), says: NO_JSON }]);
  if (tree?.type === 'array') return { rows: childrenOf(text, tree), around: {} };
  const members = tree?.type === 'object' ? (tree.children ?? []) : [];
  const list = members.find(({ children: [name, value] = [] }) => {
    return value?.type === 'array' && lists.includes(String(name?.value));
  });
  const [, array] = list?.children ?? [];
  if (tree === undefined || array === undefined)
    return { rows: [{ line: 1, value: tree && getNodeValue(tree) }], around: {} };
  const { [String(list?.children?.[0]?.value)]: _, ...around } = Object(getNodeValue(tree));
  return { rows: childrenOf(text, array), around };
}

const NO_JSON = 'it is no JSON from here on';

function treeOf(text: string) {
  const errors: ParseError[] = [];
  const tree = parseTree(text.replace(/^\uFEFF/, ' '), errors, {
    disallowComments: true,
    allowTrailingComma: false,
    allowEmptyContent: false,
  });
  return { tree, error: errors[0] };
}

const childrenOf = (text: string, { children = [] }: Node): readonly JsonRow[] =>
  children.map((node) => ({ line: lineAt(text, node.offset), value: getNodeValue(node) }));

function linesOf(text: string, file: string): readonly JsonRow[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return [];
    const { tree, error } = treeOf(line);
    if (tree === undefined || error !== undefined)
      refuseProblems(file, [{ line: at + 1, says: NO_JSON }]);
    return tree === undefined ? [] : [{ line: at + 1, value: getNodeValue(tree) }];
  });
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
