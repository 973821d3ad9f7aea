/** Makes the page's list of migrations from the items of the ledgers. */
import { aheadText } from '../../../lambdas/domain/moving/ahead-text.ts';
import { type Ahead, isFinal, STATUSES } from '../../../lambdas/domain/moving/migration.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { ProgressView } from './progress.ts';

export interface MigrationView {
  readonly tenant: string;
  readonly id: string;
  readonly source: Realm;
  readonly target: Realm;
  readonly status: string;
  readonly isFinal: boolean;
  /** The window that `schedule` named; absent for a tombstone. */
  readonly window?: {
    readonly startTime: string;
    readonly endTime: string;
    readonly location: string;
  };
  readonly trouble?: string;
  /** What was copied ahead of the window, as a sentence. */
  readonly ahead?: string;
  readonly scheduledAt: string;
  /** Present while it is copying. */
  readonly progress?: ProgressView;
  readonly timeline: readonly Entry[];
}

/** An entry of the ledger's history. */
export interface Entry {
  readonly status: string;
  readonly at: string;
  readonly actor: string;
}

type Fields = Readonly<Record<string, unknown>>;

const FINAL: readonly string[] = STATUSES.filter((status) => isFinal({ status }));

/** Open and failed migrations before finished ones; among them, newest first. */
export function migrationsIn(items: readonly Fields[]): MigrationView[] {
  const history = items.filter(isOf('history#'));
  return items
    .filter(isOf('status#'))
    .map((item): MigrationView => {
      const [tenant, id, status] = ['tenant', 'migration', 'status'].map((name) =>
        String(item[name]),
      ) as [string, string, string];
      const { startTime, endTime, location }: Fields = { ...Object(item['facts']) };
      const error: Fields = { ...Object(item['error']) };
      const trouble = item['halted'] ?? error['reason'];
      return {
        tenant,
        id,
        source: String(item['source']),
        target: String(item['target']),
        status,
        isFinal: FINAL.includes(status),
        scheduledAt: String(item['scheduledAt']),
        ...(endTime !== undefined && {
          window: {
            startTime: String(startTime),
            endTime: String(endTime),
            location: String(location),
          },
        }),
        ...aheadOf(item),
        ...(trouble !== undefined && { trouble: String(trouble) }),
        timeline: history
          .filter((entry) => entry['tenant'] === tenant && isOf(`history#${id}#`)(entry))
          .map(entryOf)
          .sort((one, other) => one.at.localeCompare(other.at)),
      };
    })
    .sort(
      (one, other) =>
        Number(one.isFinal) - Number(other.isFinal) ||
        other.scheduledAt.localeCompare(one.scheduledAt),
    );
}

function aheadOf(item: Fields): { readonly ahead?: string } {
  const { begunAt, finishedAt, items, bytes, stopped }: Fields = { ...Object(item['ahead']) };
  if (begunAt === undefined) return {};
  const ahead: Ahead = {
    begunAt: String(begunAt),
    ...(finishedAt !== undefined && { finishedAt: String(finishedAt) }),
    items: Number(items ?? 0),
    bytes: Number(bytes ?? 0),
    ...(stopped !== undefined && { stopped: String(stopped) }),
  };
  const status = STATUSES.find((known) => known === item['status']);
  const says = status && aheadText({ status, target: String(item['target']), ahead });
  return says === undefined ? {} : { ahead: says };
}

/** The tenant's migration that was scheduled last. */
export const newestOf = (
  migrations: readonly MigrationView[],
  tenant: string,
): MigrationView | undefined =>
  migrations
    .filter((migration) => migration.tenant === tenant)
    .reduce<MigrationView | undefined>(
      (newest, one) => (newest && newest.scheduledAt >= one.scheduledAt ? newest : one),
      undefined,
    );

const isOf = (kind: string) => (item: Fields) => String(item['id']).startsWith(kind);

const entryOf = ({ status, at, actor }: Fields): Entry => ({
  status: String(status),
  at: String(at),
  actor: String(actor),
});
