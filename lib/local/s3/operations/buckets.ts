/** Buckets: their names belong to all regions together, and each is in one. */
import type { Operation } from '../context.ts';
import { S3Error } from '../s3-error.ts';
import { headerIn } from '../s3-request.ts';
import { parseXml, xmlOf } from '../xml.ts';

export const createBucket: Operation = async (request, { store, storeOf }) => {
  const { bucket, body } = request;
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.');
  const named =
    body.length === 0
      ? undefined
      : parseXml(body.toString('utf8'), 'CreateBucketConfiguration').text('LocationConstraint');
  if (named !== undefined && named !== store.region)
    throw new S3Error('InvalidArgument', 'The specified location-constraint is not valid');
  const objectLock = headerIn(request, 'x-amz-bucket-object-lock-enabled') === 'true';
  await store.commit(() => {
    const owner = regionOf(() => storeOf(bucket).region);
    if (owner !== undefined)
      throw new S3Error('BucketAlreadyOwnedByYou', 'The bucket exists already, and it is yours.');
    return [{ change: 'bucket', bucket, objectLock }];
  });
  return { headers: { location: `/${bucket}` } };
};

function regionOf(find: () => string): string | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}

export const headBucket: Operation = async ({ bucket }, { store }) => {
  store.bucket(bucket);
  return { headers: { 'x-amz-bucket-region': store.region } };
};

export const deleteBucket: Operation = async ({ bucket: name }, { store }) => {
  await store.commit(() => {
    const bucket = store.bucket(name);
    if (bucket.versions.size > 0)
      throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty');
    return [{ change: 'no bucket', bucket: name }];
  });
  return { status: 204 };
};

export const getBucketVersioning: Operation = async ({ bucket }, { store }) => {
  const { versioning } = store.bucket(bucket);
  return {
    body: xmlOf('VersioningConfiguration', versioning === 'never' ? {} : { Status: versioning }),
  };
};

export const putBucketVersioning: Operation = async ({ bucket: name, body }, { store }) => {
  const status = parseXml(body.toString('utf8'), 'VersioningConfiguration').text('Status');
  if (status !== 'Enabled' && status !== 'Suspended')
    throw new S3Error('MalformedXML', 'Status is Enabled or Suspended');
  await store.commit(() => {
    if (store.bucket(name).objectLock && status === 'Suspended')
      throw new S3Error(
        'InvalidBucketState',
        'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
      );
    return [{ change: 'versioning', bucket: name, versioning: status }];
  });
  return {};
};
