/** Progress of the running copies, by the formula that janitor and operators use. */
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbLedger } from '../../../lambdas/adapters/records/dynamodb-ledger.ts';
import { systemClock } from '../../../lambdas/adapters/system-clock.ts';
import { fractionDone, projectedEnd } from '../../../lambdas/domain/planning/projection.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../../lambdas/domain/residency.ts';
import { STAGE } from '../host-setup.ts';
import type { MigrationView } from './migration-view.ts';

export interface ProgressView {
  /** Percentage of copy and verification together, 0 to 100. */
  readonly percent: number;
  /**
   * ISO, with whole seconds: the projected end of the verification. Absent while too little is done
   * for a projection.
   */
  readonly endsAt?: string;
}

/** Below this share, the start of the workers counts more than their speed. */
const LEAST_FRACTION = 0.03;

export function progressOf(
  residency: Residency,
  clientFor: (realm: Realm) => DynamoDBDocumentClient,
) {
  const ledger = dynamoDbLedger({
    clientFor,
    tableOf: (realm) => physicalNames(residency, STAGE, realm).migrations,
    clock: systemClock,
  });
  let known: ReadonlyMap<string, ProgressView> = new Map();

  return {
    /**
     * `itemsOf` returns how many items a migration moves; `undefined` while they are not counted.
     */
    async look(
      migrations: readonly MigrationView[],
      itemsOf: (migration: MigrationView) => number | undefined,
    ): Promise<void> {
      const found = new Map<string, ProgressView>();
      for (const migration of migrations.filter(({ status }) => status === 'copying')) {
        const { tenant, id, source, target } = migration;
        const items = itemsOf(migration);
        if (items === undefined) continue;
        const ranges = await ledger.rangeRecords.list(target, { ledger: source, tenant, id });
        const begun = migration.timeline.findLast(({ status }) => status === 'copying')?.at;
        found.set(keyOf(migration), progress(fractionDone(ranges, items), begun));
      }
      known = found;
    },
    of: (migration: MigrationView): ProgressView | undefined =>
      migration.status === 'copying' ? known.get(keyOf(migration)) : undefined,
  };
}

function progress(fraction: number, begun: string | undefined): ProgressView {
  const percent = Math.floor(100 * fraction);
  if (begun === undefined || fraction < LEAST_FRACTION) return { percent };
  const end = projectedEnd(Date.parse(begun), fraction, Date.now());
  return { percent, endsAt: new Date(1000 * Math.round(end / 1000)).toISOString() };
}

const keyOf = ({ tenant, id }: MigrationView): string => JSON.stringify([tenant, id]);
