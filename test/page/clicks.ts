/** What an operator does and reads on the watch page. */
import type { Page } from 'playwright-core';

/** Installs with 100 items by default; the tenant is then the chosen one. */
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

/** Waits until the list of tenants has it chosen. */
export const chosen = (page: Page, tenant: string): Promise<void> =>
  page
    .locator(`#tenant option:checked[value=${JSON.stringify(tenant)}]`)
    .waitFor({ state: 'attached' });

/** Presses the button as soon as it has an effect. */
export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click();

export async function reached(page: Page, tenant: string, status: string): Promise<void> {
  await page
    .locator(`.migration[data-status=${status}]`, { has: page.locator('h3', { hasText: tenant }) })
    .first()
    .waitFor({ state: 'attached' }); // finished migrations are folded
}

export const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.locator(selector).allTextContents();

export const itemsOf = (page: Page, realm: string, tenant: string): Promise<string[]> =>
  page
    .locator(`#realm-${realm} .tenant`, { has: page.locator('strong', { hasText: tenant }) })
    .locator('.number')
    .allTextContents();
