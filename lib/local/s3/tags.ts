/** Tags of objects: at most ten, with unique keys. */
import { S3Error } from './s3-error.ts';
import { parseXml, type Xml, xmlOf } from './xml.ts';

/** Letters, digits, spaces and a few signs. */
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u;

type Tags = readonly (readonly [key: string, value: string])[];

export function checkTags(tags: Tags): Tags {
  if (tags.length > 10) throw new S3Error('InvalidTag', 'Object tags cannot be greater than 10');
  if (new Set(tags.map(([key]) => key)).size < tags.length)
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
  for (const [key, value] of tags)
    if (key === '' || key.length > 128 || value.length > 256 || !ALLOWED.test(`${key}${value}`))
      throw new S3Error('InvalidTag', 'The TagKey or TagValue you have provided is invalid');
  return tags;
}

/** Of the body of PutObjectTagging. */
export const tagsInXml = (text: string): Tags =>
  checkTags(
    parseXml(text, 'Tagging')
      .all('TagSet')
      .flatMap((set) => set.all('Tag'))
      .map((tag) => [tag.text('Key') ?? '', tag.text('Value') ?? ''] as const),
  );

export function xmlOfTags(tags: Tags): string {
  const set: Xml = { Tag: tags.map(([Key, Value]) => ({ Key, Value })) };
  return xmlOf('Tagging', { TagSet: set });
}
