/** Makes checkpoints. */

import type { Digest } from '../../domain/datasets/digest.ts';
import { EMPTY_DIGEST } from '../../domain/datasets/digest.ts';
import type { Checkpoint } from '../../ports.ts';

/** Before the first item. */
export const BEGINNING: Checkpoint = { done: false, digest: EMPTY_DIGEST, changed: 0 };

/** `cursor` is absent when nothing comes after it. */
export const checkpointAt = (
  cursor: string | undefined,
  digest: Digest,
  changed: number,
): Checkpoint =>
  cursor === undefined ? { done: true, digest, changed } : { cursor, done: false, digest, changed };
