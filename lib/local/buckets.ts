/** The buckets of a realm, for hosts that have no CloudFormation. */
import {
  CreateBucketCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { bucketsOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { RealmRow } from '../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';

/**
 * The vendor's own too, with the settings that those of the stacks have. A bucket that exists keeps
 * its objects.
 */
export async function createBuckets(
  client: S3Client,
  residency: Pick<Residency, 'name' | 'parts'>,
  { stage, account, realm, region }: { stage: string; account: string } & RealmRow,
): Promise<void> {
  const names = physicalNames(residency, stage, realm);
  for (const part of bucketsOf(residency.parts)) {
    const Bucket = names.part(part, { account, region });
    try {
      await client.send(new CreateBucketCommand({ Bucket }));
    } catch (error) {
      if (!(error instanceof Error && error.name === 'BucketAlreadyOwnedByYou')) throw error;
    }
    const days = part.keepsVersionsDays;
    await client.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: {
          Rules: [
            {
              Status: 'Enabled',
              Filter: { Prefix: '' },
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
              ...(days !== undefined && {
                NoncurrentVersionExpiration: { NoncurrentDays: days },
              }),
            },
          ],
        },
      }),
    );
    if (days !== undefined)
      await client.send(
        new PutBucketVersioningCommand({
          Bucket,
          VersioningConfiguration: { Status: 'Enabled' },
        }),
      );
  }
}
