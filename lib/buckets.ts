/** The buckets of a realm's dataset that we own: private, encrypted, TLS only. */
import { Duration } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { bucketsOf, isOwn } from '../lambdas/domain/datasets/kinds.ts';
import { defined } from '../lambdas/domain/defined.ts';
import { bucketName, type Deployment, removalOf } from './deployment.ts';
import { suppressNag } from './nag-suppressions.ts';

/** A copy in parts that was given up costs money for as long. No window lasts longer than a day. */
const OPEN_UPLOADS_FOR = Duration.days(1);

/**
 * A stage that keeps its data keeps its buckets too, and no stage empties one: a bucket that is not
 * empty cannot be deleted.
 */
export function addBuckets(scope: Construct, deployment: Deployment): void {
  for (const part of bucketsOf(deployment.residency.parts).filter((one) => !isOwn(one))) {
    const days = part.keepsVersionsDays;
    const bucket = new Bucket(scope, `Part-${part.name}`, {
      bucketName: bucketName(deployment, part, deployment),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: days !== undefined,
      lifecycleRules: [
        {
          abortIncompleteMultipartUploadAfter: OPEN_UPLOADS_FOR,
          ...defined({
            noncurrentVersionExpiration: days === undefined ? undefined : Duration.days(days),
            expiredObjectDeleteMarker: days === undefined ? undefined : true,
          }),
        },
      ],
      removalPolicy: removalOf(deployment),
    });
    suppressNag(
      bucket,
      'AwsSolutions-S1',
      "Server access logs would name objects of customers in another bucket; CloudTrail data events are the account's choice.",
    );
  }
}
