/**
 * Settings of a bucket that are kept as they were put, and told as S3 tells them where nothing was:
 * lifecycle, replication, notifications, locks, encryption, public access, owner. None has an
 * effect here: `doctor` and `preflight` read them.
 */
import type { Operation } from '../context.ts';
import type { Bucket } from '../model.ts';
import { S3Error, type S3ErrorCode } from '../s3-error.ts';
import { parseXml, type Xml, xmlOf } from '../xml.ts';

interface Setting {
  /** The element at the root of its XML. */
  readonly root: string;
  /** What a bucket has on which it was never put; a code of S3 where S3 answers by an error. */
  readonly unset: (bucket: Bucket) => Xml | { readonly code: S3ErrorCode; readonly says: string };
  /** The code of S3 once it was deleted; the same as before where it is left out. */
  readonly deleted?: S3ErrorCode;
  readonly isDeletable: boolean;
}

const none = (code: S3ErrorCode, says: string) => ({ code, says });

/** By the words of the operations: `GetBucketReplication`, `PutBucketReplication` … */
const SETTINGS: Readonly<Record<string, Setting>> = {
  BucketEncryption: {
    root: 'ServerSideEncryptionConfiguration',
    // Since January 2023.
    unset: () => ({
      Rule: {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
        BucketKeyEnabled: false,
      },
    }),
    isDeletable: true,
  },
  BucketLifecycleConfiguration: {
    root: 'LifecycleConfiguration',
    unset: () => none('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist'),
    isDeletable: true,
  },
  BucketNotificationConfiguration: {
    root: 'NotificationConfiguration',
    unset: () => ({}),
    isDeletable: false,
  },
  BucketOwnershipControls: {
    root: 'OwnershipControls',
    // Since April 2023.
    unset: () => ({ Rule: { ObjectOwnership: 'BucketOwnerEnforced' } }),
    deleted: 'OwnershipControlsNotFoundError',
    isDeletable: true,
  },
  BucketReplication: {
    root: 'ReplicationConfiguration',
    unset: () =>
      none('ReplicationConfigurationNotFoundError', 'The replication configuration was not found'),
    isDeletable: true,
  },
  ObjectLockConfiguration: {
    root: 'ObjectLockConfiguration',
    unset: ({ objectLock }) =>
      objectLock
        ? { ObjectLockEnabled: 'Enabled' }
        : none(
            'ObjectLockConfigurationNotFoundError',
            'Object Lock configuration does not exist for this bucket',
          ),
    isDeletable: false,
  },
  PublicAccessBlock: {
    root: 'PublicAccessBlockConfiguration',
    // Since April 2023.
    unset: () => ({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    }),
    deleted: 'NoSuchPublicAccessBlockConfiguration',
    isDeletable: true,
  },
};

const isRefusal = (value: object): value is { code: S3ErrorCode; says: string } =>
  'code' in value && 'says' in value;

const getting =
  (name: string, { root, unset, deleted }: Setting): Operation =>
  async ({ bucket: of }, { store }) => {
    const bucket = store.bucket(of);
    const kept = bucket.settings.get(name);
    if (kept === '' && deleted !== undefined) throw new S3Error(deleted, `no ${root} is set`);
    if (kept !== undefined && kept !== '') return { body: kept };
    const value = unset(bucket);
    if (typeof value === 'object' && isRefusal(value)) throw new S3Error(value.code, value.says);
    return { body: xmlOf(root, value) };
  };

const putting =
  (name: string, { root }: Setting): Operation =>
  async ({ bucket, body }, { store }) => {
    const xml = body.toString('utf8');
    parseXml(xml, root);
    await store.commit(() => {
      const { objectLock, versioning } = store.bucket(bucket);
      if (name === 'ObjectLockConfiguration' && !objectLock && versioning !== 'Enabled')
        throw new S3Error('InvalidBucketState', 'Versioning must be Enabled on the bucket');
      if (name === 'BucketReplication' && versioning !== 'Enabled')
        throw new S3Error('InvalidRequest', 'Versioning must be Enabled on the bucket');
      return [{ change: 'setting', bucket, name, xml }];
    });
    return {};
  };

const deleting =
  (name: string): Operation =>
  async ({ bucket }, { store }) => {
    await store.commit(() => {
      store.bucket(bucket);
      return [{ change: 'setting', bucket, name, xml: '' }];
    });
    return { status: 204 };
  };

export const SETTING_OPERATIONS: Readonly<Record<string, Operation>> = Object.fromEntries(
  Object.entries(SETTINGS).flatMap(([name, setting]): readonly [string, Operation][] => [
    [`Get${name}`, getting(name, setting)],
    [`Put${name}`, putting(name, setting)],
    ...(setting.isDeletable ? [[`Delete${name}`, deleting(name)] as [string, Operation]] : []),
  ]),
);
