/**
 * The watch page in a real browser: whole moves are clicked through, and the final view is checked.
 */
import { readFileSync } from 'node:fs';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { migrationsIn } from '../../lib/local/page/migration-view.ts';
import { hasBrowser, openBrowser, unlessSkipped } from './browser.ts';
import { chosen, install, itemsOf, press, reached, textsOf } from './clicks.ts';
import { startWatchedWorld, type WatchedWorld } from './watched-world.ts';

describe.skipIf(!hasBrowser)(`the watch page${unlessSkipped}`, () => {
  let watched: WatchedWorld;
  let browser: Browser;
  let context: BrowserContext | undefined;

  beforeAll(async () => {
    [watched, browser] = await Promise.all([startWatchedWorld(), openBrowser()]);
  });
  afterEach(() => context?.close());
  afterAll(async () => {
    await browser?.close();
    await watched?.[Symbol.asyncDispose]();
  });

  async function opened(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(240_000);
    await page.goto(watched.page.url);
    await page.locator('#link[data-link=live]').waitFor();
    await page.locator('#items option').first().waitFor({ state: 'attached' });
    return page;
  }

  test('shows a whole move: installed, scheduled, started, committed', async () => {
    const page = await opened();
    const complaints = complaintsOf(page);
    await install(page, 'acme', 'us');
    await expectSoon(() => itemsOf(page, 'us', 'acme')).toEqual(['40', '50', '10', '10']);

    await expectSoon(() => textsOf(page, '#realm-us .objects')).toEqual([
      expect.stringMatching(/^ objects, \d+ B$/),
    ]);

    await page.getByLabel('To realm').selectOption('de');
    await press(page, 'Schedule');
    await reached(page, 'acme', 'scheduled');
    const copyOn = watched.hold('residency-local-de-exports');
    await press(page, 'Start');
    await page.locator('#state-copy.lit').waitFor();
    await page.locator('#state-copy-a-range.lit').waitFor();
    await expectSoon(() => textsOf(page, '#executions .where')).toEqual(['Copy › Copy a range']);
    await expectSoon(() => textsOf(page, '#realm-us .pill, #realm-de .pill')).toEqual([
      'frozen',
      'standby',
    ]);
    await expectSoon(() => textsOf(page, '.migration .percent')).toEqual([
      expect.stringMatching(/^[1-9]\d? % copied and verified, done at about \d\d:\d\d:\d\d$/),
    ]);
    expect(await textsOf(page, '.migration .window')).toEqual([
      expect.stringMatching(/^Window until \d\d:\d\d:\d\d, \d+ min left$/),
    ]);
    copyOn();
    await reached(page, 'acme', 'ready-to-commit');
    await expectSoon(() => itemsOf(page, 'de', 'acme')).toEqual(['40', '50', '0', '10']);
    const purgeOn = watched.hold('residency-local-us-exports');
    await press(page, 'Commit');
    await page.locator('#state-purge-a-range.lit').waitFor();
    await expectSoon(() => textsOf(page, '#realm-us .pill, #realm-de .pill')).toEqual([
      'moved',
      'active',
    ]);
    purgeOn();
    await reached(page, 'acme', 'committed');

    await expectSoon(() => itemsOf(page, 'us', 'acme')).toEqual(['0', '0', '0', '0']);
    await expectSoon(() => itemsOf(page, 'de', 'acme')).toEqual(['40', '50', '0', '10']);
    await expectSoon(() => page.locator('.state.lit').count()).toBe(0);
    expect(await textsOf(page, '.timeline strong')).toEqual([
      'scheduled',
      'copying',
      'ready-to-commit',
      'committing',
      'committed',
    ]);
    expect(await textsOf(page, '.timeline .actor')).toEqual(
      ['schedule', 'start', 'finish-copy', 'commit', 'finish-commit'].map((actor) => `by ${actor}`),
    );
    expect(
      await page.locator('#state-committed.visited, #state-purge-the-source.visited').count(),
    ).toBe(2);
    await expectSoon(() => textsOf(page, '#executions strong')).toEqual(['commit', 'copy']);
    await expectSoon(() => textsOf(page, '#announcer')).toEqual([
      'acme, migration 57500: committed',
    ]);
    await expectSoon(() => textsOf(page, '#said li')).toContainEqual(
      expect.stringMatching(/acme: status\? 57500200 committed$/),
    );
    expect(await page.locator('.tenant[data-stray]').count()).toBe(0);

    await watched.world.put('us', 'templates', { tenant: 'acme', id: 'late' });
    const stray = page.locator('#realm-us .tenant[data-stray]');
    await stray.waitFor();
    await expectSoon(() => itemsOf(page, 'us', 'acme')).toEqual(['1', '0', '0', '0']);
    expect(await textsOf(page, '#realm-us .meaning')).toEqual([
      'sends users on to de: has items here that should not be here',
    ]);
    const colour = (of: string): Promise<unknown> =>
      page.evaluate(`getComputedStyle(document.querySelector('${of}')).color`);
    expect(await colour('#realm-us .number')).toBe(await colour('#realm-us .pill'));
    expect(await colour('#realm-us .number')).not.toBe(await colour('#realm-de .number'));
    await watched.world.remove('us', 'templates', { tenant: 'acme', id: 'late' });
    await expectSoon(() => page.locator('.tenant[data-stray]').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('folds what is finished, and shows only what is asked for', async () => {
    const page = await opened();
    await install(page, 'hooli', 'us', '0');
    await page.getByLabel('To realm').selectOption('de');
    await press(page, 'Schedule');
    await reached(page, 'hooli', 'scheduled');
    expect(await page.locator('#migrations .migration').count()).toBe(1);
    await page.locator('#migrations').getByText('hooli').waitFor();
    const finished = page.locator('#finished-migrations .migration', { hasText: 'acme' });
    expect(await finished.isVisible()).toBe(false);
    await page.locator('#finished summary').click();
    await finished.waitFor();
    expect(await finished.locator('.window').isVisible()).toBe(false);

    await page.getByLabel('Show only').fill('HOO');
    await finished.waitFor({ state: 'detached' });
    expect(await textsOf(page, '#realms .who strong')).toEqual(['hooli']);
    expect(await page.locator('#migrations .migration').count()).toBe(1);
    await page.getByLabel('Show only').fill('nothing of it');
    await page.getByText('No migration matches.').waitFor();
    await page.getByLabel('Show only').fill('');
    await finished.waitFor();
    await press(page, 'Cancel');
    await reached(page, 'hooli', 'rolled-back');
  });

  test('asks before it rolls back what is committed, and then does', async () => {
    const page = await opened();
    await page.getByLabel('Tenant', { exact: true }).selectOption('acme');
    await press(page, 'Roll back');
    const dialog = page.getByRole('dialog', { name: 'Roll back?' });
    await dialog.getByText('Migration 57500 is committed, and acme is served in de.').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await press(page, 'Roll back');
    expect(await focused(page)).toBe('Keep it');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    expect(
      await page.locator('.migration[data-migration="57500"]').getAttribute('data-status'),
    ).toBe('committed');

    await press(page, 'Roll back');
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await reached(page, 'acme', 'rolled-back');
    await expectSoon(() => itemsOf(page, 'us', 'acme')).toEqual(['40', '50', '0', '10']);
    await page.getByRole('button', { name: 'Cancel', exact: true }).waitFor();
    await expectSoon(() => textsOf(page, '#said li')).toContainEqual(
      expect.stringMatching(/acme: status\? 57500200 rolled-back$/),
    );
  });

  test('names tenants that no realm serves, and numbers that are older than the latest writes', async () => {
    const page = await opened();
    expect(await page.locator('#unserved').isVisible()).toBe(false);
    const { documents } = watched.world;
    const TableName = 'residency-local-eu-tenants';
    const Item = { tenant: 'nobodys', state: 'moved', movedTo: 'sg', revision: 1 };
    await documents('eu').send(new PutCommand({ TableName, Item }));
    await page.getByText('No realm serves nobodys: it is moved in eu.').waitFor();
    await expectSoon(() => textsOf(page, '#announcer')).toEqual(['No realm serves nobodys']);
    await documents('eu').send(new DeleteCommand({ TableName, Key: { tenant: 'nobodys' } }));
    await page.locator('#unserved').waitFor({ state: 'hidden' });

    const view = JSON.parse(String(await page.evaluate(lastNews)));
    const [us] = view.realms;
    us.tenants[0].stale = [1];
    view.migrations = migrationsIn([early]);
    const awaySince = new Date(2026, 10, 24, 12, 3, 4).toISOString();
    const news = `data: ${JSON.stringify({ ...view, awaySince })}\n\n`;
    await page.route('**/events', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body: news }),
    );
    await page.reload();
    await page
      .getByText('DynamoDB does not answer. All of this is as it was at 12:03:04.')
      .waitFor();
    const rows = page.locator('#realm-us .tenant').first().locator('tbody tr');
    expect(await rows.nth(1).getAttribute('data-stale')).toBe('');
    expect(await rows.nth(1).textContent()).toContain('before the latest writes');
    expect(await rows.nth(0).getAttribute('data-stale')).toBeNull();
    expect(await textsOf(page, '.migration .ahead')).toEqual([
      `copied ahead to de from ${early.ahead.begunAt} to ${early.ahead.finishedAt}: 1,200 items, 1,228,800 bytes, not serving`,
    ]);
    await page.locator('#link[data-link=lost]').waitFor();
    expect(await page.locator('#link').textContent()).toMatch(
      /^the local host is away; all of this is as it was at \d\d:\d\d:\d\d$/,
    );
  });

  test('shows a move that is troubled, and then cancelled', async () => {
    const page = await opened();
    await install(page, 'globex', 'eu');
    await expectSoon(() => itemsOf(page, 'eu', 'globex')).toEqual(['40', '50', '10', '10']);
    await page.getByLabel('To realm').selectOption('au');
    await press(page, 'Lose the next reply');
    await page.locator('[data-switch=lose-reply][aria-pressed=true]').waitFor();
    await press(page, 'Schedule');
    await reached(page, 'globex', 'scheduled');
    await page.locator('[data-switch=lose-reply][aria-pressed=false]').waitFor();
    await press(page, 'Kill the next worker');
    await page.locator('[data-switch=kill-worker][aria-pressed=true]').waitFor();
    await press(page, 'Start');
    await reached(page, 'globex', 'ready-to-commit');
    await expectSoon(() => itemsOf(page, 'au', 'globex')).toEqual(['40', '50', '0', '10']);
    await press(page, 'Cancel');
    await reached(page, 'globex', 'rolled-back');

    await page.locator('#realm-au .empty').waitFor();
    await expectSoon(() => itemsOf(page, 'eu', 'globex')).toEqual(['40', '50', '10', '10']);
    await expectSoon(() => textsOf(page, '#realm-eu .pill')).toEqual(['active']);
    await expectSoon(() => page.locator('.state.lit').count()).toBe(0);
    expect(await page.locator('#state-rolled-back.visited').count()).toBe(1);
    const said = (await textsOf(page, '#said li')).toReversed().map((line) => line.slice(8));
    const asked = said.filter((line) => line.startsWith('globex: schedule'));
    expect(asked).toHaveLength(2);
    expect(said.join('\n')).toMatch(/the reply was lost.*\n.*schedule \d+200 scheduled/);
    expect(said.join('\n')).toMatch(/globex: .+ was killed in au/);
    expect(await page.locator('#executions li').nth(1).textContent()).toMatch(/[1-9] tried again/);
  });

  test('can be used with a keyboard alone', async () => {
    const page = await opened();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the controls');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('initech');
    await page.keyboard.press('Enter');
    await chosen(page, 'initech');
    await page.locator('#outcome[data-done=true]').waitFor();
    await tabTo(page, 'Start');
    await expectSoon(() => textsOf(page, '#start-reason')).toEqual(['no migration is scheduled']);
    expect(await outlineOf(page)).toMatch(/^solid [23]px/);
    await page.keyboard.press('Enter');
    await expectSoon(() => textsOf(page, '#outcome')).toEqual(['no migration is scheduled']);
    await page.keyboard.press('Shift+Tab');
    expect(await focused(page)).toBe('Schedule');
    await page.keyboard.press('Space');
    await reached(page, 'initech', 'scheduled');
    expect(await focused(page)).toBe('Schedule');
  });

  test('names what it shows, for those who hear it', async () => {
    const page = await opened();
    await page.locator('#realm-us table').first().waitFor();
    const tree = await page.locator('body').ariaSnapshot();
    for (const landmark of ['banner', 'main', 'region "Realms"', 'region "Play Atlassian"'])
      expect(tree).toContain(landmark);
    expect(tree).not.toMatch(/- (?:button|textbox|combobox|link|table|region)(?::|$)/m);
    expect(tree).toMatch(/table "Items and objects of .+ in .+"/);
    expect(await page.locator('table:not(:has(caption))').count()).toBe(0);
    expect(await textsOf(page, 'h1')).toHaveLength(1);
    expect(await page.locator('[aria-live=polite], [role=status]').count()).toBe(3);
    const ids = Object(
      await page.evaluate(`[...document.querySelectorAll('[id]')].map(({ id }) => id)`),
    );
    expect(ids).toHaveLength(new Set(ids).size);
  });

  test.each(['light', 'dark'] as const)(
    'can be read in %s colours, on a phone',
    async (colorScheme) => {
      const page = await opened({ colorScheme, viewport: { width: 360, height: 740 } });
      await page.locator('#realm-us table').first().waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      expect(await page.evaluate(inBrowser('faintTexts()'))).toEqual([]);
      expect(await page.evaluate(inBrowser('faintStates()'))).toEqual([]);
    },
  );

  test('shows poisoned names as what they are', async () => {
    const poison = `<img src=x onerror="document.title='poisoned'">`;
    const page = await opened();
    const complaints = complaintsOf(page);
    const plant = (kind: string, Item: Record<string, unknown>) =>
      watched.world
        .documents('sg')
        .send(new PutCommand({ TableName: `residency-local-sg-${kind}`, Item }));
    await plant('tenants', { tenant: poison, state: poison, movedTo: poison, revision: 1 });
    await plant('migrations', {
      tenant: poison,
      id: `status#${poison}`,
      migration: poison,
      status: poison,
      source: poison,
      target: poison,
      scheduledAt: new Date().toISOString(),
      error: { code: 'E9999', reason: poison },
    });
    await page.locator('#realm-sg .who strong').waitFor();
    expect(await textsOf(page, '#realm-sg .who strong, #realm-sg .pill')).toEqual([poison, poison]);
    await page.locator('.migration .notice').first().waitFor();
    expect(await textsOf(page, '#migrations .migration:first-child .notice')).toEqual([poison]);
    await page.getByLabel('Site', { exact: true }).fill(poison);
    await press(page, 'Install');
    await page.locator('#outcome[data-done]').waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Tenants on the move');
    expect(complaints).toEqual([]);
  });
});

/** A schedule in the ledger that was copied ahead of its window. */
const early = {
  tenant: 'early',
  id: 'status#1',
  migration: '1',
  source: 'us',
  target: 'de',
  status: 'scheduled',
  scheduledAt: '2026-11-24T12:00:00.000Z',
  ahead: {
    begunAt: '2026-11-24T12:01:00.000Z',
    finishedAt: '2026-11-24T12:02:00.000Z',
    items: 1_200,
    bytes: 1_228_800,
  },
};

function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    // The browser itself logs every answer that is not 2xx.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  return complaints;
}

const expectSoon = <T>(look: () => Promise<T>) => expect.poll(look);

/** Runs in the browser: the newest view that the page's server sends. */
const lastNews = `new Promise((resolve) => {
  const events = new EventSource('/events');
  events.onmessage = ({ data }) => { events.close(); resolve(data); };
})`;

const focused = (page: Page): Promise<unknown> =>
  page.evaluate('document.activeElement.textContent');

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 20; presses += 1) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`twenty tabs do not lead to ${name}`);
}

const outlineOf = async (page: Page): Promise<string> =>
  String(
    await page.evaluate(
      `(({ outlineStyle: style, outlineWidth: width }) => style + ' ' + width)(getComputedStyle(document.activeElement))`,
    ),
  );

const CONTRAST = readFileSync(new URL('./contrast.js', import.meta.url), 'utf8');
const inBrowser = (call: string): string =>
  `(() => { ${CONTRAST.replaceAll('export function', 'function')}\nreturn ${call}; })()`;
