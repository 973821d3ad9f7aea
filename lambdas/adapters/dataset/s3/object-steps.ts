/**
 * Turns what has to be done with the objects of a page into steps: many objects at once, and a
 * large one by itself, in steps of some parts.
 */
import { type Digest, type ItemDigest, withItems } from '../../../domain/datasets/digest.ts';
import type { Checkpoint } from '../../../ports.ts';
import { BEGINNING, checkpointAt } from '../checkpoint.ts';
import type { LateStep } from '../write-steps.ts';
import { checksumOf } from './object-bytes.ts';
import { actionFor } from './object-compare.ts';
import {
  type CopiedObject,
  copyWhole,
  isCopiedInParts,
  removeObject,
  replaceTags,
} from './object-copy.ts';
import { cursorText, type ObjectCursor, parseCursor } from './object-cursor.ts';
import { type ObjectSide, relativeKey } from './object-side.ts';
import {
  abortUpload,
  beginUpload,
  completeUpload,
  copyPart,
  plannedParts,
  resumedUpload,
} from './part-copy.ts';
import { describeObject, objectDigest, type StoredObject } from './stored-object.ts';

/** Resolves when it is acknowledged. */
export type ObjectWrite = () => Promise<void>;
export type ObjectStep = LateStep<ObjectWrite>;

/** What has to be done so that the target has an object as the source has it. */
export type ObjectAction =
  | { readonly action: 'copy'; readonly object: StoredObject }
  | { readonly action: 'tag'; readonly found: CopiedObject }
  | { readonly action: 'keep'; readonly found: CopiedObject }
  | { readonly action: 'remove'; readonly key: string };

/** Parts between two checkpoints. */
const PARTS_OF_STEP = 128;

export function objectSteps(source: ObjectSide, target: ObjectSide, from: Checkpoint = BEGINNING) {
  let digest: Digest = from.digest;
  let { changed } = from;
  const start = parseCursor(from.cursor);
  let { after, upload: resumable } = start;

  /** The checkpoint of a step: called when its writes, and all before, are done. */
  const reached =
    (cursor: ObjectCursor | undefined, seen: readonly ItemDigest[], writes: () => number) =>
    (): Checkpoint => {
      digest = withItems(digest, seen);
      changed += writes();
      return checkpointAt(cursor && cursorText(cursor), digest, changed);
    };

  return {
    start,
    /** `lastKey` is absent where nothing follows. */
    async *page(
      actions: readonly ObjectAction[],
      lastKey: string | undefined,
    ): AsyncGenerator<ObjectStep> {
      let run: ObjectAction[] = [];
      for (const action of actions) {
        if (action.action !== 'copy' || !isCopiedInParts(source, action.object)) {
          run.push(action);
          continue;
        }
        if (run.length > 0) yield manyAtOnce(run, { after: relativeKey(source, keyOf(run)) });
        run = [];
        yield* inParts(action.object);
        after = relativeKey(source, action.object.key);
      }
      await forgetUpload();
      const end = lastKey === undefined ? undefined : { after: relativeKey(source, lastKey) };
      yield manyAtOnce(run, end);
    },
  };

  function manyAtOnce(
    actions: readonly ObjectAction[],
    cursor: ObjectCursor | undefined,
  ): ObjectStep {
    after = cursor?.after;
    const seen: ItemDigest[] = [];
    let written = 0;
    const count = () => {
      written += 1;
    };
    const see = ({ object, checksum }: CopiedObject) => {
      seen.push(objectDigest(source, object, checksum));
    };
    const writes = actions.flatMap((action) => writesOf(action, see, count));
    return { writes, checkpoint: reached(cursor, seen, () => written), pages: 1 };
  }

  function writesOf(
    action: ObjectAction,
    see: (copied: CopiedObject) => void,
    count: () => void,
  ): readonly ObjectWrite[] {
    if (action.action === 'copy') {
      const copy = async () => {
        const copied = await copyWhole(source, target, action.object);
        if (copied === undefined) return;
        see(copied);
        count();
      };
      return [copy];
    }
    if (action.action !== 'remove') see(action.found);
    if (action.action === 'keep') return [];
    count();
    if (action.action === 'remove') return [() => removeObject(target, action.key)];
    const { key, tags } = action.found.object;
    return [() => replaceTags(target, key, tags)];
  }

  async function* inParts(object: StoredObject): AsyncGenerator<ObjectStep> {
    const key = relativeKey(source, object.key);
    const plan = await plannedParts(source, object);
    const isSame = resumable?.key === key && resumable.etag === object.etag;
    const resumed = isSame
      ? await resumedUpload(target, object.key, resumable?.id ?? '', plan)
      : undefined;
    resumable = undefined;
    if (isSame && resumed === undefined) {
      const found = await completedBefore(object);
      if (found !== undefined) {
        const seen = [objectDigest(source, found.object, found.checksum)];
        yield { writes: [], checkpoint: reached({ after: key }, seen, () => 1), pages: 1 };
        return;
      }
    }
    const open = resumed ?? (await beginUpload(target, object));
    const here: ObjectCursor = {
      ...(after !== undefined && { after }),
      upload: { key, id: open.id, etag: object.etag },
    };
    // S3 keeps the parts of an upload whose id is known: a worker that dies among the first parts
    // loses only those that are under way.
    if (resumed === undefined)
      yield { writes: [], checkpoint: reached(here, [], () => 0), pages: 1 };
    const missing = plan.filter(({ number }) => !open.parts.has(number));
    const copies: Promise<void>[] = [];
    for (let first = 0; first < missing.length; first += PARTS_OF_STEP) {
      const writes = missing.slice(first, first + PARTS_OF_STEP).map((part) => () => {
        const copy = copyPart(source, target, object, open, part);
        copies.push(copy);
        return copy;
      });
      yield { writes, checkpoint: reached(here, [], () => 0), pages: 1 };
    }
    const seen: ItemDigest[] = [];
    const complete = async () => {
      await Promise.all(copies);
      await completeUpload(target, object, open);
      // S3 has computed it: reading it from the target costs less than reading the source.
      const checksum = object.checksum ?? (await checksumOfCopy(object));
      seen.push(objectDigest(source, object, checksum));
    };
    yield { writes: [complete], checkpoint: reached({ after: key }, seen, () => 1), pages: 1 };
  }

  /** An upload that is gone was completed by a worker that died before it recorded that. */
  async function completedBefore(object: StoredObject): Promise<CopiedObject | undefined> {
    const { key } = object;
    const present = await describeObject(target, key);
    const action = await actionFor(source, target, { key, source: object, target: present });
    return action?.action === 'keep' ? action.found : undefined;
  }

  async function checksumOfCopy(object: StoredObject) {
    const copy = await describeObject(target, object.key);
    return copy?.checksum ?? checksumOf(source, object);
  }

  /** The object that an upload was for is gone, or is copied otherwise now. */
  async function forgetUpload(): Promise<void> {
    if (resumable === undefined) return;
    await abortUpload(target, `${target.prefix}${resumable.key}`, resumable.id);
    resumable = undefined;
  }
}

function keyOf(actions: readonly ObjectAction[]): string {
  const last = actions.at(-1);
  if (last === undefined) return '';
  if (last.action === 'remove') return last.key;
  return last.action === 'copy' ? last.object.key : last.found.object.key;
}
