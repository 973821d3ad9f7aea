/** The claims of a story about its move. Each is checked. */
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import type { Left } from '../../object-snapshots.ts';
import { fieldOf } from '../simulated-atlassian.ts';
import { DELETED, LAST, NEW } from './ahead.ts';
import {
  type Cast,
  type Course,
  type Exported,
  isSuccess,
  type Possessions,
  type StoryOptions,
  TEMPLATE,
} from './cast.ts';
import { countsIn, differing, itemsOf, objectsOf, partsWith, sizeOf } from './holdings.ts';
import { readDocument } from './user.ts';

/** A statement, and whether it is true. */
export type Claim = readonly [holds: boolean, text: string];

export function claimsOfMove(
  { end, whileCopying, afterwards }: Course,
  { rollback, ahead }: Pick<StoryOptions, 'rollback' | 'ahead'>,
): readonly Claim[] {
  const isNeverStarted = rollback && ahead === true;
  const wanted = rollback ? 'rolled-back' : 'committed';
  return [
    [end === wanted, `the migration ended ${end}`],
    ...(isNeverStarted
      ? []
      : [[whileCopying === 503, `a write during the copy was refused (${whileCopying})`] as const]),
    ...(rollback
      ? []
      : [
          [
            afterwards === 421,
            `a write after the commit was sent on to the new realm (${afterwards})`,
          ] as const,
        ]),
  ];
}

export function claimsOfData(
  before: Possessions,
  after: { readonly source: Possessions; readonly target: Possessions },
  { from, to, rollback }: StoryOptions,
): readonly Claim[] {
  const names = partsWith(before.tenant, 'drop')
    .map(({ name }) => name)
    .join(', ');
  const stays: Claim = [
    differing(before.neighbour, after.source.neighbour) === 0 &&
      sizeOf(after.target.neighbour) === 0,
    `the neighbour is untouched: ${countsIn(after.source.neighbour)} in ${from}, none in ${to}`,
  ];
  const [had, wasIn] = [itemsOf(before.tenant), objectsOf(before.tenant)];
  const hasBuckets = wasIn.size > 0;
  if (rollback) {
    const there = after.source.tenant;
    return [
      [
        differing(had, itemsOf(there)) === 0,
        `all ${withCommas(sizeOf(had))} items are still in ${from}, unchanged, compared one by one`,
      ],
      ...(hasBuckets
        ? [
            [
              differing(wasIn, objectsOf(there)) === 0,
              `all ${withCommas(sizeOf(wasIn))} objects are still in ${from}, ${COMPARED}`,
            ] as const,
          ]
        : []),
      [sizeOf(after.target.tenant) === 0, `${to} holds nothing of the tenant`],
      ...(hasBuckets ? [emptyClaim(to, after.target.left)] : []),
      stays,
    ];
  }
  const arrived = after.target.tenant;
  return [
    [
      differing(had, itemsOf(arrived), 'move') === 0,
      `all ${withCommas(sizeOf(had, 'move'))} items arrived in ${to} unchanged, compared one by one`,
    ],
    ...(hasBuckets
      ? [
          [
            differing(wasIn, objectsOf(arrived), 'move') === 0,
            `all ${withCommas(sizeOf(wasIn, 'move'))} objects arrived in ${to}, ${COMPARED}`,
          ] as const,
        ]
      : []),
    ...(names === ''
      ? []
      : [[sizeOf(arrived, 'drop') === 0, `caches stayed behind (${names})`] as const]),
    [sizeOf(after.source.tenant) === 0, `${from} holds nothing of the tenant`],
    ...(hasBuckets ? [emptyClaim(from, after.source.left, before.left)] : []),
    stays,
  ];
}

const COMPARED = 'unchanged in bytes, headers, metadata and tags, compared one by one';

/** A listing of current objects does not show what S3 keeps beside them. */
function emptyClaim(realm: string, left: Left, before?: Left): Claim {
  if (left.versions + left.markers + left.uploads > 0)
    return [false, `the tenant's prefix is not empty in ${realm}: it has ${counted(left)}`];
  const had = before === undefined ? '' : ` of ${counted(before)}`;
  return [true, `the tenant's prefix is empty in ${realm}: nothing is left${had}`];
}

const counted = ({ versions, markers, uploads }: Left): string =>
  `${several(versions, 'version')}, ${several(markers, 'delete marker')} and ${several(uploads, 'open upload')}`;

const several = (count: number, what: string): string =>
  `${withCommas(count)} ${what}${count === 1 ? '' : 's'}`;

/** Nothing where the sample app has exported nothing. */
export async function claimsOfDocuments(
  cast: Cast,
  exported: Exported | undefined,
  rollback: boolean,
): Promise<readonly Claim[]> {
  if (exported === undefined) return [];
  const { status, text } = await readDocument(cast, exported.path);
  const realm = rollback ? cast.source.realm : cast.target.realm;
  return [
    [
      status === 200 && text === exported.text,
      `a user reads the exported document again, by a URL of ${realm} (${status})`,
    ],
  ];
}

export async function claimsOfService(
  { request, saved: what, source, target, tenant }: Cast,
  rollback: boolean,
): Promise<readonly Claim[]> {
  const [inSource, inTarget] = [await source.stateOf(tenant), await target.stateOf(tenant)];
  const [wantedInSource, wantedInTarget] = rollback ? ['active', 'none'] : ['moved', 'active'];
  const saved = await request(tenant, 'PUT', TEMPLATE, { content: 'And so on.' });
  return [
    [
      inSource === wantedInSource && inTarget === wantedInTarget,
      `the tenant's record: ${inSource} in ${source.realm}, ${inTarget} in ${target.realm}`,
    ],
    [
      isSuccess(saved),
      `a user saves ${what} again, in ${rollback ? source.realm : target.realm} (${saved.status})`,
    ],
  ];
}

/** Nothing where the story copies nothing ahead. */
export async function claimsOfAhead(
  { request, source, target, tenant }: Cast,
  { ahead, fenced }: Course,
  rollback: boolean,
): Promise<readonly Claim[]> {
  if (ahead === undefined) return [];
  const { seconds, copied, state, isFinished, saved, refused } = ahead;
  const isCopied = isFinished && sizeOf(copied) > 0 && state === 'standby';
  const claims: Claim[] = [
    [
      isCopied,
      `${countsIn(copied)} were copied ahead, while ${source.realm} served and ${target.realm} did not (${state})`,
    ],
    [saved > 0 && refused === 0, `all ${saved} writes of a user meanwhile were accepted`],
  ];
  if (rollback) return claims;
  const paths = [NEW, DELETED];
  const [added, deleted] = await Promise.all(paths.map((path) => request(tenant, 'GET', path)));
  const isThere = added?.status === 200 && fieldOf(added, 'content') === LAST.content;
  return [
    ...claims,
    [
      isThere && deleted?.status === 404,
      `what was written after it is in ${target.realm} (${added?.status}), and what was deleted is not (${deleted?.status})`,
    ],
    [
      fenced !== undefined && fenced < seconds,
      `the site was read-only for ${fenced?.toFixed(1)} s; copying ahead had taken ${seconds.toFixed(1)} s`,
    ],
  ];
}

/** A Forge token has no client key. Every realm must know the tenant by its installation. */
export async function claimsOfNames(
  { source, target, tenant }: Cast,
  { door, rollback }: StoryOptions,
): Promise<readonly Claim[]> {
  const [installation] = tenant.installations.slice(-1);
  if (door === 'connect' || installation === undefined) return [];
  const at = rollback ? source : target;
  const known = await at.installationsOf(tenant);
  return [[known.includes(installation), `${at.realm} knows the tenant by its Forge installation`]];
}
