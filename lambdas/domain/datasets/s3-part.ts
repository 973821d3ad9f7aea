/** A part that is a prefix of a bucket: the form of a tenant's prefixes, and whose bucket it is. */
import type { Realm } from '../realm.ts';
import type { PartPolicy } from './dataset.ts';
import type { KeyDeclaration } from './key-template.ts';

export interface S3Part {
  readonly kind: 's3';
  readonly name: string;
  readonly policy: PartPolicy;
  /**
   * Templates of a tenant's prefixes, as those of partition keys: `{tenant}/`, or `files/{tenant}/`.
   * Each ends in a delimiter that no tenant's value contains, so that `acme/` is not `acme-10/`.
   */
  readonly prefix: string | readonly string[];
  /** The values are in lower case in prefixes. */
  readonly case?: 'lower';
  /** The current version of an object moves; all versions are purged. */
  readonly versions: 'current';
  /** Whether our own bucket keeps noncurrent versions; they are removed after `keptDays`. */
  readonly versioned?: { readonly keptDays: number };
  /** The vendor's own bucket: we are granted access, and neither create nor configure it. */
  readonly bucket?: (realm: Realm, stage: string, account: string) => string;
  /** ARN of the customer-managed key that encrypts the vendor's own bucket. */
  readonly encryptionKeyArn?: (realm: Realm, stage: string) => string | undefined;
}

/** How the prefixes are made, in the words of partition keys. */
export const keysOfPrefix = (part: S3Part): KeyDeclaration => ({
  key: part.prefix,
  ...(part.case !== undefined && { case: part.case }),
});
