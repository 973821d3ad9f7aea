/**
 * DATA: the combinations of status, step and fault that can occur, and must occur within the
 * ordinary number of seeds.
 */
import type { Status } from '../../lambdas/domain/moving/migration.ts';
import { cellOf, type Seen } from './coverage.ts';

/** The fates of an operation. A function outlives its time by chance, not by plan. */
const FAULTS: readonly Seen[] = [
  'nothing',
  'killed-before',
  'killed-after',
  'refused',
  'reply-lost',
];

/** The status in which each task of the workflow works. */
const TASKS: Readonly<Record<string, Status>> = {
  prepareCopy: 'copying',
  clearTargetRange: 'copying',
  copyRange: 'copying',
  finishCopy: 'copying',
  beginCommit: 'committing',
  passPointOfNoReturn: 'committing',
  purgeSourceRange: 'committing',
  finishCommit: 'committing',
  beginRestore: 'rolling-back',
  restoreSourceRange: 'rolling-back',
  finishRestore: 'rolling-back',
  beginRollback: 'rolling-back',
  releaseSource: 'rolling-back',
  discardTargetRange: 'rolling-back',
  finishRollback: 'rolling-back',
};
const VERIFICATIONS: readonly Status[] = ['copying', 'committing', 'rolling-back'];

/** The status in which a hook changes the migration. */
const MOVES: readonly (readonly [string, Status | undefined])[] = [
  ['schedule', undefined],
  ['start', 'scheduled'],
  ['start', 'copying'],
  ['status', 'copying'],
  ['status', 'ready-to-commit'],
  ['commit', 'ready-to-commit'],
  ['commit', 'committing'],
  ['rollback', undefined],
  ['rollback', 'scheduled'],
  ['cancel', 'copying'],
];

/**
 * The statuses in which a hook may arrive, early, late or again. Atlassian sends no commit or start
 * to a failed migration; the table of answers has those.
 */
const COMES: Readonly<Record<string, readonly (Status | undefined)[]>> = {
  schedule: [
    undefined,
    'scheduled',
    'copying',
    'ready-to-commit',
    'committing',
    'committed',
    'rolling-back',
    'rolled-back',
  ],
  start: [
    'scheduled',
    'copying',
    'ready-to-commit',
    'committing',
    'committed',
    'rolling-back',
    'rolled-back',
  ],
  status: [
    'copying',
    'ready-to-commit',
    'committing',
    'committed',
    'failed',
    'rolling-back',
    'rolled-back',
  ],
  commit: ['ready-to-commit', 'committing', 'committed', 'rolling-back', 'rolled-back'],
  rollback: [
    undefined,
    'scheduled',
    'copying',
    'ready-to-commit',
    'committing',
    'committed',
    'failed',
    'rolling-back',
    'rolled-back',
  ],
  cancel: ['scheduled', 'copying', 'ready-to-commit', 'committing', 'failed', 'rolling-back'],
  retry: ['scheduled', 'copying', 'ready-to-commit', 'committing', 'failed', 'rolling-back'],
  set: [undefined, 'copying', 'committed', 'rolled-back'],
  installed: [
    undefined,
    'scheduled',
    'copying',
    'ready-to-commit',
    'committing',
    'committed',
    'rolling-back',
    'rolled-back',
  ],
  uninstalled: [
    'scheduled',
    'copying',
    'ready-to-commit',
    'committing',
    'committed',
    'rolling-back',
    'rolled-back',
  ],
};

export const REQUIRED: readonly string[] = [
  ...Object.entries(TASKS).flatMap(([task, status]) =>
    FAULTS.map((fault) => cellOf(status, task, fault)),
  ),
  ...VERIFICATIONS.flatMap((status) => FAULTS.map((fault) => cellOf(status, 'verifyRange', fault))),
  ...MOVES.flatMap(([hook, status]) => FAULTS.map((fault) => cellOf(status, hook, fault))),
  ...Object.entries(COMES).flatMap(([hook, statuses]) =>
    statuses.map((status) => cellOf(status, hook, 'nothing')),
  ),
];

export const missingIn = (seen: ReadonlyMap<string, number>): readonly string[] =>
  [...new Set(REQUIRED)].filter((cell) => !seen.has(cell));
