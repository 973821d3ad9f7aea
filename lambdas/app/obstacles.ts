/**
 * Looks for what stands in the way of a tenant's move in its storage. What is found of objects is
 * kept with the tenant's measurement: the hooks read it there, and have no right to look. The size
 * of a table is asked for when a move is scheduled.
 */
import { type Range, rangesOf } from '../domain/datasets/dataset.ts';
import { type KeyValues, keyValuesOf } from '../domain/datasets/key-values.ts';
import { kindOf } from '../domain/datasets/kinds.ts';
import { type Looked, NO_OBSTACLES, type Obstacles } from '../domain/planning/obstacles.ts';
import type { Realm } from '../domain/realm.ts';
import { DAY_MS } from '../domain/time.ts';
import type { AppContext } from './app-context.ts';
import type { Invocation } from './phases/range-turn.ts';

/** A look older than this does not refuse a move. */
const KNOWN = 7 * DAY_MS;
/** A look that was begun longer ago than this, and not finished, begins again. */
const LONGEST_LOOK = DAY_MS;
/** Milliseconds of an invocation that are reserved for the last page and its record. */
const RESERVE = 10_000;

/** By what is on record; a sentence. */
export async function knownObstacle(
  { ports: { measurements, clock }, settings: { realm: here } }: AppContext,
  tenant: string,
): Promise<string | undefined> {
  const found = (await measurements.read(here, tenant))?.obstacles;
  if (found === undefined || found.says.length === 0) return undefined;
  if (Date.parse(found.at) < clock.now() - KNOWN) return undefined;
  return `${found.says.join('; ')} (found by the look of ${found.at}; a rehearsal looks again)`;
}

/**
 * The first place of the tenant's data that is larger than declared, in the realms of a move; a
 * sentence. One short request for each part that is scanned.
 */
export async function oversizedPlace(
  { ports: { partKind }, settings: { parts } }: AppContext,
  values: KeyValues,
  realms: readonly Realm[],
): Promise<string | undefined> {
  const firstOfPart = new Map(rangesOf(parts, values).map((range) => [range.part, range]));
  const places = realms.flatMap((realm) =>
    [...firstOfPart.values()].map((range) => partKind.oversize?.(range, realm)),
  );
  return (await Promise.all(places)).find((says) => says !== undefined);
}

/**
 * One turn over the ranges, all policies: what is only dropped is purged too. A complete look that
 * began at `since` (epoch milliseconds) or later is not repeated. Safe twice: each page of a range
 * is behind a cursor on record.
 */
export async function lookForObstacles(
  { ports, settings: { realm: here, parts } }: AppContext,
  values: KeyValues,
  since: number,
  until: number,
): Promise<Obstacles | undefined> {
  const { measurements, partKind, clock } = ports;
  const ranges = rangesOf(
    parts.filter((part) => kindOf(part).hasObstacles),
    values,
  );
  if (ranges.length === 0) return undefined;
  const stored = (await measurements.read(here, values.tenant))?.obstacles;
  if (stored?.complete && Date.parse(stored.at) >= since) return stored;
  const goesOn =
    stored !== undefined && !stored.complete && Date.parse(stored.at) >= clock.now() - LONGEST_LOOK;
  let found: Obstacles = goesOn
    ? stored
    : {
        at: new Date(clock.now()).toISOString(),
        says: stored?.says ?? [],
        complete: false,
        ranges: {},
      };
  for (const range of ranges) {
    const sofar = found.ranges[range.id];
    if (sofar?.complete) continue;
    const next = (await partKind.obstacles?.(range, here, until, sofar)) ?? NO_OBSTACLES;
    found = withRange(found, { ...found.ranges, [range.id]: next }, ranges);
    await measurements.writeObstacles(here, values.tenant, found);
    if (!next.complete || clock.now() >= until) break;
  }
  return found;
}

function withRange(
  found: Obstacles,
  looked: Obstacles['ranges'],
  ranges: readonly Range[],
): Obstacles {
  const fresh = ranges.flatMap(({ id, part }) =>
    (looked[id]?.says ?? []).map((says) => `part ${part}: ${says}`),
  );
  const complete = ranges.every(({ id }) => looked[id]?.complete);
  return {
    ...found,
    says: [...new Set(complete ? fresh : [...found.says, ...fresh])],
    complete,
    ranges: looked,
  };
}

/** Asked by an operator, for a tenant that this realm serves. Always looks anew, or goes on. */
export function lookAtTenant(context: AppContext) {
  const { ports, settings } = context;
  return async (
    tenant: string,
    { deadline }: Invocation,
  ): Promise<Looked | { refused: string }> => {
    const record = await ports.tenants.read(settings.realm, tenant);
    if (record?.state !== 'active' && record?.state !== 'frozen')
      return { refused: `realm ${settings.realm} does not serve this tenant` };
    const since = Number.POSITIVE_INFINITY;
    const found = await lookForObstacles(context, keyValuesOf(record), since, deadline - RESERVE);
    return found === undefined
      ? { says: [], complete: true }
      : { says: found.says, complete: found.complete };
  };
}
