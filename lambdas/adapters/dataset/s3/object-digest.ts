/**
 * Computes the digest of a range from what S3 keeps of each object, and from bytes where it must.
 */
import { type ItemDigest, withItems } from '../../../domain/datasets/digest.ts';
import type { Checkpoint } from '../../../ports.ts';
import { BEGINNING, checkpointAt } from '../checkpoint.ts';
import { oneAhead } from '../range-reader.ts';
import type { WriteStep } from '../write-steps.ts';
import { bytesOfTurn, checksumOf, computedChecksum, readOn } from './object-bytes.ts';
import { cursorText, type ObjectCursor, parseCursor } from './object-cursor.ts';
import { describedPages } from './object-pages.ts';
import { type ObjectSide, relativeKey } from './object-side.ts';
import { objectDigest, type StoredObject } from './stored-object.ts';

export async function* digestSteps(
  side: ObjectSide,
  from: Checkpoint = BEGINNING,
): AsyncGenerator<WriteStep<never>> {
  const start = parseCursor(from.cursor);
  let { after, read } = start;
  let { digest } = from;
  const stepAt = (cursor: ObjectCursor | undefined): WriteStep<never> => ({
    writes: [],
    checkpoint: checkpointAt(cursor && cursorText(cursor), digest, 0),
    pages: 1,
    written: 0,
  });

  for await (const { objects, lastKey } of oneAhead(describedPages(side, after))) {
    let together: StoredObject[] = [];
    for (const object of objects) {
      if (!isReadInSteps(side, object)) {
        together.push(object);
        continue;
      }
      digest = withItems(digest, await digestsOf(side, together));
      const before = together.at(-1);
      if (before !== undefined) after = relativeKey(side, before.key);
      together = [];
      let done = read?.etag === object.etag ? read : undefined;
      do {
        done = await readOn(side, object, done);
        if (done.bytes < object.size)
          yield stepAt({ ...(after !== undefined && { after }), read: done });
      } while (done.bytes < object.size);
      read = undefined;
      digest = withItems(digest, [objectDigest(side, object, computedChecksum(done))]);
      after = relativeKey(side, object.key);
    }
    digest = withItems(digest, await digestsOf(side, together));
    if (lastKey !== undefined) after = relativeKey(side, lastKey);
    yield stepAt(lastKey === undefined ? undefined : { after: relativeKey(side, lastKey) });
  }
}

/** An object without a checksum may have terabytes. */
const isReadInSteps = (side: ObjectSide, { checksum, size }: StoredObject): boolean =>
  checksum === undefined && size > bytesOfTurn(side);

/** Reads as many bytes at once as one large object would have in memory. */
async function digestsOf(
  side: ObjectSide,
  objects: readonly StoredObject[],
): Promise<readonly ItemDigest[]> {
  const digests: ItemDigest[] = [];
  let group: StoredObject[] = [];
  let bytes = 0;
  const read = async () => {
    const found = await Promise.all(
      group.map(async (object) => objectDigest(side, object, await checksumOf(side, object))),
    );
    digests.push(...found);
    [group, bytes] = [[], 0];
  };
  for (const object of objects) {
    group.push(object);
    bytes += object.checksum === undefined ? object.size : 0;
    if (bytes >= bytesOfTurn(side)) await read();
  }
  await read();
  return digests;
}
