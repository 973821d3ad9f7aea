/** The buckets of a realm, for hosts that have no CloudFormation. */
import { CreateBucketCommand, PutBucketVersioningCommand, type S3Client } from '@aws-sdk/client-s3';
import { bucketsOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { RealmRow } from '../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';

/** The vendor's own too. Leaves a bucket that exists as it is, with its objects. */
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
    if (part.keepsVersionsDays !== undefined)
      await client.send(
        new PutBucketVersioningCommand({
          Bucket,
          VersioningConfiguration: { Status: 'Enabled' },
        }),
      );
  }
}
