/** The error of a data directory that cannot be written to, as one sentence for the operator. */

/**
 * In most cases the disk is full. The host has to end: a failed write may leave a torn entry in a
 * store's log, and the next run would lose what is written after it. All acknowledged writes are
 * before it.
 */
export class UnwritableDataDir extends Error {
  override readonly name = 'UnwritableDataDir';
  constructor(dataDir: string, reason: string) {
    super(
      `the data directory ${dataDir} cannot be written to (${reason}): make room, and start the host again; everything that was acknowledged is kept`,
    );
  }
}

const CODES: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'file too large',
  EROFS: 'read-only file system',
  EACCES: 'permission denied',
  EIO: 'input/output error',
};

/** The error, where the cause is one of the disk's. Node's errors have a code, LevelDB's a text. */
export function unwritable(dataDir: string, error: unknown): UnwritableDataDir | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? String(error.code) : '';
  const known = CODES[code] ?? (code === 'LEVEL_IO_ERROR' ? lastWords(error) : undefined);
  return known === undefined
    ? unwritable(dataDir, error.cause)
    : new UnwritableDataDir(dataDir, known);
}

/** `IO error: /data/us-east-1/000003.log: No space left on device` */
const lastWords = ({ message }: Error): string => (message.split(': ').at(-1) ?? '').toLowerCase();
