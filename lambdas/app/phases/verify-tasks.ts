/**
 * Verification: an independent reader reads both sides again, strongly consistently; at a commit,
 * only the source.
 */
import { isSame } from '../../domain/datasets/digest.ts';
import {
  isTooLate,
  type Migration,
  type Phase,
  realmOfPhase,
  valuesOf,
} from '../../domain/moving/migration.ts';
import type { RangeRecord, Work } from '../../domain/moving/range-record.ts';
import { PermanentError } from '../../domain/refusal.ts';
import type { AppContext } from '../app-context.ts';
import { fieldsOf } from '../steps.ts';
import { recordWindow } from '../with-metrics.ts';
import { rangeTask } from './range-task.ts';
import type { Side, Verdict } from './range-turn.ts';
import { expected, rangeOf } from './task-input.ts';

interface Verification {
  readonly work: Work;
  /** The work that must be done before, one of these. */
  readonly before?: readonly Work[];
  /** The work that makes a differing range equal. */
  readonly repair?: Work;
}

/** The verification of each phase; a rollback verifies nothing. */
const WORK: Partial<Record<Phase, Verification>> = {
  copy: { work: 'verify-copy', before: ['copy', 'repair-target'], repair: 'repair-target' },
  commit: { work: 'recheck-source' },
  restore: { work: 'verify-restore', before: ['restore-source'], repair: 'restore-source' },
};

function verificationOf(phase: Phase): Verification {
  const verification = WORK[phase];
  if (verification === undefined) throw new PermanentError(`phase ${phase} verifies nothing`);
  return verification;
}

/**
 * An item may expire, and vanish on one side, between the two readings. A second look, by the clock
 * at that time, decides.
 */
const LOOKS = 2;
/** How many differing keys the log names. */
const NAMED = 20;

export function verifyTasks(context: AppContext) {
  const { ports, settings } = context;
  const { partKind, clock, log, metrics } = ports;

  /** Safe twice: reads only, and records what it read. */
  const verifyRange = rangeTask(context, {
    on: 'moving',
    workOf(record, { phase }) {
      const { before, work } = verificationOf(phase);
      const isNext =
        before === undefined ||
        record?.work === work ||
        (record?.done === true && before.includes(record.work));
      return isNext ? work : undefined;
    },
    async how({ run, migration, range, work }) {
      const { source, target } = await stillWanted(migration);
      recordWindow(ports, migration);
      const { repair } = verificationOf(run.phase);
      const side = (name: 'source' | 'target', at: string, beside?: string): Side => ({
        side: name,
        pages: (horizon, from, until) => partKind.digest(range, at, horizon, from, until, beside),
      });
      // The side that was written is read as the ranges of the other share it out.
      const sides = {
        copy: [side('source', source), side('target', target, source)],
        restore: [side('source', source, target), side('target', target)],
        recheck: [side('source', source)],
      }[kindOf(work)];
      return {
        realm: realmOfPhase(migration, run.phase),
        sides,
        check: async () => void (await stillWanted(await expected(ports, run))),
        conclude: async (record) =>
          sides.length === 1 ? 'done' : compare(migration, record, repair),
      };
    },
  });

  /**
   * A range that differs is made equal by the next attempt, by the function that may write there,
   * and is then verified like any other. That is done once, because a second difference means that
   * another writer is at work.
   */
  async function compare(
    migration: Migration,
    record: RangeRecord,
    repair: Work | undefined,
  ): Promise<Verdict> {
    const { source: from, target: to, range, tries } = record;
    if (from === undefined || to === undefined)
      throw new Error(`range ${range} was read on one side only`);
    if (isSame(from.digest, to.digest)) return 'done';
    if (tries + 1 < LOOKS) return 'again';
    const where = rangeOf(settings.parts, valuesOf(migration), range);
    const keys = await partKind.differences(
      where,
      migration.source,
      migration.target,
      record,
      NAMED,
    );
    metrics.record('VerifyMismatches', 1);
    const mayRepair = repair !== undefined && !record.repaired;
    const next = mayRepair ? ': it is made equal, and verified again' : '';
    log.error(`alarm: range ${range} is not the same in both realms${next}`, {
      ...fieldsOf(migration),
      items: { source: from.digest.items, target: to.digest.items },
      differences: keys,
    });
    if (mayRepair) return { repair };
    throw new PermanentError(
      `range ${range} is not the same in both realms: ${from.digest.items} items in ${migration.source}, ${to.digest.items} in ${migration.target}`,
    );
  }

  const kindOf = (work: Work): 'copy' | 'restore' | 'recheck' => {
    if (work === 'recheck-source') return 'recheck';
    return work === 'verify-restore' ? 'restore' : 'copy';
  };

  async function stillWanted(migration: Migration): Promise<Migration> {
    if (migration.status === 'copying' && isTooLate(migration, clock.now())) {
      throw new PermanentError('the window ends before the copy is verified');
    }
    return migration;
  }

  return { verifyRange };
}
