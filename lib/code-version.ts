/** Reads the version of this code from `package.json`. Receipts name it. */
import { readFileSync } from 'node:fs';

export function codeVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version }: { version?: unknown } = JSON.parse(text);
  if (typeof version !== 'string') throw new Error('package.json names no version');
  return version;
}
