/** What every operation works with. */

import type { RegionStore } from './region-store.ts';
import type { S3Reply, S3Request } from './s3-request.ts';

export interface S3Limits {
  /** The largest source of one copy request. */
  readonly copyBytes: number;
  /** The smallest part of an upload, beside the last one. */
  readonly partBytes: number;
}

export interface S3Context {
  /** The region that the request was signed for. */
  readonly store: RegionStore;
  /** The store of a bucket's region; throws `NoSuchBucket`. */
  readonly storeOf: (bucket: string) => RegionStore;
  readonly limits: S3Limits;
  /** New objects without a checksum get CRC64NVME, as S3 does since December 2024. */
  readonly checksumByDefault: boolean;
  readonly now: () => number;
}

export type Operation = (request: S3Request, context: S3Context) => Promise<S3Reply>;
