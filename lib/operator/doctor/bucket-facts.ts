/** Reads the form of a bucket: where it is, what keeps or removes objects, and who may see it. */
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  type GetBucketNotificationConfigurationCommandOutput,
  GetBucketOwnershipControlsCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  type LifecycleRule,
  type ReplicationRule,
  type S3Client,
  type ServerSideEncryptionByDefault,
} from '@aws-sdk/client-s3';
import { defined } from '../../../lambdas/domain/defined.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';

export interface BucketForm {
  readonly versioning: 'never' | 'Enabled' | 'Suspended';
  /** Versions can be deleted only with the code of a device. */
  readonly hasMfaDelete: boolean;
  readonly encryption: ServerSideEncryptionByDefault;
  readonly isPrivate: boolean;
  /** `BucketOwnerEnforced`, or another; `undefined` where nothing is set. */
  readonly ownership?: string;
  /** Object Lock is switched on: a writer may lock an object. */
  readonly isLockable: boolean;
  /** How long new objects are locked. */
  readonly lockedFor?: string;
  /** Rules that are switched on. */
  readonly replication: readonly ReplicationRule[];
  /** ARNs of what is told of changes, or `EventBridge`. */
  readonly notified: readonly string[];
  /** Rules that are switched on. */
  readonly lifecycle: readonly LifecycleRule[];
}

/** `closed`: S3 says no more than that these credentials may not look. */
export type BucketFacts =
  | { readonly state: 'missing' | 'closed' }
  | { readonly state: 'elsewhere'; readonly region: string }
  | { readonly state: 'there'; readonly form: BucketForm };

/** Throws the SDK's other errors, also where a setting may not be read. */
export async function bucketFacts(
  { clients }: Pick<Operator, 'clients'>,
  realm: Realm,
  name: string,
): Promise<BucketFacts> {
  const client = clients.objects(realm);
  return (await absenceOf(client, name)) ?? { state: 'there', form: await formOf(client, name) };
}

type Absence = Exclude<BucketFacts, { readonly state: 'there' }>;

/**
 * `undefined` where the bucket is there, and in the client's region. An answer to HEAD has no body,
 * so that only its status says what is wrong.
 */
export async function absenceOf(client: S3Client, name: string): Promise<Absence | undefined> {
  try {
    await client.send(new HeadBucketCommand({ Bucket: name }));
    return undefined;
  } catch (error) {
    const { $metadata, $response }: { $metadata?: unknown; $response?: unknown } = Object(error);
    const { httpStatusCode: status } = Object($metadata);
    if (status === 404) return { state: 'missing' };
    if (status === 403) return { state: 'closed' };
    if (status !== 301 && status !== 400) throw error;
    const region: unknown = Object(Object($response).headers)['x-amz-bucket-region'];
    if (typeof region !== 'string') throw error;
    return { state: 'elsewhere', region };
  }
}

async function formOf(client: S3Client, name: string): Promise<BucketForm> {
  const Bucket = { Bucket: name };
  const [versioning, encryption, access, ownership, lock, replication, told, lifecycle] =
    await Promise.all([
      client.send(new GetBucketVersioningCommand(Bucket)),
      client.send(new GetBucketEncryptionCommand(Bucket)),
      unless('NoSuchPublicAccessBlockConfiguration', () =>
        client.send(new GetPublicAccessBlockCommand(Bucket)),
      ),
      unless('OwnershipControlsNotFoundError', () =>
        client.send(new GetBucketOwnershipControlsCommand(Bucket)),
      ),
      unless('ObjectLockConfigurationNotFoundError', () =>
        client.send(new GetObjectLockConfigurationCommand(Bucket)),
      ),
      unless('ReplicationConfigurationNotFoundError', () =>
        client.send(new GetBucketReplicationCommand(Bucket)),
      ),
      client.send(new GetBucketNotificationConfigurationCommand(Bucket)),
      unless('NoSuchLifecycleConfiguration', () =>
        client.send(new GetBucketLifecycleConfigurationCommand(Bucket)),
      ),
    ]);
  const [rule] = encryption.ServerSideEncryptionConfiguration?.Rules ?? [];
  const block = access?.PublicAccessBlockConfiguration ?? {};
  return {
    versioning: versioning.Status ?? 'never',
    hasMfaDelete: versioning.MFADelete === 'Enabled',
    encryption: rule?.ApplyServerSideEncryptionByDefault ?? { SSEAlgorithm: 'AES256' },
    isPrivate: [
      block.BlockPublicAcls,
      block.BlockPublicPolicy,
      block.IgnorePublicAcls,
      block.RestrictPublicBuckets,
    ].every((is) => is === true),
    isLockable: lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
    ...defined({
      ownership: ownership?.OwnershipControls?.Rules?.[0]?.ObjectOwnership,
      lockedFor: retentionIn(lock?.ObjectLockConfiguration?.Rule?.DefaultRetention),
    }),
    replication: (replication?.ReplicationConfiguration?.Rules ?? []).filter(isOn),
    notified: notifiedIn(told),
    lifecycle: (lifecycle?.Rules ?? []).filter(isOn),
  };
}

const isOn = ({ Status: status }: { readonly Status?: string | undefined }): boolean =>
  status === 'Enabled';

function retentionIn(
  retention: { Days?: number | undefined; Years?: number | undefined } | undefined,
): string | undefined {
  if (retention === undefined) return undefined;
  const { Days: days, Years: years } = retention;
  return days === undefined ? `${years} years` : `${days} days`;
}

function notifiedIn(told: GetBucketNotificationConfigurationCommandOutput): readonly string[] {
  return [
    ...(told.LambdaFunctionConfigurations ?? []).map((one) => one.LambdaFunctionArn),
    ...(told.QueueConfigurations ?? []).map((one) => one.QueueArn),
    ...(told.TopicConfigurations ?? []).map((one) => one.TopicArn),
    ...(told.EventBridgeConfiguration === undefined ? [] : ['EventBridge']),
  ].filter((arn) => arn !== undefined);
}

/** `undefined` where S3 answers by this error, which says that nothing is set. */
async function unless<T>(name: string, ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && error.name === name) return undefined;
    throw error;
  }
}
