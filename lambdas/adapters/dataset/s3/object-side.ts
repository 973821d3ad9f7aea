/** A range in one realm, as the files of this room know it: a prefix of a bucket. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { S3Part } from '../../../domain/datasets/s3-part.ts';
import type { RequestWindow } from './request-window.ts';
import { s3Error } from './s3-errors.ts';

export interface ObjectSide {
  readonly client: S3Client;
  /** All requests of this side go through it. */
  readonly window: RequestWindow;
  readonly bucket: string;
  readonly part: S3Part;
  readonly prefix: string;
  readonly limits: ObjectLimits;
}

export interface ObjectLimits {
  /** Keys of one listing; 1,000 is S3's limit. */
  readonly pageKeys: number;
  /**
   * Objects up to this size are copied by one request. S3's limit is 5 GB. Less keeps requests
   * short: S3 may go on with a copy whose caller has died.
   */
  readonly singleCopyBytes: number;
  /** The size of the parts in which larger ones are copied. S3 takes 5 MB to 5 GB. */
  readonly partBytes: number;
  /** Objects without a checksum are read in chunks of this size. */
  readonly chunkBytes: number;
}

const MB = 1024 ** 2;

export const OBJECT_LIMITS: ObjectLimits = {
  pageKeys: 1_000,
  singleCopyBytes: 512 * MB,
  partBytes: 256 * MB,
  chunkBytes: 32 * MB,
};

/** Sends a request of this side, in our words where it fails; `as` lets some errors through. */
export async function ask<T>(
  { window, bucket }: ObjectSide,
  command: string,
  request: () => Promise<T>,
  { lets = () => false, items }: { lets?: (error: unknown) => boolean; items?: number } = {},
): Promise<T> {
  try {
    return await window.run(request, items);
  } catch (error) {
    throw lets(error) ? error : s3Error(error, command, bucket);
  }
}

/** A key within the range. */
export const relativeKey = ({ prefix }: ObjectSide, key: string): string =>
  key.slice(prefix.length);

/**
 * A key that `EncodingType: 'url'` has made printable. S3 says in its answer that it did; another
 * store may not know the parameter, and its `+` is a plus.
 */
export const decodedKey = (key = '', encoding: string | undefined): string =>
  encoding === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;

/** As text for people: the range that it belongs to names the prefix. */
export const printableKey = (side: ObjectSide, key: string): string =>
  relativeKey(side, key).replace(/[\p{C}\p{Z}]/gu, (character) =>
    character === ' ' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** Negative, zero or positive, in the order in which S3 lists: by the bytes of UTF-8. */
export const compareKeys = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

/** The value of `CopySource`. */
export const copySourceOf = ({ bucket }: ObjectSide, key: string): string =>
  `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
