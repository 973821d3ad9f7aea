/** What a request says of an object beside its bytes, and how an answer says it again. */
import type { Facts, Lock, ObjectVersion } from './model.ts';
import { S3Error } from './s3-error.ts';
import { headerIn, type S3Address } from './s3-request.ts';
import { checkTags } from './tags.ts';

const HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'x-amz-website-redirect-location',
];
/** S3's limit for names and values of user metadata together. */
const METADATA_BYTES = 2_048;
const STORAGE_CLASSES = [
  'DEEP_ARCHIVE',
  'GLACIER',
  'GLACIER_IR',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'STANDARD',
  'STANDARD_IA',
];

/** As PutObject and CreateMultipartUpload say it. */
export const factsOf = (request: S3Address): Facts => ({
  ...describedBy(request),
  ...kindOf(request),
  tags: checkTags([...new URLSearchParams(headerIn(request, 'x-amz-tagging') ?? '')]),
});

/** Headers and user metadata. */
export function describedBy(request: S3Address): Pick<Facts, 'headers' | 'metadata'> {
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of HEADERS) {
    const value = headerIn(request, name);
    if (value !== undefined) headers[name] = value;
  }
  // The transfer encoding of the SDK's streams is no encoding of the object.
  const encoding = headers['content-encoding']
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== 'aws-chunked' && one !== '')
    .join(',');
  if (encoding === '') delete headers['content-encoding'];
  else if (encoding !== undefined) headers['content-encoding'] = encoding;

  const metadata: Record<string, string> = {};
  let bytes = 0;
  for (const name of Object.keys(request.headers)) {
    const [, own] = /^x-amz-meta-(.+)$/.exec(name) ?? [];
    if (own === undefined) continue;
    metadata[own] = headerIn(request, name) ?? '';
    bytes += Buffer.byteLength(own) + Buffer.byteLength(metadata[own] ?? '');
  }
  if (bytes > METADATA_BYTES)
    throw new S3Error(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
    );
  return { headers, metadata };
}

/** What a copy does not take from its source: storage class, the customer's key, the lock. */
export function kindOf(
  request: S3Address,
): Pick<Facts, 'storageClass' | 'customerKeyMd5' | 'lock'> {
  const storageClass = headerIn(request, 'x-amz-storage-class') ?? 'STANDARD';
  if (!STORAGE_CLASSES.includes(storageClass))
    throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid');
  const customerKeyMd5 = headerIn(request, 'x-amz-server-side-encryption-customer-key-md5');
  const lock = lockIn(request);
  return { storageClass, ...(customerKeyMd5 && { customerKeyMd5 }), ...(lock && { lock }) };
}

function lockIn(request: S3Address): Lock | undefined {
  const hold = headerIn(request, 'x-amz-object-lock-legal-hold');
  const mode = headerIn(request, 'x-amz-object-lock-mode');
  const until = headerIn(request, 'x-amz-object-lock-retain-until-date');
  if (hold === undefined && mode === undefined) return undefined;
  return { legalHold: hold === 'ON', ...(mode && { mode }), ...(until && { until }) };
}

export const isArchived = ({ facts: { storageClass } }: ObjectVersion): boolean =>
  storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE';

/** The headers of an answer that describe an object. */
export function headersOf({ etag, lastModified, facts }: ObjectVersion): Record<string, string> {
  const { headers, metadata, storageClass, tags, lock, customerKeyMd5 } = facts;
  return {
    ...headers,
    ...Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]),
    ),
    etag: `"${etag}"`,
    'last-modified': new Date(lastModified).toUTCString(),
    'accept-ranges': 'bytes',
    ...(storageClass !== 'STANDARD' && { 'x-amz-storage-class': storageClass }),
    ...(tags.length > 0 && { 'x-amz-tagging-count': String(tags.length) }),
    ...(lock?.legalHold && { 'x-amz-object-lock-legal-hold': 'ON' }),
    ...(lock?.mode && { 'x-amz-object-lock-mode': lock.mode }),
    ...(lock?.until && { 'x-amz-object-lock-retain-until-date': lock.until }),
    ...(customerKeyMd5 === undefined
      ? { 'x-amz-server-side-encryption': 'AES256' }
      : {
          'x-amz-server-side-encryption-customer-algorithm': 'AES256',
          'x-amz-server-side-encryption-customer-key-md5': customerKeyMd5,
        }),
  };
}

/** Throws where the object is encrypted with a customer's key that the request does not bring. */
export function checkCustomerKey(
  { facts: { customerKeyMd5 } }: ObjectVersion,
  request: S3Address,
  prefix = 'x-amz-server-side-encryption',
): void {
  if (customerKeyMd5 === headerIn(request, `${prefix}-customer-key-md5`)) return;
  throw new S3Error(
    'InvalidRequest',
    'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
  );
}
