/** How long requests to other systems may take. */

/** The factor for a server on this machine. */
const ON_THIS_MACHINE = 10;

/**
 * Milliseconds for a request to `url`. A server of this machine has ten times as long, because it
 * runs on the same processors. Without a URL the server is AWS.
 */
export function timeoutFor(url: string | undefined, milliseconds: number): number {
  const host = url === undefined ? '' : new URL(url).hostname;
  const isHere = host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
  return isHere ? ON_THIS_MACHINE * milliseconds : milliseconds;
}
