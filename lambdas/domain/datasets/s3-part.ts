/** A part that is a prefix of a bucket: the form of a tenant's prefixes, and whose bucket it is. */
import type { Realm } from '../realm.ts';
import type { PartPolicy } from './dataset.ts';
import type { KeyDeclaration } from './key-template.ts';

/** What only tables have is never there: a range of this part is a prefix. */
type NoTable = { readonly [field in Exclude<keyof KeyDeclaration, 'prefix' | 'case'>]?: never };

export interface S3Part extends NoTable {
  readonly kind: 's3';
  readonly name: string;
  readonly policy: PartPolicy;
  /**
   * Templates of a tenant's prefixes: `{tenant}/`, or `files/{tenant}/`. Each ends in a delimiter
   * that no tenant's value contains, so that `acme/` is not `acme-10/`.
   */
  readonly prefix: string | readonly string[];
  /** The values are in lower case in prefixes. */
  readonly case?: 'lower';
  readonly notOfTenants?: never;
  /** The current version of an object moves; all versions are purged. */
  readonly versions: 'current';
  /** Our own bucket keeps noncurrent versions for so many days; none where it is left out. */
  readonly keepsVersionsDays?: number;
  /** The vendor's own bucket: we are granted access, and neither create nor configure it. */
  readonly bucket?: (realm: Realm, stage: string, account: string) => string;
  /**
   * ARN of the customer-managed key that encrypts the vendor's own bucket: the roles that read or
   * write it may use that key, only through S3.
   */
  readonly encryptionKeyArn?: (realm: Realm, stage: string) => string | undefined;
}
