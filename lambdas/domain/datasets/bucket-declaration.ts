/**
 * Refuses declarations of parts that are prefixes of buckets, where they could not be moved safely.
 */
import { checkFields, type Refused, recordOf, shown } from './declared-fields.ts';
import { checkKeys } from './key-declaration.ts';
import { alwaysHolds } from './key-overlaps.ts';
import { formsOf, PLACEHOLDERS, wordsOf } from './key-template.ts';
import { nestedIn } from './prefix-overlaps.ts';
import type { S3Part } from './s3-part.ts';

type Declared = Exclude<keyof S3Part, 'key' | 'shards' | 'keyType' | 'discover' | 'notOfTenants'>;
const FIELDS: Readonly<Record<Declared, true>> = {
  kind: true,
  name: true,
  policy: true,
  prefix: true,
  case: true,
  versions: true,
  keepsVersionsDays: true,
  bucket: true,
  encryptionKeyArn: true,
};

/** Throws a sentence that says what is allowed. The values may have other types than declared. */
export function checkBucket(part: unknown, refused: Refused): void {
  checkFields(part, FIELDS, (field, allowed) =>
    refused(`it has a field "${field}", which means nothing here; allowed are ${allowed}`),
  );
  const {
    prefix,
    versions,
    keepsVersionsDays: days,
    bucket,
    encryptionKeyArn,
    case: letters,
  } = recordOf(part);
  checkPrefixes(prefix, refused);
  checkKeys({ key: prefix, ...(letters !== undefined && { case: letters }) }, refused);
  const forms = formsOf({ prefix: prefix as S3Part['prefix'] });
  const nested = nestedIn(forms, forms);
  if (nested !== undefined) throw refused(nested);
  if (versions !== 'current')
    throw refused(
      `versions is 'current', not ${shown(versions)}: the current version of an object moves, and all versions are purged`,
    );
  if (bucket !== undefined && typeof bucket !== 'function')
    throw refused(
      `bucket is a function (realm, stage, account) => name, not ${shown(bucket)}: each realm has a bucket of its own`,
    );
  const isDays = typeof days === 'number' && Number.isInteger(days) && days >= 1 && days <= 3_650;
  if (days !== undefined && !isDays)
    throw refused(`keepsVersionsDays is a whole number from 1 to 3650, not ${shown(days)}`);
  if (days !== undefined && bucket !== undefined)
    throw refused('keepsVersionsDays is for a bucket of ours: yours has your own rules');
  if (encryptionKeyArn === undefined) return;
  if (typeof encryptionKeyArn !== 'function')
    throw refused(
      `encryptionKeyArn is a function (realm, stage) => ARN, not ${shown(encryptionKeyArn)}: each realm has a key of its own`,
    );
  if (bucket === undefined)
    throw refused('encryptionKeyArn is for a bucket of your own, which bucket names');
}

/** All templates end the tenant with one delimiter: a value that has it is refused. */
function checkPrefixes(prefix: unknown, refused: Refused): void {
  const templates: readonly unknown[] = Array.isArray(prefix) ? prefix : [prefix];
  const delimiters = new Set<string>();
  for (const template of templates) {
    if (typeof template !== 'string' || template === '')
      throw refused(`prefix is a template such as '{tenant}/', not ${shown(template)}`);
    if (template.startsWith('/'))
      throw refused(`prefix ${shown(template)} begins with a slash, which is part of every key`);
    const [, name, tail = ''] = wordsOf(template);
    const of = PLACEHOLDERS.find((placeholder) => placeholder === name);
    const [delimiter = ''] = tail;
    if (of === undefined) continue; // its keys are refused with a better sentence
    if (delimiter === '' || /[0-9A-Za-z-]/.test(delimiter) || alwaysHolds(of, delimiter))
      throw refused(
        `prefix ${shown(template)} ends the tenant with a delimiter such as /, which is in no value of {${of}}: without one, objects of acme-10 begin like those of acme-1`,
      );
    delimiters.add(delimiter);
  }
  if (delimiters.size > 1) throw refused('all prefixes end the tenant with the same delimiter');
}
