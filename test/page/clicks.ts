/** What people do on the watch page, and what they read there. */
import type { Page } from 'playwright-core';

/** With 100 items, unless said otherwise; the tenant is then the one to be moved. */
export async function install(
  page: Page,
  tenant: string,
  realm: string,
  items = '100',
): Promise<void> {
  await page.getByLabel('Site', { exact: true }).fill(tenant);
  await page.getByLabel('Realm', { exact: true }).selectOption(realm);
  await page.getByLabel('Sample items').selectOption(items);
  await press(page, 'Install');
  await chosen(page, tenant);
  await page.locator('#outcome[data-done=true]').waitFor();
}

/** Until the list of tenants has it chosen. */
export const chosen = (page: Page, tenant: string): Promise<void> =>
  page
    .locator(`#tenant option:checked[value=${JSON.stringify(tenant)}]`)
    .waitFor({ state: 'attached' });

/** As soon as the button has an effect. */
export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click();

export async function reached(page: Page, tenant: string, status: string): Promise<void> {
  await page
    .locator(`.migration[data-status=${status}]`, { has: page.locator('h3', { hasText: tenant }) })
    .first()
    .waitFor({ state: 'attached' }); // those that are finished are folded
}

export const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.locator(selector).allTextContents();

export const itemsOf = (page: Page, realm: string, tenant: string): Promise<string[]> =>
  page
    .locator(`#realm-${realm} .tenant`, { has: page.locator('strong', { hasText: tenant }) })
    .locator('.number')
    .allTextContents();
