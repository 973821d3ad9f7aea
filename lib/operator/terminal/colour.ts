/**
 * Pure: colours for a terminal. It gets only whole texts of ours, from which `printable` has taken
 * all control characters.
 */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
/** The caller has decided that there are colours. */
const style = (format: Style, text: string): string =>
  styleText(format, text, { validateStream: false });

export const red = (text: string): string => style('red', text);
export const bold = (text: string): string => style('bold', text);

/**
 * Errors are red, a good result has a green sign, and the line that names the deployment is bold.
 */
export const coloured = (text: string): string => text.split('\n').map(line).join('\n');

function line(text: string): string {
  if (/^\s*✗/.test(text)) return red(text);
  if (/^(stage|local host on port) /.test(text)) return bold(text);
  return text.replace(/^(\s*)✓/, (_, space: string) => `${space}${style('green', '✓')}`);
}

/**
 * A stream gets colours if it is a terminal that has them, and `NO_COLOR` is unset or empty
 * (https://no-color.org).
 */
export const hasColours = (
  stream: Pick<NodeJS.WriteStream, 'isTTY'> & { hasColors?(): boolean },
  env: NodeJS.ProcessEnv = process.env,
): boolean => !env['NO_COLOR'] && stream.isTTY === true && stream.hasColors?.() === true;
