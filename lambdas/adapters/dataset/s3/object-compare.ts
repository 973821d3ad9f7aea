/**
 * Compares objects of two realms: what has to be done so that the target is equal to the source.
 */
import type { Difference } from '../../../ports.ts';
import { checksumOf } from './object-bytes.ts';
import type { ObjectPair } from './object-pages.ts';
import { type ObjectSide, printableKey } from './object-side.ts';
import type { ObjectAction } from './object-steps.ts';
import { encodeObject, type ObjectChecksum, type StoredObject } from './stored-object.ts';

/** An object without a checksum that is larger is copied again rather than read. */
const CHUNKS_READ = 32;
/** Stands for a checksum where only what is beside the bytes is compared. */
const ANY: ObjectChecksum = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value: '' };

/** `undefined` where neither side has it any more. */
export async function actionFor(
  source: ObjectSide,
  target: ObjectSide,
  { key, source: wanted, target: present }: ObjectPair,
): Promise<ObjectAction | undefined> {
  if (wanted === undefined) return present && { action: 'remove', key };
  const copy: ObjectAction = { action: 'copy', object: wanted };
  if (present === undefined) return copy;
  const untagged = [wanted, present].map((object) => ({ ...object, tags: [] }));
  const [one, other] = untagged.map((object, at) =>
    encodeObject(at === 0 ? source : target, object, ANY),
  );
  if (one !== other) return copy;
  const checksum = await sameChecksum(source, target, wanted, present);
  if (checksum === undefined) return copy;
  const found = { object: wanted, checksum };
  const isTagged = JSON.stringify(wanted.tags) === JSON.stringify(present.tags);
  return { action: isTagged ? 'keep' : 'tag', found };
}

/** Algorithm and form are compared too: a digest, which sees one side alone, is made of them. */
async function sameChecksum(
  source: ObjectSide,
  target: ObjectSide,
  wanted: StoredObject,
  present: StoredObject,
): Promise<ObjectChecksum | undefined> {
  const most = CHUNKS_READ * source.limits.chunkBytes;
  const isUnread = wanted.checksum === undefined || present.checksum === undefined;
  if (isUnread && wanted.size > most) return undefined;
  const [one, other] = await Promise.all([checksumOf(source, wanted), checksumOf(target, present)]);
  const isSame =
    one.algorithm === other.algorithm && one.type === other.type && one.value === other.value;
  return isSame ? one : undefined;
}

export async function differenceIn(
  source: ObjectSide,
  target: ObjectSide,
  pair: ObjectPair,
): Promise<Difference | undefined> {
  const action = await actionFor(source, target, pair);
  if (action === undefined || action.action === 'keep') return undefined;
  const key = printableKey(source, pair.key);
  if (action.action === 'remove') return { key, found: 'extra' };
  return { key, found: pair.target === undefined ? 'missing' : 'changed' };
}
