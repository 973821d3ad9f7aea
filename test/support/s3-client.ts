/** An embedded S3 of its own for a test file, with a client for each of its regions. */
import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  type CreateBucketCommandInput,
  PutBucketVersioningCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { type EmbeddedS3Options, startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';

export interface S3World {
  readonly url: string;
  client(region?: string, config?: S3ClientConfig): S3Client;
  /** A new bucket; returns its name. */
  newBucket(
    region?: string,
    options?: { versioned?: boolean; input?: Partial<CreateBucketCommandInput> },
  ): Promise<string>;
  close(): Promise<void>;
}

export const [US, DE] = ['us-east-1', 'eu-central-1'] as const;

/** `elsewhere` is the address of another S3, for tests that can run against one. */
export async function s3World(
  options: Partial<EmbeddedS3Options> = {},
  elsewhere?: string,
): Promise<S3World> {
  const embedded =
    elsewhere === undefined
      ? await startEmbeddedS3({ port: 0, regions: [US, DE], ...options })
      : undefined;
  const url = embedded?.url ?? elsewhere ?? '';
  const clients: S3Client[] = [];
  function client(region: string = US, config: S3ClientConfig = {}): S3Client {
    const made = new S3Client({
      endpoint: url,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
      ...config,
    });
    clients.push(made);
    return made;
  }
  return {
    url,
    client,
    async newBucket(region = US, { versioned = false, input = {} } = {}) {
      const { Bucket = `bucket-${randomUUID()}` } = input;
      const s3 = client(region);
      await s3.send(
        new CreateBucketCommand({
          Bucket,
          ...(region !== US && {
            CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
          }),
          ...input,
        }),
      );
      if (versioned)
        await s3.send(
          new PutBucketVersioningCommand({
            Bucket,
            VersioningConfiguration: { Status: 'Enabled' },
          }),
        );
      return Bucket;
    },
    async close() {
      for (const one of clients) one.destroy();
      await embedded?.close();
    },
  };
}
