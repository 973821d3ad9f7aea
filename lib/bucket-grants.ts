/**
 * DATA: what each Lambda may do to the buckets of the dataset, in its own realm and in the others.
 * `lib/bucket-policies.ts` makes policies of these rows. A Lambda without a row touches no bucket.
 */

import { READ_OBJECTS_WITH_KEY, WRITE_OBJECTS_WITH_KEY } from './key-actions.ts';

/** Actions on a bucket, and on its objects. */
export interface BucketActions {
  readonly onBucket: readonly string[];
  readonly onObjects: readonly string[];
}

export interface BucketGrant {
  /** The one part whose bucket is granted; without it, the buckets of all parts. */
  readonly part?: string;
  readonly own?: BucketActions;
  readonly others?: BucketActions;
}

const actions = (onBucket: readonly string[], onObjects: readonly string[] = []) => ({
  onBucket,
  onObjects,
});
const both = (...all: readonly BucketActions[]): BucketActions => ({
  onBucket: [...new Set(all.flatMap(({ onBucket }) => onBucket))],
  onObjects: [...new Set(all.flatMap(({ onObjects }) => onObjects))],
});

/** Counts objects. */
const LIST = actions(['ListBucket']);
/** Everything that a move keeps of an object. */
const READ = actions(['ListBucket'], ['GetObject', 'GetObjectTagging']);
/** A copy keeps the parts that a checksum is made of. */
const SOURCE = both(READ, actions([], ['GetObjectAttributes']));
/** A prefix is empty: no version, no delete marker and no open upload is left. */
const PROVE = actions(['ListBucketMultipartUploads', 'ListBucketVersions']);
/**
 * Looks at every version. S3 tells of a lock only a reader who may ask for it, and of a key that
 * only the writer has only a reader of the object.
 */
const LOOK = actions(
  ['ListBucketVersions'],
  ['GetObject', 'GetObjectLegalHold', 'GetObjectRetention', 'GetObjectVersion'],
);
const WRITE = actions(
  ['ListBucketMultipartUploads'],
  ['AbortMultipartUpload', 'ListMultipartUploadParts', 'PutObject', 'PutObjectTagging'],
);
/** Makes a target equal. In a versioned bucket a deletion only adds a marker. */
const EQUALISE = actions([], ['DeleteObject', 'DeleteObjectTagging']);
const EMPTY = both(
  PROVE,
  actions([], ['AbortMultipartUpload', 'DeleteObject', 'DeleteObjectVersion']),
);

/**
 * The operators' roles count objects, list what is left of them, and see the form of a bucket. They
 * read no object.
 */
export const OPERATORS_ON_BUCKETS: readonly string[] = [
  ...both(LIST, PROVE).onBucket,
  'GetBucketNotification',
  'GetBucketObjectLockConfiguration',
  'GetBucketOwnershipControls',
  'GetBucketPublicAccessBlock',
  'GetBucketVersioning',
  'GetEncryptionConfiguration',
  'GetLifecycleConfiguration',
  'GetReplicationConfiguration',
];

export const BUCKET_GRANTS: Readonly<Record<string, BucketGrant>> = {
  'hooks/schedule': { own: LIST },
  'hooks/start': { own: LIST },
  // Puts documents, and signs URLs by which they are read with this function's right.
  'sample-app/exports': { part: 'documents', own: actions([], ['GetObject', 'PutObject']) },
  'tasks/measure': { own: both(LIST, LOOK) },
  'tasks/prepare-ahead': { own: PROVE },
  'tasks/prepare-copy': { own: PROVE },
  'tasks/clear-target-range': { own: EMPTY },
  'tasks/copy-ahead-range': { own: both(READ, WRITE), others: SOURCE },
  'tasks/copy-range': { own: both(READ, WRITE, EQUALISE), others: SOURCE },
  'tasks/verify-range': { own: READ, others: READ },
  'tasks/purge-source-range': { own: EMPTY },
  'tasks/finish-commit': { own: PROVE },
  'tasks/restore-source-range': { own: both(READ, WRITE, EQUALISE), others: SOURCE },
  'tasks/discard-target-range': { own: EMPTY },
  'tasks/finish-rollback': { own: PROVE },
  'tasks/purge-retired': { own: EMPTY },
};

/** What these actions need of the key that encrypts the objects; none, where S3 uses no key. */
export function keyActionsOf({ onObjects }: BucketActions): readonly string[] {
  if (onObjects.includes('PutObject')) return WRITE_OBJECTS_WITH_KEY;
  return onObjects.includes('GetObject') ? READ_OBJECTS_WITH_KEY : [];
}

/** True where the function changes an object in its own realm. */
export const writesObjects = (grant: BucketGrant | undefined): boolean =>
  grant?.own?.onObjects.some((action) => !/^(Get|List)/.test(action)) ?? false;
