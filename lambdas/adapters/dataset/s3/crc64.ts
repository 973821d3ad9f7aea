/** CRC-64/NVME of bytes that come in pieces: the checksums of two pieces make that of both. */
import { Crc64Nvme } from '@aws-sdk/checksums/crc';

/** The polynomial, its lowest power at the highest bit. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const ONE = 1n << 63n;

export async function crc64(bytes: Uint8Array): Promise<bigint> {
  const crc = new Crc64Nvme();
  crc.update(bytes);
  return Buffer.from(await crc.digest()).readBigUInt64BE();
}

/** Of the bytes of `one`, and behind them the `length` bytes of `other`. */
export const joinedCrc64 = (one: bigint, other: bigint, length: number): bigint =>
  product(one, powerOfX(8n * BigInt(length))) ^ other;

/** As S3 gives it. */
export function crc64Base64(crc: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(crc);
  return bytes.toString('base64');
}

/** Of two polynomials over the field of two elements, modulo that of the checksum. */
function product(one: bigint, other: bigint): bigint {
  let [sum, shifted] = [0n, other];
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if (one & bit) sum ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ POLYNOMIAL : shifted >> 1n;
  }
  return sum;
}

function powerOfX(exponent: bigint): bigint {
  let [power, square] = [ONE, ONE >> 1n];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) power = product(power, square);
    square = product(square, square);
  }
  return power;
}
