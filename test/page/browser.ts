/**
 * A real browser for the tests of the watch page, where one is installed; the build server must
 * have one.
 */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const executable = [process.env['CHROMIUM'] ?? '', ...PLACES].find((path) => existsSync(path));
if (executable === undefined && process.env['RESIDENCY_CHROMIUM_REQUIRED'] === '1')
  throw new Error('there is no Chromium, and RESIDENCY_CHROMIUM_REQUIRED says that there must be');

export const hasBrowser = executable !== undefined;
/** For a title: why its tests did not run. */
export const unlessSkipped = hasBrowser
  ? ''
  : ' (skipped: no Chromium is installed; CHROMIUM=path names one)';

export function openBrowser(): Promise<Browser> {
  if (executable === undefined) throw new Error('there is no Chromium');
  const quiet = ['background-networking', 'component-update', 'sync', 'gpu', 'lcd-text'];
  const args = ['--no-first-run', ...quiet.map((what) => `--disable-${what}`)];
  return chromium.launch({
    executablePath: executable,
    args: process.getuid?.() === 0 ? ['--no-sandbox', ...args] : args,
  });
}
