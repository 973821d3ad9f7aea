/** The sites that the watch page's Atlassian knows, kept in the data directory: it is the same Atlassian after a restart. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Site } from '../simulated-atlassian.ts';
import { unwritable } from '../unwritable.ts';

export interface KnownSite {
  readonly site: Site;
  /** Where Atlassian sends its requests. The base URL follows from it, and may be another one in each life. */
  readonly realm: Realm;
}

export interface KnownSites {
  read(): readonly KnownSite[];
  /** All of them, at once: a file that was half written is never seen. */
  keep(sites: readonly KnownSite[]): void;
}

/** Without a directory, nothing is kept. */
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
        // Their secrets are in it.
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
