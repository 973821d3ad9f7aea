/**
 * Keeps the sites of the watch page's Atlassian in the data directory, so that it knows them after
 * a restart.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Site } from '../simulated-atlassian.ts';
import { unwritable } from '../unwritable.ts';

export interface KnownSite {
  readonly site: Site;
  /** The realm to which Atlassian sends its requests. Its base URL may change with each run. */
  readonly realm: Realm;
}

export interface KnownSites {
  read(): readonly KnownSite[];
  /** Writes all sites at once, so that no reader sees a half-written file. */
  keep(sites: readonly KnownSite[]): void;
}

/** Without a directory it keeps nothing. */
export function knownSites(dataDir: string | undefined): KnownSites {
  if (dataDir === undefined) return { read: () => [], keep: () => undefined };
  const file = join(dataDir, 'atlassian-sites.json');
  return {
    read() {
      try {
        const stored: unknown = JSON.parse(readFileSync(file, 'utf8'));
        return Array.isArray(stored) ? stored.filter(isKnownSite) : [];
      } catch {
        return [];
      }
    },
    keep(sites) {
      try {
        mkdirSync(dataDir, { recursive: true });
        // The file holds the sites' secrets.
        writeFileSync(`${file}.new`, JSON.stringify(sites), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        throw unwritable(dataDir, error) ?? error;
      }
    },
  };
}

function isKnownSite(value: unknown): value is KnownSite {
  const { site, realm }: Readonly<Record<string, unknown>> = { ...Object(value) };
  const fields: Readonly<Record<string, unknown>> = { ...Object(site) };
  return (
    typeof realm === 'string' &&
    ['clientKey', 'sharedSecret', 'cloudId', 'productUrl', 'door', 'cameBy'].every(
      (name) => typeof fields[name] === 'string',
    ) &&
    Array.isArray(fields['installations'])
  );
}
