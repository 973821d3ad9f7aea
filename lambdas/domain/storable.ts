/**
 * The limits of an item in DynamoDB (400 KB; a key takes 2 KB). A request that brings more is
 * refused for good: after a fault Atlassian would send it again, and it would fail again.
 */
import { invalid } from './refusal.ts';

/** The rest of an item is for the fields beside the document. */
const MOST_STORED = 300 * 1024;

/**
 * The JSON text in which a document is stored. It may take more room than the body did: `1e20` is
 * written out. Throws a refusal where it takes too much.
 */
export function storableText(document: object): string {
  const text = JSON.stringify(document);
  if (bytesOf(text) > MOST_STORED)
    throw invalid(`the body takes more than the ${MOST_STORED} bytes that can be stored`);
  return text;
}

export const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** The longest name in DNS. */
const LONGEST_HOST = 253;

export const hasStorableHost = (url: string): boolean =>
  URL.canParse(url) && new URL(url).hostname.length <= LONGEST_HOST;
