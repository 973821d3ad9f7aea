/** Pure: what a terminal with colours gets. Only whole texts of ours pass here, in which nothing a terminal obeys is left. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];
/** Whether there are colours was decided before. */
const style = (format: Style, text: string): string =>
  styleText(format, text, { validateStream: false });

export const red = (text: string): string => style('red', text);
export const bold = (text: string): string => style('bold', text);

/** What is wrong is red, what is right has a green sign, and where this is stands out. */
export const coloured = (text: string): string => text.split('\n').map(line).join('\n');

function line(text: string): string {
  if (/^\s*✗/.test(text)) return red(text);
  if (/^(stage|local host on port) /.test(text)) return bold(text);
  return text.replace(/^(\s*)✓/, (_, space: string) => `${space}${style('green', '✓')}`);
}

/** Whether a stream gets colours: it is a terminal that has them, and `NO_COLOR` is not set to any text (no-color.org). */
export const hasColours = (
  stream: Pick<NodeJS.WriteStream, 'isTTY'> & { hasColors?(): boolean },
  env: NodeJS.ProcessEnv = process.env,
): boolean => !env['NO_COLOR'] && stream.isTTY === true && stream.hasColors?.() === true;
