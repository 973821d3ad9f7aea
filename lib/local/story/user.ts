/** What a user of the sample app does in the story beside saving: exports, and reads documents. */
import { fieldOf } from '../simulated-atlassian.ts';
import type { Cast } from './cast.ts';

/** Asks the app for the URL of a document, and fetches it as a browser does. */
export async function readDocument(
  { request, tenant }: Pick<Cast, 'request' | 'tenant'>,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const reply = await request(tenant, 'GET', path);
  const url = fieldOf(reply, 'url');
  if (url === undefined) return { status: reply.status, text: '' };
  const document = await fetch(url);
  return { status: document.status, text: await document.text() };
}
