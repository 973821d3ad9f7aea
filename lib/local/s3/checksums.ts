/** The checksums that S3 keeps with an object, and how those of parts make one of the whole. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { S3Error } from './s3-error.ts';

/** S3 knows more; this host refuses them. */
export const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** `COMPOSITE` is the checksum of the checksums of parts, with their number behind a dash. */
export interface Checksum {
  readonly algorithm: Algorithm;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  /** Base64. */
  readonly value: string;
}

export const headerOf = (algorithm: Algorithm): string =>
  `x-amz-checksum-${algorithm.toLowerCase()}`;
/** The name of the element in XML. */
export const elementOf = (algorithm: Algorithm): string => `Checksum${algorithm}`;

/** `undefined` where none is named. */
export function algorithmCalled(name: string | undefined): Algorithm | undefined {
  if (name === undefined) return undefined;
  const found = ALGORITHMS.find((algorithm) => algorithm === name.toUpperCase());
  if (found === undefined)
    throw new S3Error('InvalidRequest', `the local host does not compute checksums by ${name}`);
  return found;
}

export async function fullChecksum(algorithm: Algorithm, bytes: Uint8Array): Promise<Checksum> {
  return {
    algorithm,
    type: 'FULL_OBJECT',
    value: (await digestOf(algorithm, bytes)).toString('base64'),
  };
}

/** Of parts in their order, each with its checksum in base64. */
export async function compositeChecksum(
  algorithm: Algorithm,
  parts: readonly string[],
): Promise<Checksum> {
  const joined = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')));
  const value = (await digestOf(algorithm, joined)).toString('base64');
  return { algorithm, type: 'COMPOSITE', value: `${value}-${parts.length}` };
}

async function digestOf(algorithm: Algorithm, bytes: Uint8Array): Promise<Buffer> {
  if (algorithm === 'SHA1' || algorithm === 'SHA256')
    return createHash(algorithm.toLowerCase()).update(bytes).digest();
  if (algorithm === 'CRC32') {
    const buffer = Buffer.alloc(4);
    buffer.writeUInt32BE(crc32(bytes));
    return buffer;
  }
  const checksum = algorithm === 'CRC32C' ? new Crc32c() : new Crc64Nvme();
  checksum.update(bytes);
  return Buffer.from(await checksum.digest());
}

export const md5 = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest();
