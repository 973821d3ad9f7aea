/**
 * Names this host and this run of it. Request ids hold both, so that the host knows which lease
 * owners of earlier runs have died.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IsGone } from '../../../lambdas/ports.ts';
import { unwritable } from '../unwritable.ts';

export interface HostRun {
  /** `{host}/{run}/{invocation}` */
  readonly newRequestId: () => string;
  /**
   * True for owners of an earlier run of this host. They ended with its process, and so did all
   * their writes.
   */
  readonly isGone: IsGone;
}

/**
 * `dataDir` keeps the host's id over restarts. The caller must hold the directory alone; else an
 * "earlier run" might be a running one. Without it every start is another host.
 */
export function hostRun(dataDir: string | undefined): HostRun {
  const host = dataDir === undefined ? randomUUID() : hostIdIn(dataDir);
  const thisRun = `${host}/${randomUUID()}`;
  return {
    newRequestId: () => `${thisRun}/${randomUUID()}`,
    isGone: (owner) => owner.startsWith(`${host}/`) && !owner.startsWith(`${thisRun}/`),
  };
}

/**
 * A host that was killed while it wrote its first id leaves a part of one. No request id holds it,
 * so a new id is safe.
 */
function hostIdIn(dataDir: string): string {
  const file = join(dataDir, 'host-id');
  const known = textOf(file);
  if (/^[0-9a-f-]{36}$/.test(known)) return known;
  const id = randomUUID();
  try {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, id);
  } catch (error) {
    throw unwritable(dataDir, error) ?? error;
  }
  return id;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
