/** Refuses declarations of tables that are scanned, where they could not be moved safely. */
import { alwaysHolds } from './key-overlaps.ts';
import { PLACEHOLDERS, wordsOf } from './key-template.ts';

type Fields = Readonly<Record<string, unknown>>;
type Refused = (says: string) => Error;

const FIELDS = ['by', 'attribute', 'prefix', 'index', 'segments', 'largestTableGB'];
const FORMS =
  "discover is { by: 'scan', attribute, largestTableGB }, { by: 'scan', prefix, largestTableGB } or { by: 'index', index, attribute, largestTableGB }";
/**
 * One segment is proven empty within a step of the workflow, which lasts 60 seconds: 2 GB take 41,
 * by what DynamoDB promises a new table.
 */
const MOST_SEGMENT_GB = 2;
/** Each is a range of its own, and a receipt names them all. */
const MOST_SEGMENTS = 100;

/** Throws a sentence that says what is allowed. The values may have other types than declared. */
export function checkDiscovery(part: Fields, refused: Refused): void {
  const { discover, key, keyType, shards } = part;
  if (discover === undefined) return;
  if (typeof discover !== 'object' || discover === null) throw refused(FORMS);
  const { by, attribute, prefix, index, segments, largestTableGB, ...rest }: Fields = {
    ...discover,
  };
  const [other] = Object.keys(rest);
  if (other !== undefined)
    throw refused(
      `discover has a field "${other}", which means nothing here; allowed are ${FIELDS.join(', ')}`,
    );
  if (by !== 'scan' && by !== 'index')
    throw refused(`discover.by is 'scan' or 'index', not ${String(by)}`);
  if (by === 'index' ? !isName(index) : index !== undefined)
    throw refused("discover.index is the name of an index, and goes with by: 'index'");
  if (prefix !== undefined && (attribute !== undefined || by === 'index'))
    throw refused(
      'discover.prefix stands in the partition key: it goes without attribute and index',
    );
  if (prefix === undefined) checkAttribute(attribute, part, refused);
  else checkPrefix(prefix, part, refused);
  checkSegments(segments, largestTableGB, refused);
  if (shards !== undefined || Array.isArray(key))
    throw refused('discover goes with one template: without shards or a list of keys');
  if (prefix !== undefined && keyType !== undefined && keyType !== 'S')
    throw refused('discover.prefix is text: its partition key is of keyType S');
  const isOfInstallations = [key, prefix].some(
    (one) => typeof one === 'string' && one.includes('{installation'),
  );
  if (isOfInstallations && segments !== undefined && segments !== 1)
    throw refused(
      'discover by installations goes with one segment: each installation has a scan of its own',
    );
  if (isOfInstallations && typeof largestTableGB === 'number' && largestTableGB > 1 && !segments)
    throw refused(
      'discover by installations goes with one segment, and with tables of 1 GB, or of 2 GB where segments is 1',
    );
}

function checkAttribute(attribute: unknown, { partitionKey }: Fields, refused: Refused): void {
  if (!isName(attribute))
    throw refused('discover.attribute is the name of the attribute that holds the tenant');
  if (attribute === partitionKey)
    throw refused('discover.attribute is for a table whose partition key does not hold the tenant');
}

/**
 * What follows the placeholder begins with a delimiter. A tenant whose value has the delimiter is
 * refused, so that no prefix of one tenant begins with that of another.
 */
function checkPrefix(prefix: unknown, { key }: Fields, refused: Refused): void {
  if (typeof prefix !== 'string' || prefix === '')
    throw refused("discover.prefix is a template such as '{tenant}#'");
  if (key !== undefined)
    throw refused('discover.prefix is the template of its keys: leave out key');
  const [, name, tail = ''] = wordsOf(prefix);
  const [delimiter = ''] = tail;
  const of = PLACEHOLDERS.find((placeholder) => placeholder === name);
  if (delimiter === '' || /[0-9A-Za-z]/.test(delimiter))
    throw refused(
      `discover.prefix '${prefix}' ends in a delimiter behind the tenant, such as '#': without one, keys of acme-10 begin like those of acme-1`,
    );
  if (of !== undefined && alwaysHolds(of, delimiter))
    throw refused(
      `discover.prefix '${prefix}' has a delimiter that every {${of}} has in it: take another`,
    );
}

function checkSegments(segments: unknown, largestTableGB: unknown, refused: Refused): void {
  const isCount = typeof segments === 'number' && Number.isInteger(segments) && segments >= 1;
  if (segments !== undefined && (!isCount || segments > MOST_SEGMENTS))
    throw refused(`discover.segments is a whole number from 1 to ${MOST_SEGMENTS}`);
  const shares = isCount ? segments : MOST_SEGMENTS;
  const most = isCount ? shares * MOST_SEGMENT_GB : shares;
  if (typeof largestTableGB !== 'number' || !(largestTableGB > 0) || largestTableGB > most)
    throw refused(
      isCount
        ? `discover.largestTableGB is more than 0, and at most ${most}: ${MOST_SEGMENT_GB} for each of ${shares} segments, of which ${MOST_SEGMENTS} are possible`
        : `discover.largestTableGB is more than 0, and at most ${most}; with segments, up to ${MOST_SEGMENTS * MOST_SEGMENT_GB}`,
    );
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
