/** Reads the bytes of objects for which S3 keeps no checksum, and computes one. */
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Fault } from '../../../domain/refusal.ts';
import { crc64, crc64Base64, joinedCrc64 } from './crc64.ts';
import type { ObjectCursor } from './object-cursor.ts';
import { ask, type ObjectSide } from './object-side.ts';
import { isMissing, isReplaced } from './s3-errors.ts';
import type { ObjectChecksum, StoredObject } from './stored-object.ts';

type Read = NonNullable<ObjectCursor['read']>;

/** Chunks that are read at once: they are in memory. */
const CHUNKS_AT_ONCE = 4;

/** What is read before the next checkpoint. */
export const bytesOfTurn = ({ limits }: ObjectSide): number => CHUNKS_AT_ONCE * limits.chunkBytes;

/** The checksum of the whole object: the one that S3 keeps, or one that is computed. */
export async function checksumOf(side: ObjectSide, object: StoredObject): Promise<ObjectChecksum> {
  if (object.checksum !== undefined) return object.checksum;
  let read: Read | undefined;
  do read = await readOn(side, object, read);
  while (read.bytes < object.size);
  return computedChecksum(read);
}

export const computedChecksum = ({ crc }: Read): ObjectChecksum => ({
  algorithm: 'CRC64NVME',
  type: 'FULL_OBJECT',
  value: crc64Base64(BigInt(`0x${crc}`)),
});

/** Reads the next chunks. Throws a `Fault` where the object is replaced meanwhile. */
export async function readOn(
  side: ObjectSide,
  object: StoredObject,
  from: Read = { bytes: 0, crc: '0', etag: object.etag },
): Promise<Read> {
  const { chunkBytes } = side.limits;
  const starts = Array.from({ length: CHUNKS_AT_ONCE }, (_, at) => from.bytes + at * chunkBytes);
  const chunks = await Promise.all(
    starts
      .filter((start) => start < object.size)
      .map((start) => chunkOf(side, object, start, Math.min(object.size, start + chunkBytes))),
  );
  let [bytes, crc] = [from.bytes, BigInt(`0x${from.crc}`)];
  for (const chunk of chunks) {
    crc = joinedCrc64(crc, chunk.crc, chunk.bytes);
    bytes += chunk.bytes;
  }
  return { bytes, crc: crc.toString(16), etag: object.etag };
}

async function chunkOf(side: ObjectSide, { key, etag }: StoredObject, from: number, to: number) {
  const { client, bucket } = side;
  try {
    return await ask(
      side,
      'GetObject',
      async () => {
        const { Body } = await client.send(
          new GetObjectCommand({
            Bucket: bucket,
            Key: key,
            IfMatch: etag,
            Range: `bytes=${from}-${to - 1}`,
          }),
        );
        const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
        if (bytes.length !== to - from) throw new Fault('S3 has sent fewer bytes than it has');
        return { bytes: bytes.length, crc: await crc64(bytes) };
      },
      { lets: (error) => isMissing(error) || isReplaced(error) },
    );
  } catch (error) {
    if (isMissing(error) || isReplaced(error)) throw replacedMeanwhile(side);
    throw error;
  }
}

export const replacedMeanwhile = ({ part }: ObjectSide): Error =>
  new Fault(`part "${part.name}": an object was replaced while it was read`);
