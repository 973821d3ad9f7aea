/** XML as S3 speaks it. */
import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser';
import { S3Error } from './s3-error.ts';

/** A tree of elements: an array repeats its element, and what is `undefined` is left out. */
export type Xml =
  | string
  | number
  | boolean
  | undefined
  | readonly Xml[]
  | { readonly [name: string]: Xml };

const builder = new XMLBuilder({ suppressEmptyNode: false });
const parser = new XMLParser({
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true,
  ignoreDeclaration: true,
});

export const xmlOf = (root: string, content: Xml): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ [root]: content })}`;

/** The element at the root of a request's body. Throws `MalformedXML`. */
export function parseXml(text: string, root: string): XmlElement {
  const isWellFormed = XMLValidator.validate(text) === true;
  const parsed: unknown = isWellFormed ? parser.parse(text) : undefined;
  const found = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  const element = found.find(([name]) => name === root)?.[1];
  if (element === undefined)
    throw new S3Error('MalformedXML', `the XML of this request has no element ${root}`);
  return elementOf(element);
}

export interface XmlElement {
  /** The text of a child; `undefined` where there is none. */
  text(name: string): string | undefined;
  /** All children of this name. */
  all(name: string): readonly XmlElement[];
}

function elementOf(value: unknown): XmlElement {
  const children: Record<string, unknown> = { ...Object(typeof value === 'object' ? value : {}) };
  const valuesOf = (name: string): readonly unknown[] => {
    const child = children[name];
    if (child === undefined) return [];
    return Array.isArray(child) ? child : [child];
  };
  return {
    text(name) {
      const [first] = valuesOf(name);
      if (first === undefined) return undefined;
      // An element with attributes is an object with its text beside them.
      return typeof first === 'object' ? String(Object(first)['#text'] ?? '') : String(first);
    },
    all: (name) => valuesOf(name).map(elementOf),
  };
}
