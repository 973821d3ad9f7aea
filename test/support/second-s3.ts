/**
 * Another S3 for suites that can run against two. `SECOND_S3` is its address, for instance that of
 * moto's server.
 */
import { describe } from 'vitest';
import type { EmbeddedS3Options } from '../../lib/local/s3/embedded-s3.ts';
import { type S3World, s3World } from './s3-client.ts';

export const SECOND = process.env['SECOND_S3'];

/** Runs the suite on the embedded S3, and on a second one where there is one. */
export function onEveryS3(
  suite: (
    start: (options?: Partial<EmbeddedS3Options>) => Promise<S3World>,
    isOurs: boolean,
  ) => void,
): void {
  describe('the embedded S3', () => suite((options) => s3World(options), true));
  const name = SECOND ?? 'skipped, because SECOND_S3 names none';
  describe.skipIf(SECOND === undefined)(`a second S3 (${name})`, () =>
    suite((options) => s3World(options, SECOND), false),
  );
}
