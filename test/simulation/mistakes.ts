/**
 * DATA: deliberate mistakes, each a small change of the sources, with the invariants that notice
 * it. Each of the nineteen rules on the order and ownership of writes is left out by one. Where a
 * second check would prevent the loss, the mistake leaves that out too, and names it.
 */
export interface Mistake {
  readonly name: string;
  /** The rule that it leaves out, if it is one of the nineteen. */
  readonly rule?: number;
  readonly changes: readonly {
    readonly file: string;
    readonly from: string;
    readonly to: string;
  }[];
  /**
   * The first of the seeds that are tried, where it is not 1: a little below the one that noticed
   * it last, because few worlds reach what it breaks.
   */
  readonly from?: number;
  /** The invariants, any of which may break first. */
  readonly breaks: readonly string[];
}

const CREDENTIALS = 'lambdas/domain/tenants/credentials.ts';
const FENCE = 'lambdas/domain/tenants/fence.ts';
const HOOKS = 'lambdas/app/migration-hooks.ts';
const SCHEDULING = 'lambdas/app/scheduling.ts';
const UNDO = 'lambdas/app/undo.ts';
const LIFECYCLE = 'lambdas/app/lifecycle-hooks.ts';
const STEPS = 'lambdas/app/steps.ts';
const COPY = 'lambdas/app/phases/copy-tasks.ts';
const MIGRATION = 'lambdas/domain/moving/migration.ts';
const VERIFY = 'lambdas/app/phases/verify-tasks.ts';
const AHEAD = 'lambdas/app/phases/ahead-tasks.ts';
const CLAIM = 'lambdas/app/phases/target-claim.ts';
const COMMIT = 'lambdas/app/phases/commit-tasks.ts';
const ROLLBACK = 'lambdas/app/phases/rollback-tasks.ts';
const TURN = 'lambdas/app/phases/range-turn.ts';
const JANITOR = 'lambdas/app/background/janitor.ts';
const LOCATE = 'lambdas/app/locate.ts';

const change = (file: string, from: string, to: string) => ({ file, from, to });

/**
 * For a mistake that needs the verification left out: without these, that alone would be noticed.
 */
const UNTOUCHED = [
  change(
    'test/simulation/simulate.ts',
    'if (isDisturbed.tampers)',
    'if (isDisturbed.tampers && false)',
  ),
  change(
    'test/simulation/simulate.ts',
    "if (isDisturbed.rogue) timeline.spawn('a rogue'",
    "if (isDisturbed.rogue && false) timeline.spawn('a rogue'",
  ),
];

export const MISTAKES: readonly Mistake[] = [
  {
    name: 'a release that does not ask whose fence it is',
    rule: 1,
    from: 481,
    changes: [
      change(
        FENCE,
        "if (isOwnedBy(record, migration, 'frozen', 'moved'))",
        "if (record.state === 'frozen' || record.state === 'moved')",
      ),
    ],
    breaks: [
      'at most one writer',
      'nothing slips through',
      'same answer again',
      'nowhere else',
      'complete somewhere',
    ],
  },
  {
    name: 'a start that comes to life late may fence',
    rule: 2,
    from: 17_011,
    changes: [
      change(
        FENCE,
        "if (record?.state !== 'active' || record.released?.includes(migration)) return undefined;",
        "if (record?.state !== 'active') return undefined;",
      ),
    ],
    breaks: ['same answer again', 'it ends'],
  },
  {
    name: 'a copy that does not claim the target',
    rule: 3,
    changes: [
      change(CLAIM, 'claim(current, from, id, source)', 'undefined'),
      change(
        CLAIM,
        "if (isOwnedBy(record, id, 'standby')) return;",
        "if (record?.state !== 'frozen') return;",
      ),
      change(
        CLAIM,
        "if (!isOwnedBy(to, id, 'standby')) throw new PermanentError('the target is not claimed');\n    if (to.unclean",
        'if (to?.unclean',
      ),
      change(
        COPY,
        "if (!isOwnedBy(record, id, 'standby')) throw new PermanentError('the target is not claimed');",
        '',
      ),
    ],
    breaks: ['nowhere else', 'same answer again', 'it ends'],
  },
  {
    name: 'a rollback that does not copy back what was written in the target',
    rule: 4,
    changes: [
      change(
        ROLLBACK,
        'return hasServed && !migration.restored && !hasReleased(from, migration.id);',
        'return false && hasServed;',
      ),
    ],
    breaks: ['it ends', 'nothing slips through', 'complete somewhere'],
  },
  {
    name: 'a worker that looks at the status before it takes its lease',
    rule: 5,
    changes: [
      change(TURN, '  const lease: Lease = {', '  await plan.check();\n  const lease: Lease = {'),
      change(TURN, '    await plan.check();\n    const ends', '    const ends'),
    ],
    breaks: [
      'complete somewhere',
      'nowhere else',
      'nothing slips through',
      'same answer again',
      'it ends',
    ],
  },
  {
    name: 'a failure that lifts the fence before it is on record, with a close that does not mind',
    rule: 6,
    changes: [
      change(
        STEPS,
        "const failed = await take(migration, 'fail'",
        "await release(migration);\n    const failed = await take(migration, 'fail'",
      ),
      change(
        FENCE,
        "if (!isOwnedBy(record, migration, 'frozen')) return undefined;",
        "if (record?.state !== 'frozen' && record?.state !== 'active') return undefined;\n  record = { ...record, migration };",
      ),
    ],
    breaks: ['nothing slips through', 'complete somewhere', 'at most one writer'],
  },
  {
    name: 'a repeated commit that does nothing',
    rule: 7,
    from: 71,
    changes: [
      change(
        HOOKS,
        "if (migration.status !== 'committing') return migration;\n    if (isNoOp(migration)) return finishNoOp(migration);",
        "if (migration.status !== 'committing' || request === 'again') return migration;\n    if (isNoOp(migration)) return finishNoOp(migration);",
      ),
      change(
        HOOKS,
        'async function continueCommit(migration: Migration): Promise<Migration> {',
        "async function continueCommit(migration: Migration, request = migration.status === 'committing' ? 'again' : 'first'): Promise<Migration> {",
      ),
      change(
        HOOKS,
        "return continueCommit(await steps.take(migration, 'commit', 'commit'));",
        "return continueCommit(await steps.take(migration, 'commit', 'commit'), 'first');",
      ),
    ],
    breaks: ['same answer again', 'it ends'],
  },
  {
    name: 'no janitor',
    rule: 8,
    changes: [
      change(
        JANITOR,
        'async function run(): Promise<void> {',
        'async function run(): Promise<void> {\n    if (here) return;',
      ),
    ],
    breaks: ['it ends', 'same answer again'],
  },
  {
    name: 'a next move before the arrival is committed',
    rule: 9,
    from: 91,
    changes: [
      change(
        SCHEDULING,
        'if (record.arrivedBy !== undefined && !(await hasSettled(record, record.arrivedBy))) {',
        "if (record.arrivedBy === 'nobody' && !(await hasSettled(record, record.arrivedBy))) {",
      ),
    ],
    breaks: [
      'at most one writer',
      'same answer again',
      'nothing slips through',
      'nowhere else',
      'it ends',
      'complete somewhere',
    ],
  },
  {
    name: 'an older installation that wins',
    rule: 10,
    changes: [
      change(
        CREDENTIALS,
        'if (arrived.iat !== stored.iat) return arrived.iat > stored.iat ? arrived : undefined;',
        'if (arrived.iat !== stored.iat) return arrived;',
      ),
    ],
    breaks: ['same answer again', 'it ends'],
  },
  {
    name: 'an installation that wins again when it comes again in its second',
    rule: 10,
    from: 521,
    changes: [
      change(
        CREDENTIALS,
        'return isKnown(arrived, stored) ? undefined : above(stored, arrived);',
        'return above(stored, arrived);',
      ),
    ],
    breaks: ['same answer again', 'it ends'],
  },
  {
    name: 'an uninstallation that is forgotten during a move',
    rule: 11,
    changes: [
      change(
        FENCE,
        "if (record.uninstalledIat === undefined) return { ...record, state: 'active' };",
        "if (record.uninstalledIat === undefined || record.released !== undefined || record.arrivedBy !== undefined) return { ...record, state: 'active' };",
      ),
    ],
    breaks: ['same answer again'],
  },
  {
    name: 'a rollback of an unknown id that leaves nothing behind',
    rule: 12,
    from: 61,
    changes: [
      change(
        SCHEDULING,
        'current ? undefined : tombstone,',
        'current || tombstone ? undefined : tombstone,',
      ),
    ],
    breaks: ['same answer again'],
  },
  {
    name: 'a rollback of a no-op that purges, with a withdrawal that does not ask whose the target is',
    rule: 13,
    changes: [
      change(
        UNDO,
        "if (next.status === 'rolling-back' && isNoOp(next)) {",
        "if (next.status === 'failed') {",
      ),
      change(
        STEPS,
        'if (phase === undefined || migration.halted || isNoOp(migration)) return migration;',
        'if (phase === undefined || migration.halted) return migration;',
      ),
      change(
        'lambdas/app/phases/task-input.ts',
        'if (migration.source === migration.target)',
        "if (migration.source === 'nowhere')",
      ),
      change(
        FENCE,
        'if (!arrivedBy(record, migration)) return undefined;\n  const { purgeDueAt',
        "if (record?.state !== 'active') return undefined;\n  const { purgeDueAt",
      ),
    ],
    breaks: ['complete somewhere', 'same answer again', 'it ends', 'nothing slips through'],
  },
  {
    name: 'a hook without an id that acts on a migration scheduled after its token',
    rule: 14,
    from: 15_451,
    changes: [
      change(
        LOCATE,
        '({ scheduledIat }) => scheduledIat <= iat',
        '({ scheduledIat }) => scheduledIat <= iat || iat > 0',
      ),
    ],
    breaks: ['it ends', 'same answer again', 'nothing slips through'],
  },
  {
    name: 'names that stay behind',
    changes: [
      change(FENCE, '...identityOf(source),', '...identityOf({}),'),
      change(FENCE, 'identityOf(other),', 'identityOf({}),'),
    ],
    breaks: ['it ends', 'same answer again'],
  },
  {
    name: 'a stub that verifies nothing',
    rule: 15,
    changes: [
      change(
        FENCE,
        'return { ...rest, installation: {}, expiresAt };',
        "return { ...rest, installation: {}, expiresAt, credentials: { sharedSecret: '', iat: rest.credentials.iat } };",
      ),
    ],
    breaks: ['it ends', 'same answer again'],
  },

  {
    name: 'no drain',
    from: 41,
    changes: [change(COPY, 'settings.drainSeconds,', '0,')],
    breaks: ['nothing slips through', 'complete somewhere', 'it ends'],
  },
  {
    name: 'the target is opened before the source is closed',
    from: 781,
    changes: [
      change(
        HOOKS,
        '    const closed = await tenants.change(source, tenant, (current) =>',
        '    await tenants.change(target, tenant, (current) => open(current, id, clock.now()));\n    const closed = await tenants.change(source, tenant, (current) =>',
      ),
    ],
    breaks: [
      'it ends',
      'same answer again',
      'nothing slips through',
      'at most one writer',
      'complete somewhere',
    ],
  },
  {
    name: 'ready to commit before it is verified',
    from: 151,
    changes: [
      change(
        COPY,
        "if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'verify-copy'))",
        "if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'verify-copy') && parts.length === 0)",
      ),
      change(
        'lambdas/app/phases/verify-tasks.ts',
        "if (isSame(from.digest, to.digest)) return 'done';",
        "if (from.digest.items >= 0) return 'done';",
      ),
    ],
    breaks: ['nothing slips through', 'complete somewhere'],
  },
  {
    name: 'a purge without a last look at the source',
    changes: [change(COMMIT, 'if (broken.length > 0)', 'if (broken.length > 1_000)')],
    breaks: ['nothing slips through'],
  },
  {
    name: 'a page that counts as handled when it is not',
    from: 31,
    changes: [change(TURN, '  done,\n  digest,', '  done: true,\n  digest,')],
    breaks: ['it ends', 'nothing slips through', 'complete somewhere', 'nowhere else'],
  },
  {
    name: 'a rollback that does not wait for workers',
    changes: [
      change(ROLLBACK, 'if (until === 0) return undefined;', 'if (until >= 0) return undefined;'),
      change(
        TURN,
        'if (isTaken(stored)) return',
        'if (isTaken(stored) && stored.revision < 0) return',
      ),
    ],
    breaks: [
      'nowhere else',
      'nothing slips through',
      'complete somewhere',
      'it ends',
      'same answer again',
    ],
  },
  {
    name: 'a discard on the wrong side',
    changes: [
      change(
        ROLLBACK,
        "...emptying(partKind, asked, 'target')",
        "...emptying(partKind, asked, 'source')",
      ),
    ],
    breaks: ['it ends', 'complete somewhere', 'nothing slips through'],
  },
  {
    name: 'a secret that does not follow into the target',
    from: 291,
    changes: [
      change(
        HOOKS,
        "isOwnedBy(current, id, 'standby') ? withFactsOf(current, from) : undefined",
        "isOwnedBy(current, id, 'standby') && from === undefined ? withFactsOf(current, from) : undefined",
      ),
      change(
        COPY,
        "isOwnedBy(current, id, 'standby') ? withFactsOf(current, from) : undefined",
        "isOwnedBy(current, id, 'standby') ? { ...current } : undefined",
      ),
      change(
        LIFECYCLE,
        'if (!known.includes(other)) await renewIn(other, passedOn, known, id);',
        "if (!known.includes(other) && record.state !== 'frozen') await renewIn(other, passedOn, known, id);",
      ),
    ],
    breaks: ['same answer again', 'it ends'],
  },
  {
    name: 'a prefix instead of a key',
    changes: [
      change(
        'lambdas/domain/datasets/dataset.ts',
        '  keysOf(part, values);',
        "  part.shards === undefined ? [values.tenant, values.tenant + '0'] : keysOf(part, values);",
      ),
    ],
    breaks: ['nowhere else', 'complete somewhere', 'only the tenant'],
  },
  {
    name: 'an execution whose name stays the same when it is started anew',
    changes: [
      change(
        STEPS,
        '  const attempt = current.attempt + 1;\n  return current.phase === phase',
        '  const attempt = current.attempt;\n  return current.phase === phase',
      ),
    ],
    breaks: ['same answer again', 'it ends'],
  },
  {
    name: 'a plain put instead of a compare-and-set',
    from: 91,
    changes: [
      change(
        STEPS,
        'if (current?.status !== migration.status || !mayStill(current)) return undefined;',
        'if (current === undefined) return undefined;',
      ),
      change(
        STEPS,
        'const to = statusAfter(current, step);',
        'const to = statusAfter(migration, step);',
      ),
    ],
    breaks: [
      'same answer again',
      'it ends',
      'at most one writer',
      'nothing slips through',
      'nowhere else',
      'complete somewhere',
    ],
  },
  {
    name: 'a guard that lets writes through to a frozen tenant',
    changes: [
      change(
        'lambdas/domain/tenants/verdict.ts',
        "return access === 'read' ? { kind: 'allowed' } : later;",
        "return access === 'read' || later ? { kind: 'allowed' } : later;",
      ),
    ],
    breaks: ['it ends', 'nothing slips through', 'complete somewhere'],
  },
  {
    name: 'an uninstallation that cancels a commit',
    rule: 11,
    from: 171,
    changes: [
      change(
        LIFECYCLE,
        'const CANCELLED_BY_UNINSTALL: readonly Status[] = [',
        "const CANCELLED_BY_UNINSTALL: readonly Status[] = [\n  'committing',",
      ),
    ],
    breaks: ['it ends', 'nothing slips through', 'same answer again'],
  },
  {
    name: 'a source that is released before it has been restored',
    changes: [
      change(
        ROLLBACK,
        "if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'verify-restore'))",
        "if (!allFinished(records, movingRanges(parts, valuesOf(migration)), 'verify-restore') && parts.length === 0)",
      ),
      change(
        ROLLBACK,
        'partKind.restore(range, target, source, horizon, from, until, rateLimit)',
        'partKind.digest(range, source, horizon, from, until)',
      ),
      change(
        'lambdas/app/phases/verify-tasks.ts',
        'if (isSame(from.digest, to.digest)) return',
        "if (isSame(from.digest, to.digest) || record.work === 'verify-restore') return",
      ),
    ],
    breaks: ['it ends', 'nothing slips through', 'complete somewhere'],
  },
  {
    name: 'a purge before the target is known to serve',
    changes: [
      change(
        COMMIT,
        "if (!isOwnedBy(record, migration.id, 'moved'))",
        "if (record?.state === 'standby')",
      ),
      change(
        COMMIT,
        "...emptying(partKind, asked, 'source')",
        "...emptying(partKind, asked, 'target')",
      ),
    ],
    breaks: ['it ends', 'nothing slips through', 'complete somewhere'],
  },
  {
    name: 'a schedule with copied data that is cancelled straight to rolled-back',
    rule: 17,
    from: 101,
    changes: [change(MIGRATION, "return mustDiscard ? 'rolling-back' : to;", 'return to;')],
    breaks: ['nowhere else', 'it ends', 'same answer again'],
  },
  {
    name: 'a copy behind the fence that leaves what was deleted since, and verifies nothing',
    rule: 18,
    from: 431,
    changes: [
      ...UNTOUCHED,
      change(COPY, "return isBegun ? 'repair-target' : 'copy';", "return 'copy';"),
      change(
        VERIFY,
        "if (isSame(from.digest, to.digest)) return 'done';",
        "if (from.digest.items >= 0) return 'done';",
      ),
    ],
    breaks: ['nothing slips through', 'complete somewhere'],
  },
  {
    name: 'a mark that goes when the phase ahead ends',
    rule: 16,
    from: 81,
    changes: [
      change(
        STEPS,
        'return { ...rest, ahead: { ...current.ahead, ...how } };',
        'const { ahead: _a, ...unmarked } = rest; return unmarked;',
      ),
    ],
    breaks: ['nowhere else', 'it ends', 'same answer again'],
  },
  {
    name: 'a claim over what another schedule has copied ahead, that verifies nothing',
    rule: 19,
    from: 341,
    changes: [
      ...UNTOUCHED,
      change(
        FENCE,
        'if (record !== undefined && !isStub(record) && !isRetired) return undefined;',
        "if (record !== undefined && !isStub(record) && !isRetired && !(record.state === 'withdrawn' || record.state === 'standby')) return undefined;",
      ),
      change(
        CLAIM,
        'return other !== undefined && isUndoneSchedule(other);',
        'return other !== undefined && isUndoneSchedule(other) && holder === id;',
      ),
      change(
        VERIFY,
        "if (isSame(from.digest, to.digest)) return 'done';",
        "if (from.digest.items >= 0) return 'done';",
      ),
    ],
    breaks: ['nothing slips through', 'complete somewhere', 'nowhere else', 'it ends'],
  },
  {
    name: 'a claim before the mark',
    rule: 16,
    from: 471,
    changes: [
      change(
        STEPS,
        'ahead: { begunAt: current.ahead?.begunAt ?? new Date(clock.now()).toISOString() },',
        '',
      ),
      change(
        STEPS,
        'if (current.attempt !== migration.attempt || current.ahead === undefined) return undefined;',
        'if (current.attempt !== migration.attempt) return undefined;',
      ),
      change(
        STEPS,
        'return { ...rest, ahead: { ...current.ahead, ...how } };',
        'return { ...rest, ahead: { begunAt: new Date(clock.now()).toISOString(), ...how } };',
      ),
    ],
    breaks: ['nowhere else', 'it ends', 'same answer again'],
  },
  {
    name: 'a worker that copies ahead after the start, and a move that does not wait for it',
    rule: 16,
    from: 71,
    changes: [
      change(
        AHEAD,
        'check: () => checkTarget(run, { mayBeUnclean: false }),',
        'check: async () => undefined,',
      ),
      change(
        TURN,
        'isLeased(found ?? {}, clock.now(), isGone) && found?.lease?.owner !== invocation.id;',
        "isLeased(found ?? {}, clock.now(), isGone) && found?.lease?.owner !== invocation.id && found?.work !== 'copy-ahead';",
      ),
    ],
    breaks: ['nothing slips through', 'complete somewhere', 'nowhere else'],
  },
  {
    name: 'a next schedule that is refused while what was copied ahead is discarded',
    rule: 19,
    from: 101,
    changes: [
      change(
        MIGRATION,
        "!isFinal(migration) && migration.status !== 'scheduled' && !isUndoneSchedule(migration);",
        "!isFinal(migration) && migration.status !== 'scheduled';",
      ),
    ],
    breaks: ['it ends'],
  },
];
