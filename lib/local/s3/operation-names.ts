/**
 * Tells which operation of S3 a request asks for, so that what is not offered is refused by name.
 */
import type { S3Address } from './s3-request.ts';

/** What a sub-resource in the query makes of a request on a bucket, or on an object. */
const OF_BUCKETS: Readonly<Record<string, string>> = {
  accelerate: 'BucketAccelerateConfiguration',
  acl: 'BucketAcl',
  analytics: 'BucketAnalyticsConfiguration',
  cors: 'BucketCors',
  encryption: 'BucketEncryption',
  'intelligent-tiering': 'BucketIntelligentTieringConfiguration',
  inventory: 'BucketInventoryConfiguration',
  lifecycle: 'BucketLifecycleConfiguration',
  location: 'BucketLocation',
  logging: 'BucketLogging',
  metrics: 'BucketMetricsConfiguration',
  notification: 'BucketNotificationConfiguration',
  'object-lock': 'ObjectLockConfiguration',
  ownershipControls: 'BucketOwnershipControls',
  policy: 'BucketPolicy',
  policyStatus: 'BucketPolicyStatus',
  publicAccessBlock: 'PublicAccessBlock',
  replication: 'BucketReplication',
  requestPayment: 'BucketRequestPayment',
  tagging: 'BucketTagging',
  versioning: 'BucketVersioning',
  website: 'BucketWebsite',
};
const OF_OBJECTS: Readonly<Record<string, string>> = {
  acl: 'ObjectAcl',
  'legal-hold': 'ObjectLegalHold',
  retention: 'ObjectRetention',
  tagging: 'ObjectTagging',
  torrent: 'ObjectTorrent',
};
const VERBS: Readonly<Record<string, string>> = { GET: 'Get', PUT: 'Put', DELETE: 'Delete' };

/** The SDK's name of the operation. */
export function operationOf(request: S3Address): string {
  const { bucket, key } = request;
  if (bucket === '') return 'ListBuckets';
  return key === '' ? bucketOperation(request) : objectOperation(request);
}

function bucketOperation({ method, query }: S3Address): string {
  const part = Object.keys(OF_BUCKETS).find((name) => query.has(name));
  if (part !== undefined) return `${VERBS[method] ?? method} ${OF_BUCKETS[part]}`.replace(' ', '');
  if (method === 'HEAD') return 'HeadBucket';
  if (method === 'PUT') return 'CreateBucket';
  if (method === 'DELETE') return 'DeleteBucket';
  if (method === 'POST') return query.has('delete') ? 'DeleteObjects' : 'PostObject';
  if (query.has('versions')) return 'ListObjectVersions';
  if (query.has('uploads')) return 'ListMultipartUploads';
  return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
}

function objectOperation({ method, query, headers }: S3Address): string {
  const part = Object.keys(OF_OBJECTS).find((name) => query.has(name));
  if (part !== undefined) return `${VERBS[method] ?? method} ${OF_OBJECTS[part]}`.replace(' ', '');
  const isCopy = headers['x-amz-copy-source'] !== undefined;
  if (method === 'HEAD') return 'HeadObject';
  if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'PUT' && query.has('uploadId')) return isCopy ? 'UploadPartCopy' : 'UploadPart';
  if (method === 'PUT') return isCopy ? 'CopyObject' : 'PutObject';
  if (method === 'POST') return postOperation(query);
  if (query.has('uploadId')) return 'ListParts';
  return query.has('attributes') ? 'GetObjectAttributes' : 'GetObject';
}

function postOperation(query: ReadonlyMap<string, string>): string {
  if (query.has('uploads')) return 'CreateMultipartUpload';
  if (query.has('uploadId')) return 'CompleteMultipartUpload';
  if (query.has('restore')) return 'RestoreObject';
  return query.has('select') ? 'SelectObjectContent' : 'PostObject';
}
