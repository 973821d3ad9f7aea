/** Writes `atlassian-connect.json` beside this file. Atlassian reads the one that the default realm serves; this one is for review. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { baseUrlsOf, type Residency } from '../lambdas/domain/residency.ts';
import { residency } from '../residency.config.ts';
import { connectDescriptor } from './connect.ts';

/** Where neither a domain nor base URLs are configured yet. `.example` never resolves (RFC 2606). */
const PLACEHOLDER_DOMAIN = 'app.example';

export const DESCRIPTOR_FILE = new URL('./atlassian-connect.json', import.meta.url);

/** What the file holds for this configuration; what the command line says with `-c domain=…` is not known here. */
export const descriptorText = (configured: Residency): string =>
  `${JSON.stringify(connectDescriptor(configured, baseUrlsOf(withUrls(configured))), undefined, 2)}\n`;

const withUrls = (configured: Residency): Residency =>
  configured.domain === undefined && configured.baseUrls === undefined
    ? { ...configured, domain: PLACEHOLDER_DOMAIN }
    : configured;

if (import.meta.main) {
  await writeFile(DESCRIPTOR_FILE, descriptorText(residency));
  console.log(`wrote ${fileURLToPath(DESCRIPTOR_FILE)}`);
  if (residency.domain === undefined && residency.baseUrls === undefined) {
    console.log(`no domain and no base URLs are configured: ${PLACEHOLDER_DOMAIN} stands for them`);
  }
}
