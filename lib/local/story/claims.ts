/** The claims of a story about its move. Each is checked. */
import { withCommas } from '../../../lambdas/domain/operating/with-commas.ts';
import {
  type Cast,
  type Course,
  isSuccess,
  type Possessions,
  type StoryOptions,
  TEMPLATE,
} from './cast.ts';
import { differing, partsWith, sizeOf } from './holdings.ts';

/** A statement, and whether it is true. */
export type Claim = readonly [holds: boolean, text: string];

export function claimsOfMove(
  { end, whileCopying, afterwards }: Course,
  rollback: boolean,
): readonly Claim[] {
  const wanted = rollback ? 'rolled-back' : 'committed';
  return [
    [end === wanted, `the migration ended ${end}`],
    [whileCopying === 503, `a write during the copy was refused (${whileCopying})`],
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
  const [moved, dropped] = [partsWith('move'), partsWith('drop')];
  const names = dropped.map(({ name }) => name).join(', ');
  const stays: Claim = [
    differing(before.neighbour, after.source.neighbour) === 0 &&
      sizeOf(after.target.neighbour) === 0,
    `the neighbour is untouched: ${withCommas(sizeOf(after.source.neighbour))} items in ${from}, none in ${to}`,
  ];
  if (rollback) {
    const unchanged = differing(before.tenant, after.source.tenant) === 0;
    return [
      [
        unchanged,
        `all ${withCommas(sizeOf(before.tenant))} items are still in ${from}, unchanged, compared one by one`,
      ],
      [sizeOf(after.target.tenant) === 0, `${to} holds nothing of the tenant`],
      stays,
    ];
  }
  const arrived = differing(before.tenant, after.target.tenant, moved) === 0;
  return [
    [
      arrived,
      `all ${withCommas(sizeOf(before.tenant, moved))} items arrived in ${to} unchanged, compared one by one`,
    ],
    [sizeOf(after.target.tenant, dropped) === 0, `caches stayed behind (${names})`],
    [sizeOf(after.source.tenant) === 0, `${from} holds nothing of the tenant`],
    stays,
  ];
}

export async function claimsOfService(
  { atlassian, source, target, tenant }: Cast,
  rollback: boolean,
): Promise<readonly Claim[]> {
  const [inSource, inTarget] = [await source.stateOf(tenant), await target.stateOf(tenant)];
  const [wantedInSource, wantedInTarget] = rollback ? ['active', 'none'] : ['moved', 'active'];
  const saved = await atlassian.request(tenant, 'PUT', TEMPLATE, { content: 'And so on.' });
  return [
    [
      inSource === wantedInSource && inTarget === wantedInTarget,
      `the tenant's record: ${inSource} in ${source.realm}, ${inTarget} in ${target.realm}`,
    ],
    [
      isSuccess(saved),
      `a user saves a template again, in ${rollback ? source.realm : target.realm} (${saved.status})`,
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
