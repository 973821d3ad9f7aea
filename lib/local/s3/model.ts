/** What a region's store holds: buckets, versions of objects, open uploads. All of it is JSON. */
import type { Algorithm, Checksum } from './checksums.ts';
import type { OrderedKeys } from './key-order.ts';

/** The bytes of an object or of a part, as the body store knows them. */
export interface Body {
  readonly id: string;
  readonly size: number;
}

/** Everything of an object that a copy keeps beside its bytes. */
export interface Facts {
  /** `content-type`, `cache-control` …, by name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** By name in lower case, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly tags: readonly (readonly [key: string, value: string])[];
  /** The checksum of the customer's key (SSE-C); the bytes themselves are not encrypted here. */
  readonly customerKeyMd5?: string;
  readonly lock?: Lock;
}

export interface Lock {
  readonly legalHold?: boolean;
  readonly mode?: string;
  /** ISO time. */
  readonly until?: string;
}

/** A part of an object that was uploaded in parts. */
export interface PartFacts {
  readonly number: number;
  readonly size: number;
  /** Base64; absent where the upload named no algorithm. */
  readonly checksum?: string;
}

export interface ObjectVersion {
  readonly kind: 'object';
  readonly key: string;
  /** `null` where the bucket was not versioned at that time. */
  readonly versionId: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly bodies: readonly Body[];
  readonly checksum?: Checksum;
  readonly parts?: readonly PartFacts[];
  readonly facts: Facts;
}

export interface DeleteMarker {
  readonly kind: 'marker';
  readonly key: string;
  readonly versionId: string;
  readonly lastModified: number;
}

export type Version = ObjectVersion | DeleteMarker;

export interface Part extends PartFacts {
  readonly body: Body;
  readonly etag: string;
  readonly lastModified: number;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
  readonly initiated: number;
  readonly facts: Facts;
  readonly algorithm?: Algorithm;
  /** Parts may then come with a checksum of this algorithm alone. */
  readonly isNamed?: boolean;
  readonly checksumType?: Checksum['type'];
}

export type Versioning = 'never' | 'Enabled' | 'Suspended';

export interface Bucket {
  readonly name: string;
  readonly objectLock: boolean;
  versioning: Versioning;
  /** XML by the name of the setting, as it was put; empty where it was deleted. */
  readonly settings: Map<string, string>;
  readonly keys: OrderedKeys;
  /** The newest version of a key comes first. */
  readonly versions: Map<string, readonly Version[]>;
  readonly uploads: Map<string, { readonly upload: Upload; readonly parts: Map<number, Part> }>;
}

/** A change of the store. Those of one call are recorded together, or none of them. */
export type Change =
  | { readonly change: 'bucket'; readonly bucket: string; readonly objectLock: boolean }
  | { readonly change: 'no bucket'; readonly bucket: string }
  | { readonly change: 'versioning'; readonly bucket: string; readonly versioning: Versioning }
  | {
      readonly change: 'setting';
      readonly bucket: string;
      readonly name: string;
      readonly xml: string;
    }
  | { readonly change: 'version'; readonly bucket: string; readonly version: Version }
  | {
      readonly change: 'no version';
      readonly bucket: string;
      readonly key: string;
      readonly versionId: string;
    }
  | { readonly change: 'upload'; readonly bucket: string; readonly upload: Upload }
  | { readonly change: 'part'; readonly bucket: string; readonly id: string; readonly part: Part }
  | { readonly change: 'no upload'; readonly bucket: string; readonly id: string };
