/** Pure: what stands in the way of a tenant's move, by its records and its size. */

import type { Part } from '../../../lambdas/domain/datasets/dataset.ts';
import { unknownOf } from '../../../lambdas/domain/datasets/key-template.ts';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';

import type { TenantFacts } from '../tenants/tenant-reader.ts';

export interface Obstacle {
  readonly kind:
    | 'no-secret'
    | 'unknown-cloud-id'
    | 'unknown-tenant-key'
    | 'too-large'
    | 'undeclared-keys'
    | 'objects'
    | 'objects-not-looked-at'
    | 'in-a-move'
    | 'in-two-realms'
    | 'new-moves-off'
    | 'target-taken';
  /** The realm to which the tenant cannot move; absent where it can move nowhere. */
  readonly to?: Realm;
  /** `false`: the move works, and something else may not. */
  readonly stops: boolean;
  readonly says: string;
}

export interface Whereabouts {
  readonly realm: Realm;
  readonly record: TenantFacts;
  /** Records in the other realms. */
  readonly others: readonly { readonly realm: Realm; readonly record: TenantFacts }[];
}

/** Obstacles of the tenant itself, whatever its size and wherever it goes. */
export function ofRecord(
  { realm, record, others }: Whereabouts,
  values: KeyValues,
  parts: readonly Part[],
  hasForge: boolean,
): readonly Obstacle[] {
  const { hasSecret, installations = [], state, migration, cloudId } = record;
  const unknown = new Set(parts.flatMap((part) => unknownOf(part, values)));
  const second = others.find((other) => other.record.state === 'active');
  const stop = (kind: Obstacle['kind'], says: string): Obstacle => ({ kind, stops: true, says });
  return [
    ...(second === undefined
      ? []
      : [stop('in-two-realms', `it is active in ${realm} and in ${second.realm}`)]),
    ...(state === 'frozen' ? [stop('in-a-move', `migration ${migration} is under way`)] : []),
    ...(hasSecret || installations.length > 0
      ? []
      : [stop('no-secret', 'it has no shared secret and no installation: no hook is verified')]),
    ...(unknown.has('tenantKey')
      ? [stop('unknown-tenant-key', 'a key is made of the app’s own id of it, which is unknown')]
      : []),
    ...(unknown.has('cloudId')
      ? [stop('unknown-cloud-id', 'a key is made of its cloud id, which is unknown')]
      : []),
    ...(hasForge && cloudId === undefined && installations.length === 0 && !unknown.has('cloudId')
      ? [
          {
            kind: 'unknown-cloud-id',
            stops: false,
            says: 'its cloud id is unknown: hooks of Forge will not find it',
          } as const,
        ]
      : []),
  ];
}

/** Records in a target that a move does not claim. */
export const ofTargets = ({ others }: Whereabouts): readonly Obstacle[] =>
  others
    .filter(({ record }) => record.state !== 'active')
    .filter(({ record }) => !isClaimable(record))
    .map(({ realm, record }) => ({
      kind: 'target-taken',
      to: realm,
      stops: true,
      says: `${realm} has a record of it that is ${record.state}${record.keep ? ', and kept' : ''}`,
    }));

const isClaimable = (record: TenantFacts): boolean =>
  (record.state === 'moved' && record.expiresAt !== undefined) ||
  (record.state === 'retired' && !record.keep);
