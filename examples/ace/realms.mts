/** Starts the app of each realm in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { regionOf } from '../../lambdas/domain/realm.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import type { LocalHost } from '../../lib/local/host.ts';

/** What the apps need to know of the world around them. */
export interface Surroundings {
  readonly host: Pick<LocalHost, 'dynamoDbUrl' | 'urls' | 'atlassian'>;
  readonly residency: Residency;
  /** Realm to TCP port. */
  readonly ports: Readonly<Record<string, number>>;
}

export interface RunningApp {
  /** What it has written to its error output. */
  readonly complaints: readonly string[];
  stop(): Promise<void>;
}

/** `isAdopted`: with what docs/adopt.md adds. Resolves when it listens. */
export async function startRealm(
  { host, residency, ports }: Surroundings,
  realm: string,
  isAdopted: boolean,
): Promise<RunningApp> {
  const child = spawn(process.execPath, ['app.js'], {
    cwd: import.meta.dirname,
    env: {
      ...process.env,
      AWS_ENDPOINT_URL_DYNAMODB: host.dynamoDbUrl,
      AWS_ACCESS_KEY_ID: 'vendor',
      AWS_SECRET_ACCESS_KEY: 'vendor',
      AWS_REGION: regionOf(residency.realms, realm),
      REALM: realm,
      PORT: String(ports[realm]),
      NOTES_TABLE: `notes-local-${realm}`,
      SETTINGS_TABLE: `settings-local-${realm}`,
      STORE: isAdopted ? 'residency' : 'dynamodb',
      ADOPTED: isAdopted ? 'yes' : 'no',
      BASE_URLS: JSON.stringify(host.urls),
      // The audience of Atlassian's tokens: the router's URL, or all of AC_ALLOWED_BASE_URLS.
      AC_LOCAL_BASE_URL: host.urls[realm],
      AC_OPTS: 'no-reg',
      CONNECT_KEYS_CDN_URL: host.atlassian?.installKeysUrl,
    },
  });
  const complaints: string[] = [];
  child.stderr.on('data', (chunk) => complaints.push(String(chunk)));
  await listening(child, complaints);
  return {
    complaints,
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    },
  };
}

/** It prints one line when it listens. */
function listening(child: ChildProcess, complaints: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    if (child.stdout) createInterface(child.stdout).once('line', () => resolve());
    child.once('exit', (code) =>
      reject(new Error(`app.js ended (${code}): ${complaints.join('')}`)),
    );
  });
}
