/** Which host this is, and which of its lives: its invocations are named by both, so that it knows its own dead. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IsGone } from '../../lambdas/ports.ts';
import { unwritable } from './unwritable.ts';

export interface HostLife {
  /** `{host}/{life}/{invocation}` */
  readonly newRequestId: () => string;
  /** What an earlier life of this host had begun ended with its process, and so did every write of it. */
  readonly isGone: IsGone;
}

/**
 * `dataDir` is where the host is the same again after a restart; the caller must hold it alone, or an earlier life might
 * be another's present one. Without it every start is another host.
 */
export function hostLife(dataDir: string | undefined): HostLife {
  const host = dataDir === undefined ? randomUUID() : hostIdIn(dataDir);
  const life = `${host}/${randomUUID()}`;
  return {
    newRequestId: () => `${life}/${randomUUID()}`,
    isGone: (owner) => owner.startsWith(`${host}/`) && !owner.startsWith(`${life}/`),
  };
}

/** Half an id, of a host that was killed while it wrote its first one, is none: nobody can have used it. */
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
