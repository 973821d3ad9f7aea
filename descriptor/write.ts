/**
 * Writes `atlassian-connect.json` and the manifests into this folder, for review and to take
 * fragments from. Atlassian reads the descriptor that the default realm serves, and the manifest
 * that the Forge CLI deploys.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { deployedIn } from '../lambdas/domain/deployed-realms.ts';
import { baseUrlsOf, type Residency } from '../lambdas/domain/residency.ts';
import { keptRealms } from '../lib/kept-context.ts';
import { residency as whole } from '../residency.config.ts';
import { connectDescriptor } from './connect.ts';
import { forgeManifest, type ManifestOptions } from './forge.ts';

/**
 * Used where neither a domain nor base URLs are configured. `.example` never resolves (RFC 2606).
 */
const PLACEHOLDER_DOMAIN = 'app.example';

/** The configuration, without realms that `cdk.json` says are not deployed. */
export const described: Residency = deployedIn(whole, keptRealms());

export const DESCRIPTOR_FILE = new URL('./atlassian-connect.json', import.meta.url);

/** Each variant of the manifest, by its file. */
export const MANIFESTS: ReadonlyMap<string, (configured: Residency) => string> = new Map([
  ['manifest.yml', (configured) => manifestText(configured)],
  [
    'manifest-beside.yml',
    (configured) => manifestText(configured, { beside: exampleApp(configured) }),
  ],
  ['manifest-forge-only.yml', (configured) => manifestText(configured, { lifecycle: 'forge' })],
]);

export const manifestFile = (name: string): URL => new URL(`./${name}`, import.meta.url);

/** The text for this configuration. It does not know a domain that is given with `-c domain=…`. */
export const descriptorText = (configured: Residency): string =>
  `${JSON.stringify(connectDescriptor(configured, urlsOf(configured)), undefined, 2)}\n`;

const manifestText = (configured: Residency, options?: ManifestOptions): string =>
  stringify(forgeManifest(configured, urlsOf(configured), options), { lineWidth: 0 });

/** An example of an existing app's remote. */
function exampleApp(configured: Residency) {
  const ours = forgeManifest(configured, urlsOf(configured)).remotes[0]?.baseUrl ?? {};
  const baseUrl = Object.fromEntries(
    Object.keys(ours).map((name) => [name, `https://${name.toLowerCase()}.existing-app.example`]),
  );
  return { key: 'existing-app', baseUrl };
}

const urlsOf = (configured: Residency) => baseUrlsOf(withUrls(configured), 'prod');

const withUrls = (configured: Residency): Residency =>
  configured.domain === undefined && configured.baseUrls === undefined
    ? { ...configured, domain: PLACEHOLDER_DOMAIN }
    : configured;

if (import.meta.main) {
  const files: [URL, string][] = [[DESCRIPTOR_FILE, descriptorText(described)]];
  if (described.app.forge !== undefined)
    for (const [name, text] of MANIFESTS) files.push([manifestFile(name), text(described)]);
  for (const [file, text] of files) {
    await writeFile(file, text);
    console.log(`wrote ${fileURLToPath(file)}`);
  }
  if (described.domain === undefined && described.baseUrls === undefined) {
    console.log(`no domain and no base URLs are configured: ${PLACEHOLDER_DOMAIN} stands for them`);
  }
}
