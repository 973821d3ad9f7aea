/** Pure: what an operator must know of the open moves and of the settings, most urgent first. */
import { defined } from '../../../lambdas/domain/defined.ts';
import { aheadText } from '../../../lambdas/domain/moving/ahead-text.ts';
import {
  attemptOfPhase,
  isNoOp,
  type Migration,
} from '../../../lambdas/domain/moving/migration.ts';
import { isStuck } from '../../../lambdas/domain/moving/stuck.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { TenantState } from '../../../lambdas/domain/tenants/tenant.ts';
import { factText, type SettingFact } from '../acting/settings.ts';
import { lasting, moment } from '../terminal/print.ts';
import type { ProjectedEnd } from './projected-end.ts';

/** In the order of urgency. */
export const KINDS = [
  'nobody-serves',
  'late',
  'halted',
  'failed',
  'stuck',
  'paused',
  'under-way',
  'scheduled',
  'set',
] as const;
export type Kind = (typeof KINDS)[number];

/** These kinds need an operator now; the others need nothing. */
const BAD: readonly Kind[] = ['nobody-serves', 'late', 'halted', 'failed', 'stuck'];

export interface StatusEntry {
  readonly kind: Kind;
  readonly needsYou: boolean;
  readonly tenant?: string;
  readonly migration?: string;
  readonly source?: Realm;
  readonly target?: Realm;
  readonly status?: Migration['status'];
  /** When the status began, or the setting was made; ISO. */
  readonly since?: string;
  readonly windowEnds?: string;
  readonly says: string;
  /** The words of the next command, without the options that say which deployment it is for. */
  readonly next: readonly string[];
}

/** An open move, and the state of the tenant in both realms. */
export interface OpenMove {
  readonly migration: Migration;
  readonly source: TenantState | 'none';
  readonly target: TenantState | 'none';
  readonly projection?: ProjectedEnd | undefined;
}

export function statusEntries(
  moves: readonly OpenMove[],
  settings: readonly SettingFact[],
  now: number,
): readonly StatusEntry[] {
  const entries = [...moves.map((move) => entryOf(move, now)), ...settings.map(settingEntry)];
  return entries.toSorted(
    (one, other) =>
      KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
      (urgency(one) < urgency(other) ? -1 : 1),
  );
}

/** Among entries of a kind, the one whose window ends first comes first. */
const urgency = ({ windowEnds, since }: StatusEntry): string => windowEnds ?? since ?? '';

function entryOf(move: OpenMove, now: number): StatusEntry {
  const { tenant, id, source, target, status, updatedAt, facts } = move.migration;
  const kind = kindOf(move, now);
  return {
    kind,
    needsYou: BAD.includes(kind),
    tenant,
    migration: id,
    source,
    target,
    status,
    since: updatedAt,
    ...(facts && { windowEnds: facts.endTime }),
    says: [situation(move, kind, now), windowText(move.migration, now)].filter(Boolean).join('; '),
    next: [NEXT[kind], tenant, id],
  };
}

function kindOf({ migration, source, target, projection }: OpenMove, now: number): Kind {
  const { status, facts, halted } = migration;
  if (status === 'scheduled') return 'scheduled';
  const serves = (state: OpenMove['source']) => state === 'active' || state === 'frozen';
  if (!isNoOp(migration) && !serves(source) && !serves(target)) return 'nobody-serves';
  const isOver = facts !== undefined && Date.parse(facts.endTime) < now;
  if (status === 'copying' && (isOver || projection?.isInTime === false)) return 'late';
  if (halted !== undefined) return 'halted';
  if (status === 'failed') return 'failed';
  return isStuck(migration, now) ? 'stuck' : 'under-way';
}

const NEXT: Readonly<Record<Kind, string>> = {
  'nobody-serves': 'show',
  late: 'show',
  halted: 'show',
  failed: 'show',
  stuck: 'retry',
  paused: 'set',
  'under-way': 'watch',
  scheduled: 'show',
  set: 'set',
};

function situation({ migration, source, projection }: OpenMove, kind: Kind, now: number): string {
  const { status, phase, updatedAt, facts, halted, error } = migration;
  const lasts = lasting(Math.max(0, now - Date.parse(updatedAt)) / 1000);
  const work =
    phase === undefined
      ? status
      : `${status}, phase ${phase}, attempt ${attemptOfPhase(migration)}`;
  switch (kind) {
    case 'nobody-serves':
      return `NOBODY SERVES THIS TENANT (${work}, for ${lasts})`;
    case 'halted':
      return `halted for ${lasts}: ${halted}`;
    case 'failed':
      return `failed ${lasts} ago: ${error?.reason ?? 'no reason is on record'}; ${
        source === 'active' ? 'the source serves' : 'the source is not open yet'
      }`;
    case 'scheduled': {
      const begins =
        facts === undefined ? status : `scheduled to begin at ${moment(facts.startTime)}`;
      return [begins, aheadText(migration)].filter(Boolean).join('; ');
    }
    default: {
      const readOnly = source === 'frozen' ? ', the tenant cannot write' : '';
      return `${work}, for ${lasts}${readOnly}${projection ? `; ${projection.says}` : ''}`;
    }
  }
}

function windowText({ status, facts }: Migration, now: number): string {
  if (facts === undefined || status === 'scheduled') return '';
  const left = Date.parse(facts.endTime) - now;
  return left > 0
    ? `window ends in ${lasting(left / 1000)}`
    : `window over for ${lasting(-left / 1000)}`;
}

function settingEntry(fact: SettingFact): StatusEntry {
  const { realm, tenant, setting, since } = fact;
  const option = {
    noNewMoves: 'new-moves',
    concurrency: 'concurrency',
    rateLimit: 'rate-limit',
  };
  return {
    kind: setting === 'noNewMoves' && fact.value === true ? 'paused' : 'set',
    needsYou: false,
    ...defined({ tenant }),
    source: realm,
    ...defined({ since }),
    says: factText(fact),
    next: [
      'set',
      ...['--realm', realm],
      ...(tenant === undefined ? [] : ['--tenant', tenant]),
      ...[`--${option[setting]}`, 'default'],
    ],
  };
}
