/**
 * DATA: what each Lambda may do to the stores of its own realm and of the others. `lib/policies.ts`
 * makes policies of these rows. A Lambda without a row cannot be synthesised.
 */

/**
 * `parts` stands for all tables of the dataset, `part:templates` for one. `migrations-index` is the
 * index of open migrations, `tenants-index` that of retired tenants, `parts-index` those by which
 * copies find their keys, `scanned-parts` the tables that are scanned.
 */
export type Store =
  | 'tenants'
  | 'migrations'
  | 'tenants-index'
  | 'migrations-index'
  | 'parts'
  | 'parts-index'
  | 'scanned-parts'
  | `part:${string}`
  | 'state-machine'
  | 'receipt-key'
  | 'dead-letters';

type TableAction =
  | 'GetItem'
  | 'PutItem'
  | 'DeleteItem'
  | 'Query'
  | 'BatchWriteItem'
  | 'DescribeTable';
export type Action = TableAction | 'StartExecution' | 'SendMessage' | 'Sign';

export interface Grant {
  readonly on: Store;
  readonly where: 'own' | 'others';
  readonly actions: readonly Action[];
  /** Only for a dataset that has keys made of more than our own id of the tenant. */
  readonly ifKeyedByMore?: true;
  /** Only where lifecycle events are forwarded to an app beside these stacks. */
  readonly ifForwarding?: true;
}

const READS: ReadonlySet<Action> = new Set(['GetItem', 'Query', 'DescribeTable']);

/** True where the grant changes nothing in a table. */
export const isReadOnly = ({ actions }: Grant): boolean =>
  actions.every((action) => READS.has(action));

const own = (on: Store, ...actions: Action[]): Grant => ({ on, where: 'own', actions });
const others = (on: Store, ...actions: Action[]): Grant => ({ on, where: 'others', actions });
const everywhere = (on: Store, ...actions: Action[]): Grant[] => [
  own(on, ...actions),
  others(on, ...actions),
];

/**
 * Finds a migration in the ledger of the own realm, or in another realm's, to which the tenant's
 * record or a receipt points.
 */
const FIND_MIGRATION = [
  own('tenants', 'GetItem'),
  own('migrations', 'GetItem', 'Query'),
  others('migrations', 'GetItem'),
];
/**
 * Work on a range in the source, where the ledger is: reads the migration, settings and all
 * checkpoints, writes its own checkpoint.
 */
const TURN_IN_SOURCE = [own('migrations', 'GetItem', 'PutItem', 'Query')];
/**
 * Work on a range in the target: reads the migration in the source's ledger, writes checkpoints in
 * its own.
 */
const TURN_IN_TARGET = [
  own('migrations', 'GetItem', 'PutItem', 'Query'),
  others('migrations', 'GetItem'),
];
const BOTH_FENCES = everywhere('tenants', 'GetItem');
/** Empties parts of the own realm: reads keys, deletes in batches. */
const EMPTY_OWN = own('parts', 'Query', 'BatchWriteItem');
/** Proves that a side is empty: before a copy, and after a purge or discard. */
const PROVE_EMPTINESS = own('parts', 'Query');
/** Starts the next attempt of the phase, in the same realm. */
const GO_ON = own('state-machine', 'StartExecution');
/** Signs the receipt of a move that is over, with the key of the realm that ends it. */
const SIGN_RECEIPTS = own('receipt-key', 'Sign');
/** Lambda itself sends an event that failed at every try, and does so with the function's role. */
const GIVE_UP = own('dead-letters', 'SendMessage');

export const GRANTS: Readonly<Record<string, readonly Grant[]>> = {
  // Opens a tenant only when no other realm serves it, and writes its credentials in every realm
  // that has a record.
  'hooks/installed': [
    ...everywhere('tenants', 'GetItem', 'PutItem', 'DeleteItem'),
    ...everywhere('migrations', 'GetItem'),
  ],
  // Writes the flag "uninstalled" in both realms of a move, and cancels the move.
  'hooks/uninstalled': [
    ...everywhere('tenants', 'GetItem', 'PutItem'),
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  // Both of the above, for Forge.
  'hooks/forge-lifecycle': [
    ...everywhere('tenants', 'GetItem', 'PutItem', 'DeleteItem'),
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  // Counts a tenant again before it refuses a move for its size; `start` does too. Asks for the
  // size of tables that would be scanned.
  'hooks/schedule': [
    own('tenants', 'GetItem', 'PutItem'),
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    others('migrations', 'GetItem'),
    own('parts', 'Query'),
    ...everywhere('scanned-parts', 'DescribeTable'),
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
  // Closes the source and opens the target, in whichever realm the hook arrived.
  'hooks/commit': [
    ...FIND_MIGRATION,
    own('tenants', 'PutItem'),
    others('tenants', 'GetItem', 'PutItem'),
    ...everywhere('migrations', 'PutItem'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  // Undoes the migration in the realm that scheduled or runs it; a stub names the other realm.
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
  // Its document is an object: `bucket-grants.ts`.
  'sample-app/exports': [
    own('tenants', 'GetItem'),
    own('part:templates', 'GetItem'),
    own('part:exports', 'GetItem', 'PutItem'),
  ],

  // Runs in the target, while the source serves: proves that the target is empty, and claims it.
  'tasks/prepare-ahead': [
    ...everywhere('migrations', 'GetItem'),
    own('migrations', 'PutItem'),
    others('migrations', 'PutItem'),
    ...BOTH_FENCES,
    own('tenants', 'PutItem'),
    PROVE_EMPTINESS,
  ],
  'tasks/copy-ahead-range': [
    ...TURN_IN_TARGET,
    ...BOTH_FENCES,
    own('tenants', 'PutItem'),
    others('parts', 'Query'),
    others('parts-index', 'Query'),
    own('parts', 'BatchWriteItem'),
  ],
  'tasks/finish-ahead': [
    own('migrations', 'Query'),
    others('migrations', 'GetItem', 'PutItem'),
    GO_ON,
  ],
  // Runs in the target: makes sure of the fence in the source, proves that the target is empty, and
  // claims it.
  'tasks/prepare-copy': [
    own('migrations', 'GetItem', 'PutItem'),
    others('migrations', 'GetItem'),
    // Behind the fence it writes down what the tenant's keys are made of.
    { ...others('migrations', 'PutItem'), ifKeyedByMore: true },
    ...everywhere('tenants', 'GetItem', 'PutItem'),
    PROVE_EMPTINESS,
  ],
  'tasks/clear-target-range': [...TURN_IN_TARGET, ...BOTH_FENCES, EMPTY_OWN],
  'tasks/copy-range': [
    ...TURN_IN_TARGET,
    ...BOTH_FENCES,
    own('tenants', 'PutItem'),
    // Deletes in its own realm too: where a range differs, it reads both sides and makes the target
    // equal.
    ...everywhere('parts', 'Query'),
    others('parts-index', 'Query'),
    own('parts', 'BatchWriteItem'),
  ],
  // Runs in the target after a copy, and in the source before a purge and after a restore.
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

  // Runs in the source.
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

  // Runs in the source; withdraws and reads the target.
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

  // Runs in the target; releases the source.
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
    // Deletes the tenant's record and its aliases. An alias that another tenant of the site shares
    // is rewritten for that tenant.
    own('tenants', 'DeleteItem', 'PutItem'),
    PROVE_EMPTINESS,
    SIGN_RECEIPTS,
    GO_ON,
  ],

  // Writes `failed` into the source's ledger; starts the next attempt of any phase in the realm
  // where the execution ended.
  'tasks/settle': [
    ...everywhere('migrations', 'GetItem', 'PutItem'),
    others('tenants', 'GetItem', 'PutItem'),
    GO_ON,
    GIVE_UP,
  ],
  // Acts on the migrations in the ledger of its own realm.
  'tasks/janitor': [
    own('migrations-index', 'Query'),
    // Finds what was kept for the app beside us.
    { ...own('tenants-index', 'Query'), ifForwarding: true },
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    own('tenants', 'GetItem', 'PutItem'),
    ...everywhere('state-machine', 'StartExecution'),
    others('migrations', 'Query'),
  ],
  // Runs in the target of a future move: reads a sample, writes it under keys that no tenant can
  // have, and discards it.
  'tasks/rehearse': [
    own('migrations', 'GetItem', 'PutItem'),
    others('migrations', 'GetItem'),
    ...everywhere('tenants', 'GetItem'),
    others('parts', 'Query'),
    own('parts', 'Query', 'BatchWriteItem'),
  ],
  // Counts the items of tenants that are scheduled to move.
  'tasks/measure': [
    own('migrations-index', 'Query'),
    own('migrations', 'GetItem', 'PutItem'),
    own('tenants', 'GetItem'),
    own('parts', 'Query'),
  ],
  // Purges, in its own realm only, the data of retired tenants.
  'tasks/purge-retired': [
    own('tenants-index', 'Query'),
    own('tenants', 'GetItem', 'PutItem', 'DeleteItem'),
    own('migrations', 'GetItem', 'PutItem'),
    others('migrations', 'GetItem'),
    EMPTY_OWN,
  ],
  // Does what both lifecycle hooks do: opens a realm that no other realm serves, or retires a
  // tenant as an uninstallation does.
  'tasks/tenants': [
    ...everywhere('tenants', 'GetItem', 'PutItem'),
    own('tenants', 'DeleteItem'),
    ...everywhere('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
  // Does what the janitor does, for the migration that an operator names, and writes settings. An
  // installation may belong to a tenant in another realm.
  'tasks/operate': [
    own('migrations', 'GetItem', 'PutItem', 'Query'),
    ...everywhere('tenants', 'GetItem'),
    own('tenants', 'PutItem'),
    ...everywhere('state-machine', 'StartExecution'),
  ],
};

/**
 * True where the function signs receipts. Only the stack knows the key's ARN, so it grants the key
 * to these functions.
 */
export const signsReceipts = (entry: string): boolean =>
  (GRANTS[entry] ?? []).some(({ on }) => on === 'receipt-key');
