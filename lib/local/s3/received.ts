/** Checks the bytes of a request against every checksum that it brings. */
import { createHash } from 'node:crypto';
import {
  ALGORITHMS,
  type Algorithm,
  algorithmCalled,
  type Checksum,
  fullChecksum,
  headerOf,
  md5,
} from './checksums.ts';
import { S3Error } from './s3-error.ts';
import { headerIn, type S3Request } from './s3-request.ts';

/** What the checksum of the body is by `byDefault`, where the request names no other algorithm. */
export async function checkedChecksum(
  request: S3Request,
  byDefault: Algorithm | undefined,
): Promise<Checksum | undefined> {
  const { body } = request;
  const given = ALGORITHMS.flatMap((algorithm) => {
    const name = headerOf(algorithm);
    const value = headerIn(request, name) ?? request.trailers.get(name);
    return value === undefined ? [] : [{ algorithm, value }];
  });
  const [first] = given;
  if (given.length > 1)
    throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header');
  const promised = headerIn(request, 'x-amz-trailer');
  if (promised !== undefined && !request.trailers.has(promised.toLowerCase()))
    throw new S3Error('InvalidRequest', `the trailer ${promised} did not come`);
  const named = algorithmCalled(headerIn(request, 'x-amz-sdk-checksum-algorithm'));
  const algorithm = first?.algorithm ?? named ?? byDefault;
  checkOldDigests(request);
  if (algorithm === undefined) return undefined;
  const checksum = await fullChecksum(algorithm, body);
  if (first !== undefined && first.value !== checksum.value)
    throw new S3Error(
      'BadDigest',
      `The ${algorithm} you specified did not match the calculated checksum.`,
    );
  return checksum;
}

function checkOldDigests(request: S3Request): void {
  const contentMd5 = headerIn(request, 'content-md5');
  if (contentMd5 !== undefined && contentMd5 !== md5(request.body).toString('base64'))
    throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  const sha256 = headerIn(request, 'x-amz-content-sha256') ?? '';
  const isDigest = /^[0-9a-f]{64}$/.test(sha256);
  if (isDigest && sha256 !== createHash('sha256').update(request.body).digest('hex'))
    throw new S3Error(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
}
