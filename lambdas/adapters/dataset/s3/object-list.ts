/** Lists the objects of a range, page by page, in the order of their keys. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ask, decodedKey, type ObjectSide } from './object-side.ts';

/** An object as a listing knows it: without headers, metadata, tags and the value of a checksum. */
export interface ListedObject {
  readonly key: string;
  readonly size: number;
  readonly storageClass: string;
}

export interface ListedPage {
  readonly objects: readonly ListedObject[];
  /** Absent on the last page. */
  readonly lastKey?: string;
}

/** At least one page, which is empty when there is nothing after the key `after` (relative). */
export async function* listObjects(
  side: ObjectSide,
  after: string | undefined,
): AsyncGenerator<ListedPage> {
  const { client, bucket, prefix, limits } = side;
  let token: string | undefined;
  do {
    const page = await ask(side, 'ListObjectsV2', () =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          EncodingType: 'url',
          MaxKeys: limits.pageKeys,
          ...(token === undefined
            ? { StartAfter: after === undefined ? undefined : `${prefix}${after}` }
            : { ContinuationToken: token }),
        }),
      ),
    );
    token = page.NextContinuationToken;
    const objects = (page.Contents ?? []).map(({ Key, Size = 0, StorageClass = 'STANDARD' }) => ({
      key: decodedKey(Key, page.EncodingType),
      size: Size,
      storageClass: StorageClass,
    }));
    const lastKey = objects.at(-1)?.key;
    if (token === undefined) yield { objects };
    else if (lastKey !== undefined) yield { objects, lastKey };
  } while (token !== undefined);
}
