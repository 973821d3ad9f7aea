/** Which parts in buckets are refused when the configuration is loaded. */
import { describe, expect, test } from 'vitest';
import type { Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { partitionsOf, rangesOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';
import { misplacement } from '../../../lambdas/domain/datasets/key-placement.ts';
import type { S3Part } from '../../../lambdas/domain/datasets/s3-part.ts';
import { clashIn } from '../../../lambdas/domain/residency.ts';

const PART: S3Part = {
  kind: 's3',
  name: 'documents',
  policy: 'move',
  prefix: '{tenant}/',
  versions: 'current',
};
/** A vendor's configuration need not have the types that are declared. */
const part = (fields: object): S3Part => ({ ...PART, ...fields });

describe('a part in a bucket', () => {
  test.each<[string, object, string]>([
    [
      'a field of tables',
      { partitionKey: 'tenant' },
      'a field "partitionKey", which means nothing',
    ],
    ['no prefix', { prefix: undefined }, "prefix is a template such as '{tenant}/', not undefined"],
    ['no tenant in its prefix', { prefix: 'files/' }, 'no placeholder for the tenant'],
    ['no delimiter', { prefix: '{tenant}' }, 'objects of acme-10 begin like those of acme-1'],
    ['a dash for one', { prefix: '{tenant}-' }, 'ends the tenant with a delimiter'],
    ['a slash at the beginning', { prefix: '/{tenant}/' }, 'begins with a slash'],
    ['two delimiters', { prefix: ['{tenant}/', 'b/{tenant}#'] }, 'the same delimiter'],
    ['two prefixes that mix', { prefix: ['{tenant}/', '{tenant}/'] }, 'a template twice'],
    [
      'a prefix that a tenant’s name can be',
      { prefix: ['{tenant}/', 'thumbs/{tenant}/'] },
      "a prefix by '{tenant}/' can hold one by 'thumbs/{tenant}/'",
    ],
    ['a prefix within another', { prefix: ['a/{tenant}/', 'a/{tenant}/b/'] }, 'can hold one by'],
    ['another version policy', { versions: 'all' }, "versions is 'current'"],
    ['one bucket for all realms', { bucket: 'mine' }, 'each realm has a bucket of its own'],
    ['days that are none', { keepsVersionsDays: 0.5 }, 'a whole number from 1 to 3650'],
    [
      'our rules on a bucket of the vendor',
      { keepsVersionsDays: 3, bucket: () => 'theirs' },
      'yours has your own rules',
    ],
    ['a key for our bucket', { encryptionKeyArn: () => 'arn' }, 'for a bucket of your own'],
  ])('with %s is refused', (_, fields, says) => {
    expect(() => checkParts([part(fields)])).toThrow(says);
    expect(() => checkParts([part(fields)])).toThrow('part "documents": ');
  });

  test('has a range for each prefix of a tenant, and none of a neighbour', () => {
    const two = part({ prefix: ['files/{tenant}/', 'thumbs/{tenant}/'] });
    expect(() => checkParts([two])).not.toThrow();
    expect(rangesOf([two], { tenant: 'acme' })).toEqual([
      { id: 'documents/00', part: 'documents', partition: 'files/acme/' },
      { id: 'documents/01', part: 'documents', partition: 'thumbs/acme/' },
    ]);
    expect(partitionsOf(part({ case: 'lower' }), { tenant: 'Acme' })).toEqual(['acme/']);
  });

  test('takes no tenant whose name has the delimiter, because another could lie within it', () => {
    expect(misplacement([PART], { tenant: 'acme/10' })).toContain('its client key has / in it');
    expect(misplacement([PART], { tenant: 'acme-10' })).toBeUndefined();
  });

  const realms = [
    { realm: 'us', region: 'us-east-1' },
    { realm: 'de', region: 'eu-central-1' },
  ];
  const clash = (...parts: readonly Part[]) => clashIn({ name: 'app', realms, parts }, 'prod');

  test('is in no bucket of another realm, nor under a prefix of another part', () => {
    expect(clash(PART)).toBeUndefined();
    const own = (bucket: S3Part['bucket'], more: object = {}) => part({ ...more, bucket });
    expect(clash(own((realm) => `theirs-${realm}`))).toBeUndefined();
    expect(clash(own(() => 'theirs.with.dots'))).toContain('the name of a bucket is');
    const theirs = (realm: string) => `theirs-${realm}`;
    const both = own(theirs, { prefix: 'a/{tenant}/' });
    expect(clash(both, { ...both, name: 'more' })).toContain('are in one bucket, theirs-us');
    expect(clash(both, own(theirs, { name: 'more', prefix: 'b/{tenant}/' }))).toBeUndefined();
    const nested = own(theirs, { name: 'more', prefix: '{tenant}/b/{tenant}/' });
    expect(clash(both, { ...nested, prefix: '{tenant}/x/' })).toContain('are in one bucket');
    expect(clash(part({ name: 'x'.repeat(31) }), PART)).toContain('3 to 63 lower-case letters');
  });
});
