/**
 * DATA: what each Lambda may do to the stores of its own realm and of the others. `lib/policies.ts` makes policies of it,
 * and a Lambda without a row here cannot be synthesised.
 */

/** `parts` are all tables of the dataset, `part:templates` is one; the indexes are those of open migrations, and of retired tenants. */
export type Store =
  | 'tenants'
  | 'migrations'
  | 'tenants-index'
  | 'migrations-index'
  | 'parts'
  | `part:${string}`
  | 'state-machine'
  | 'receipt-key'
  | 'dead-letters';

type TableAction = 'GetItem' | 'PutItem' | 'DeleteItem' | 'Query' | 'BatchWriteItem';
export type Action = TableAction | 'StartExecution' | 'SendMessage' | 'Sign';

export interface Grant {
  readonly on: Store;
  readonly where: 'own' | 'others';
  readonly actions: readonly Action[];
}

/** Changes nothing in a table. */
export const isReadOnly = ({ actions }: Grant): boolean =>
  actions.every((action) => action === 'GetItem' || action === 'Query');

const own = (on: Store, ...actions: Action[]): Grant => ({ on, where: 'own', actions });
const others = (on: Store, ...actions: Action[]): Grant => ({ on, where: 'others', actions });
const everywhere = (on: Store, ...actions: Action[]): Grant[] => [
  own(on, ...actions),
  others(on, ...actions),
];

/** Reads the ledger of its own realm, or is led to another's by a copy or a receipt. */
const FIND_MIGRATION = [
  own('tenants', 'GetItem'),
  own('migrations', 'GetItem', 'Query'),
  others('migrations', 'GetItem'),
];
/** A turn of work in the realm that keeps the ledger: the migration, settings, its own checkpoints and those beside it. */
const TURN_IN_SOURCE = [own('migrations', 'GetItem', 'PutItem', 'Query')];
/** A turn of work in the target: the migration is in the source's ledger, the checkpoints are in its own. */
const TURN_IN_TARGET = [
  own('migrations', 'GetItem', 'PutItem', 'Query'),
  others('migrations', 'GetItem'),
];
const BOTH_FENCES = everywhere('tenants', 'GetItem');
/** Keys alone, and deletions in batches. */
const EMPTY_OWN = own('parts', 'Query', 'BatchWriteItem');
/** The proof that a side is empty: before a copy, and after purge and discard. */
const PROVE_EMPTINESS = own('parts', 'Query');
/** The next attempt of the phase, in the same realm. */
const GO_ON = own('state-machine', 'StartExecution');
/** The record of a move that is over, by the key of the realm that ends it. */
const SIGN_RECEIPTS = own('receipt-key', 'Sign');
/** Not by its code: Lambda keeps an event that was tried in vain, and does so in the function's name. */
const GIVE_UP = own('dead-letters', 'SendMessage');

export const GRANTS: Readonly<Record<string, readonly Grant[]>> = {
  // Opened only when no other realm serves the tenant; its credentials follow it into every realm.
  'hooks/installed': [
    ...everywhere('tenants', 'GetItem', 'PutItem', 'DeleteItem'),
    ...everywhere('migrations', 'GetItem'),
  ],
  // Passed on to the other side of a move, which it cancels.
  'hooks/uninstalled': [
    ...everywhere('tenants', 'GetItem', 'PutItem'),
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  // Both of these, through the other door.
  'hooks/forge-lifecycle': [
    ...everywhere('tenants', 'GetItem', 'PutItem', 'DeleteItem'),
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  // Counts a tenant again before it is refused for its size; as `start` does.
  'hooks/schedule': [
    own('tenants', 'GetItem', 'PutItem'),
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    others('migrations', 'GetItem'),
    own('parts', 'Query'),
  ],
  'hooks/start': [
    ...FIND_MIGRATION,
    own('tenants', 'PutItem'),
    own('migrations', 'PutItem'),
    others('tenants', 'GetItem'),
    own('parts', 'Query'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  'hooks/status': FIND_MIGRATION,
  // The switch: closes one side and opens the other, wherever the hook arrived.
  'hooks/commit': [
    ...FIND_MIGRATION,
    own('tenants', 'PutItem'),
    others('tenants', 'GetItem', 'PutItem'),
    ...everywhere('migrations', 'PutItem'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  // Undone wherever it is scheduled or runs: a stub passes it on.
  'hooks/rollback': [
    ...FIND_MIGRATION,
    own('tenants', 'PutItem'),
    others('tenants', 'GetItem', 'PutItem'),
    ...everywhere('migrations', 'PutItem'),
    others('migrations', 'Query'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  'hooks/descriptor': [],
  'hooks/health': [],

  'sample-app/templates': [
    own('tenants', 'GetItem'),
    own('part:templates', 'GetItem', 'PutItem', 'DeleteItem'),
  ],
  'sample-app/exports': [own('tenants', 'GetItem'), own('part:exports', 'PutItem')],

  // In the target. Makes sure of the fence in the source, and that the target is empty, and claims.
  'tasks/prepare-copy': [
    own('migrations', 'GetItem', 'PutItem'),
    others('migrations', 'GetItem'),
    ...everywhere('tenants', 'GetItem', 'PutItem'),
    PROVE_EMPTINESS,
  ],
  'tasks/clear-target-range': [...TURN_IN_TARGET, ...BOTH_FENCES, EMPTY_OWN],
  'tasks/copy-range': [
    ...TURN_IN_TARGET,
    ...BOTH_FENCES,
    own('tenants', 'PutItem'),
    // Its own, too: where a range was found to differ, both sides are read, and the target is made equal.
    ...everywhere('parts', 'Query'),
    own('parts', 'BatchWriteItem'),
  ],
  // In the target after a copy, in the source before a purge and after a restore.
  'tasks/verify-range': [...TURN_IN_TARGET, ...everywhere('parts', 'Query')],
  'tasks/finish-copy': [
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    others('migrations', 'GetItem', 'PutItem'),
    ...BOTH_FENCES,
    own('tenants', 'PutItem'),
    GO_ON,
  ],
  'tasks/fail-migration': [
    others('migrations', 'GetItem', 'PutItem'),
    others('tenants', 'GetItem', 'PutItem'),
  ],

  // In the source.
  'tasks/begin-commit': [own('migrations', 'GetItem'), ...BOTH_FENCES],
  'tasks/pass-point-of-no-return': [
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    ...BOTH_FENCES,
    GO_ON,
  ],
  'tasks/purge-source-range': [...TURN_IN_SOURCE, own('tenants', 'GetItem'), EMPTY_OWN],
  'tasks/finish-commit': [
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    others('migrations', 'GetItem', 'PutItem'),
    own('tenants', 'GetItem', 'PutItem'),
    PROVE_EMPTINESS,
    SIGN_RECEIPTS,
    GO_ON,
  ],

  // In the source; the target is withdrawn, and read.
  'tasks/begin-restore': [
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('tenants', 'GetItem', 'PutItem'),
  ],
  'tasks/restore-source-range': [
    ...TURN_IN_SOURCE,
    ...BOTH_FENCES,
    EMPTY_OWN,
    others('parts', 'Query'),
  ],
  'tasks/finish-restore': [
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    ...BOTH_FENCES,
    own('tenants', 'PutItem'),
    ...everywhere('state-machine', 'StartExecution'),
  ],

  // In the target; the source is released.
  'tasks/begin-rollback': [
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...BOTH_FENCES,
    own('tenants', 'PutItem'),
    others('state-machine', 'StartExecution'),
  ],
  'tasks/release-source': [
    others('migrations', 'GetItem'),
    ...BOTH_FENCES,
    others('tenants', 'PutItem'),
  ],
  'tasks/discard-target-range': [...TURN_IN_TARGET, ...BOTH_FENCES, EMPTY_OWN],
  'tasks/finish-rollback': [
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...BOTH_FENCES,
    // The record goes, and with it its aliases; one that another tenant of the site has too stays for that one.
    own('tenants', 'DeleteItem', 'PutItem'),
    PROVE_EMPTINESS,
    SIGN_RECEIPTS,
    GO_ON,
  ],

  // A copy that ended badly fails in the source's ledger; any phase goes on in the realm where it ended.
  'tasks/settle': [
    ...everywhere('migrations', 'GetItem', 'PutItem'),
    others('tenants', 'GetItem', 'PutItem'),
    GO_ON,
    GIVE_UP,
  ],
  // Of the migrations in its own ledger.
  'tasks/janitor': [
    own('migrations-index', 'Query'),
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    own('tenants', 'GetItem', 'PutItem'),
    ...everywhere('state-machine', 'StartExecution'),
    others('migrations', 'Query'),
  ],
  // In the target of a move to come: reads a sample, writes it where no tenant can be, and discards it.
  'tasks/rehearse': [
    own('migrations', 'GetItem', 'PutItem'),
    others('migrations', 'GetItem'),
    ...everywhere('tenants', 'GetItem'),
    others('parts', 'Query'),
    own('parts', 'Query', 'BatchWriteItem'),
  ],
  // Counts what is about to move.
  'tasks/measure': [
    own('migrations-index', 'Query'),
    own('migrations', 'GetItem', 'PutItem'),
    own('tenants', 'GetItem'),
    own('parts', 'Query'),
  ],
  // In its own realm alone: what retired tenants have left.
  'tasks/purge-retired': [
    own('tenants-index', 'Query'),
    own('tenants', 'GetItem', 'PutItem', 'DeleteItem'),
    own('migrations', 'GetItem', 'PutItem'),
    others('migrations', 'GetItem'),
    EMPTY_OWN,
  ],
  // As the janitor, of the one that an operator names; and settings. An installation may belong to a tenant elsewhere.
  'tasks/operate': [
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('tenants', 'GetItem'),
    own('tenants', 'PutItem'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
};

/** Whether the function signs receipts: its role is told the key's ARN, which only the stack knows. */
export const signsReceipts = (entry: string): boolean =>
  (GRANTS[entry] ?? []).some(({ on }) => on === 'receipt-key');
