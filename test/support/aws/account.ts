/**
 * DATA: an account of AWS as a test has it, by region; what the stub of AWS answers from, and what
 * a test changes.
 */

export const ACCOUNT = '123456789012';

export interface Zone {
  readonly name: string;
  readonly isPrivate: boolean;
  readonly servers: readonly string[];
  readonly records: readonly (readonly [name: string, type: string])[];
}

export interface Key {
  readonly state: string;
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly policy: unknown;
}

/** What a table in the embedded DynamoDB cannot have, by its name. */
export interface TableMore {
  /** Fields of DescribeTable's answer. */
  readonly described?: Readonly<Record<string, unknown>>;
  readonly expiresBy?: string;
  readonly kinesisStreams?: number;
  readonly functions?: number;
}

export interface Region {
  optStatus: string;
  bootstrap: string | undefined;
  concurrency: number;
  stacks: Record<string, string>;
  logGroups: string[];
  /** Name and document. */
  logPolicies: (readonly [string, string])[];
  stateMachines: string[];
  keys: Record<string, Key>;
  tables: Record<string, TableMore>;
  queries: SavedQuery[];
  alarms: Alarm[];
}

export interface SavedQuery {
  readonly name: string;
  readonly text: string;
  readonly logGroups: readonly string[];
  /** What a run of it ends in; `MalformedQueryException` is what a start of it is refused with. */
  readonly ends: 'Complete' | 'Failed' | 'Timeout' | 'MalformedQueryException';
}

export interface Alarm {
  readonly name: string;
  readonly actions: readonly string[];
  readonly actionsEnabled: boolean;
  state: string;
}

export interface Account {
  arn: string;
  roles: string[];
  policies: string[];
  summary: Record<string, number>;
  zones: Record<string, Zone>;
  regions: Record<string, Region>;
  /** Calls that are refused to these credentials, as IAM names them. */
  denied: Set<string>;
}

/** Ready for a first deployment to these regions. */
export const readyAccount = (regions: readonly string[]): Account => ({
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deployer/ana`,
  roles: ['Admin', 'residency-dev-us-start'],
  policies: ['residency-dev-us-guard'],
  summary: { Roles: 12, RolesQuota: 1_000, Policies: 3, PoliciesQuota: 1_500 },
  zones: {},
  denied: new Set(),
  regions: Object.fromEntries(
    regions.map((name): [string, Region] => [
      name,
      {
        optStatus: 'ENABLED_BY_DEFAULT',
        bootstrap: '27',
        concurrency: 1_000,
        stacks: {},
        logGroups: ['/aws/lambda/residency-dev-us-start', '/aws/lambda/other'],
        logPolicies: [],
        stateMachines: [],
        keys: {},
        tables: {},
        queries: [],
        alarms: [],
      },
    ]),
  ),
});
