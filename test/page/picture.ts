/**
 * Draws `docs/watch-page.png` again: `node test/page/picture.ts`. A move is under way, one is
 * cancelled, and one is scheduled.
 */

import { openBrowser } from './browser.ts';
import { chosen, install, press, reached } from './clicks.ts';
import { startWatchedWorld } from './watched-world.ts';

const FILE = new URL('../../docs/watch-page.png', import.meta.url).pathname;

await using watched = await startWatchedWorld();
const browser = await openBrowser();
const page = await browser.newPage({
  viewport: { width: 1280, height: 900 },
  deviceScaleFactor: 0.75, // as wide as a page shows it
  colorScheme: 'light',
  reducedMotion: 'reduce',
});
await page.goto(watched.page.url);
await install(page, 'initech', 'au');
await page.getByLabel('To realm').selectOption('sg');
await press(page, 'Schedule');
await reached(page, 'initech', 'scheduled');
await press(page, 'Cancel');
await reached(page, 'initech', 'rolled-back');
await install(page, 'globex', 'eu', '1000');
await install(page, 'acme', 'us', '4000');
await chosen(page, 'acme');
await page.getByLabel('To realm').selectOption('de');
await press(page, 'Schedule');
await press(page, 'Start');
await reached(page, 'acme', 'ready-to-commit');
await page.locator('#said .answer', { hasText: 'ready-to-commit' }).waitFor();
const goOn = watched.hold('residency-local-us-exports');
await press(page, 'Commit');
await page.locator('#state-purge-the-source.lit').waitFor();
await page.locator('#realm-de .number', { hasText: '1,600' }).waitFor();
await page.screenshot({
  path: FILE,
  fullPage: true,
  style: ':focus-visible + .reason { visibility: hidden !important }',
});
goOn();
await browser.close();
