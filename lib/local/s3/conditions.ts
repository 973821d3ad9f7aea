/** Conditional requests: on reads, on the source of a copy, and on writes. */
import type { ObjectVersion } from './model.ts';
import { S3Error } from './s3-error.ts';
import { headerIn, type S3Address } from './s3-request.ts';

const matches = (wanted: string, { etag }: ObjectVersion): boolean =>
  wanted.split(',').some((one) => one.trim() === '*' || one.trim().replace(/"/g, '') === etag);

/** `If-Match` outranks `If-Unmodified-Since`, and `If-None-Match` outranks `If-Modified-Since`. */
export function checkRead(request: S3Address, version: ObjectVersion): void {
  checkAgainst(version, {
    match: headerIn(request, 'if-match'),
    noneMatch: headerIn(request, 'if-none-match'),
    modifiedSince: headerIn(request, 'if-modified-since'),
    unmodifiedSince: headerIn(request, 'if-unmodified-since'),
    otherwise: 'NotModified',
  });
}

export function checkCopySource(request: S3Address, version: ObjectVersion): void {
  const header = (name: string) => headerIn(request, `x-amz-copy-source-${name}`);
  checkAgainst(version, {
    match: header('if-match'),
    noneMatch: header('if-none-match'),
    modifiedSince: header('if-modified-since'),
    unmodifiedSince: header('if-unmodified-since'),
    otherwise: 'PreconditionFailed',
  });
}

/** `present` is the object that would be replaced or deleted. */
export function checkWrite(request: S3Address, present: ObjectVersion | undefined): void {
  const match = headerIn(request, 'if-match');
  const noneMatch = headerIn(request, 'if-none-match');
  if (noneMatch !== undefined && noneMatch !== '*')
    throw new S3Error('NotImplemented', 'a write takes If-None-Match with * alone');
  if (match !== undefined && present === undefined)
    throw new S3Error('NoSuchKey', 'The specified key does not exist.');
  const fails =
    (match !== undefined && present !== undefined && !matches(match, present)) ||
    (noneMatch !== undefined && present !== undefined);
  if (fails) throw failed();
}

interface Conditions {
  readonly match: string | undefined;
  readonly noneMatch: string | undefined;
  readonly modifiedSince: string | undefined;
  readonly unmodifiedSince: string | undefined;
  /** The answer where the caller has it already. */
  readonly otherwise: 'NotModified' | 'PreconditionFailed';
}

function checkAgainst(version: ObjectVersion, conditions: Conditions): void {
  const { match, noneMatch, modifiedSince, unmodifiedSince, otherwise } = conditions;
  const seconds = Math.floor(version.lastModified / 1000) * 1000;
  if (match !== undefined) {
    if (!matches(match, version)) throw failed();
  } else if (unmodifiedSince !== undefined && seconds > Date.parse(unmodifiedSince)) throw failed();
  const isKnown =
    noneMatch !== undefined
      ? matches(noneMatch, version)
      : modifiedSince !== undefined && seconds <= Date.parse(modifiedSince);
  if (!isKnown) return;
  if (otherwise === 'PreconditionFailed') throw failed();
  throw new S3Error('NotModified', 'Not Modified', { etag: `"${version.etag}"` });
}

const failed = () =>
  new S3Error(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
  );
