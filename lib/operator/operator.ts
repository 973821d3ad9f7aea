/**
 * The context of every command: the stage's stores, read with an operator's rights. Nothing here
 * can read a secret.
 */

import { userInfo } from 'node:os';
import { dynamoDbPartKind } from '../../lambdas/adapters/dataset/dynamodb-part-kind.ts';
import { s3PartKind } from '../../lambdas/adapters/dataset/s3/s3-part-kind.ts';
import { partKindOf } from '../../lambdas/adapters/part-kinds.ts';
import { dynamoDbLedger } from '../../lambdas/adapters/records/dynamodb-ledger.ts';
import { systemClock } from '../../lambdas/adapters/system-clock.ts';
import { type Part, rangesOf } from '../../lambdas/domain/datasets/dataset.ts';
import { extended, type KeyValues, keyValuesOf } from '../../lambdas/domain/datasets/key-values.ts';
import { bucketsOf, tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import { defined } from '../../lambdas/domain/defined.ts';
import { deployedIn } from '../../lambdas/domain/deployed-realms.ts';
import { type Realm, regionOf, stackOf, stackRows } from '../../lambdas/domain/realm.ts';
import { baseUrlsOf, physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import type { Clock, Ledger, PartKind } from '../../lambdas/ports.ts';
import { localBaseUrls } from '../local-base-urls.ts';
import { tcpPortsFrom } from '../local-ports.ts';
import { type OperatorCall, type OperatorClients, operatorClients } from './clients.ts';
import { type LedgerReader, ledgerReader } from './ledger-reader.ts';
import { assertHost } from './local-host.ts';
import { type TenantReader, tenantReader } from './tenants/tenant-reader.ts';
import { UsageError } from './terminal/failure.ts';

export interface OperatorOptions {
  readonly residency: Residency;
  readonly stage: string;
  /** First port of a local host; without it, AWS. */
  readonly localPort?: number | undefined;
  /** The domain, where the stage was deployed with `-c domain=…`. */
  readonly domain?: string | undefined;
  /** The realms that are deployed, separated by commas; all of the configuration unless given. */
  readonly deployed?: string | undefined;
  /** The role to take in every realm, by its last words: one of `ROLES`. */
  readonly role?: string | undefined;
  readonly onCall?: ((call: OperatorCall) => void) | undefined;
}

export interface Operator {
  /** The configuration, without realms that are not deployed. */
  readonly residency: Residency;
  readonly stage: string;
  /** First port of the local host that this context reads. */
  readonly localPort: number | undefined;
  /** As typed. Commands that are printed as the next step repeat them. */
  readonly domain: string | undefined;
  readonly role: string | undefined;
  /** The realms that are deployed, as typed or kept; absent where all are. */
  readonly deployed: string | undefined;
  /** Realms that have a stack. */
  readonly realms: readonly Realm[];
  /** Realms that the configuration gives a stack, and this deployment does not have. */
  readonly leftOut: readonly Realm[];
  /** TCP ports of the local host. They are the same whichever realms it has. */
  readonly localPorts: ReturnType<typeof tcpPortsFrom> | undefined;
  readonly clients: OperatorClients;
  readonly tenants: TenantReader;
  /** Reads the ledger's records one by one, as the functions do. */
  readonly ledger: Ledger;
  /** Reads whole ledgers, which only operators do. */
  readonly records: LedgerReader;
  readonly partKind: PartKind;
  readonly clock: Clock;
  /** Realm → base URL, where it is known. */
  readonly baseUrls: Readonly<Record<Realm, string>>;
  region(realm: Realm): string;
  names(realm: Realm): ReturnType<typeof physicalNames>;
  /** Parses the name of a realm that has a stack. */
  realmNamed(text: string): Realm;
  /** The actor for the history: the caller's ARN in AWS, the user's name on this machine. */
  actor(): Promise<string>;
  account(): Promise<string>;
  /**
   * Names the deployment, for the first line of every output. Throws one sentence where it cannot
   * be reached.
   */
  whereabouts(): Promise<string>;
  close(): void;
}

const LOCAL_STAGE = 'local';
const LOCAL_ACCOUNT = '000000000000';

export function operatorOf(options: OperatorOptions): Operator {
  const { localPort } = options;
  const isLocal = localPort !== undefined;
  const stage = isLocal ? LOCAL_STAGE : options.stage;
  if (!/^[a-z0-9]{1,8}$/.test(stage))
    throw new UsageError('a stage is one to eight lower-case letters and digits');
  const whole = options.residency;
  const residency = {
    ...deployed(whole, options.deployed),
    ...defined({ domain: options.domain }),
  };
  const rows = residency.realms;
  const realms = stackRows(rows).map(({ realm }) => realm);
  const all = stackRows(whole.realms).map(({ realm }) => realm);
  const region = (realm: Realm) => regionOf(whole.realms, realm);
  const names = (realm: Realm) => physicalNames(residency, stage, realm);
  const local = isLocal ? tcpPortsFrom(localPort, whole.realms) : undefined;
  const at = (port: number) => `http://127.0.0.1:${port}`;
  const clients = operatorClients({
    regionOf: region,
    defaultRealm: residency.defaultRealm,
    roleOf: roleNames(options.role, (realm) => names(realm).prefix),
    onCall: options.onCall,
    local: local && {
      dynamoDb: at(local.dynamoDb),
      objects: at(local.objects),
      states: at(local.stepFunctions),
      functions: at(local.functions),
      keys: at(local.keys),
    },
  });
  const { documents } = clients;
  const account = async () => {
    if (isLocal) return LOCAL_ACCOUNT;
    const { Account: number } = await clients.identity();
    return number ?? '';
  };
  const tables = { clientFor: documents, tableOf: (realm: Realm) => names(realm).migrations };

  return {
    residency,
    stage,
    localPort,
    domain: options.domain,
    role: options.role,
    deployed: options.deployed,
    realms,
    leftOut: all.filter((realm) => !realms.includes(realm)),
    localPorts: local,
    clients,
    clock: systemClock,
    tenants: tenantReader({ clientFor: documents, tableOf: (realm) => names(realm).tenants }),
    ledger: dynamoDbLedger({ ...tables, clock: systemClock }),
    records: ledgerReader(tables),
    partKind: partKindOf(
      {
        dynamodb: dynamoDbPartKind({
          clientFor: clients.dynamoDb,
          writerFor: clients.dynamoDb,
          tableOf: (part, realm) => names(realm).part(part),
          parts: tablesOf(residency.parts),
          clock: systemClock,
          onlyKeys: true,
        }),
        s3: s3PartKind({
          clientFor: clients.objects,
          bucketOf: async (part, realm) =>
            names(realm).part(part, { account: await account(), region: region(realm) }),
          parts: bucketsOf(residency.parts),
          clock: systemClock,
        }),
      },
      residency.parts,
    ),
    baseUrls: local
      ? localBaseUrls(residency, process.env, (stack) => at(local.realm(stack))).urls
      : baseUrlsOf(residency, stage),
    region,
    names,
    realmNamed(text) {
      const known = rows.some(({ realm }) => realm === text.toLowerCase());
      if (!known) {
        const there = rows.map(({ realm }) => realm).join(', ');
        const isLeftOut = all.includes(text.toLowerCase());
        throw new UsageError(
          isLeftOut
            ? `realm ${text} is not deployed: there are ${there}`
            : `no realm is called "${text}": there are ${there}`,
        );
      }
      return stackOf(rows, text.toLowerCase());
    },
    async actor() {
      if (isLocal) return userInfo().username;
      const { Arn: arn } = await clients.identity();
      return arn ?? 'unknown';
    },
    account,
    async whereabouts() {
      const of = options.deployed === undefined ? '' : `, realms ${realms.join(', ')}`;
      if (isLocal) {
        const { defaultRealm } = residency;
        await assertHost(clients.dynamoDb(defaultRealm), localPort, names(defaultRealm).tenants);
        return `local host on port ${localPort}${of}`;
      }
      const as = options.role === undefined ? '' : `, as ${options.role}`;
      return `stage ${stage}, account ${await account()}${as}${of}`;
    },
    close: clients.close,
  };
}

function deployed(whole: Residency, names: string | undefined): Residency {
  try {
    return deployedIn(whole, names);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

export const ROLES: readonly string[] = ['operator-read', 'operator-act', 'operator-tenants'];

/** Every realm has roles of its own. */
function roleNames(role: string | undefined, prefixOf: (realm: Realm) => string) {
  if (role === undefined) return undefined;
  if (!ROLES.includes(role))
    throw new UsageError(`no role is called "${role}": there are ${ROLES.join(', ')}`);
  return (realm: Realm) => `${prefixOf(realm)}-${role}`;
}

/** The items that a tenant has of one part in one realm. */
export interface PartCount {
  readonly part: string;
  readonly policy: Part['policy'];
  readonly items: number;
  /** Expired items that DynamoDB has not removed yet. */
  readonly expired: number;
  readonly bytes: number;
}

/** What a tenant's keys are made of, by what the records of all realms know of it. */
export async function keyValuesIn(
  { tenants, realms }: Pick<Operator, 'tenants' | 'realms'>,
  tenant: string,
): Promise<KeyValues> {
  const records = await Promise.all(realms.map((realm) => tenants.read(realm, tenant)));
  return records.reduce<KeyValues>(
    (known, record) => (record === undefined ? known : extended(known, keyValuesOf(record))),
    { tenant },
  );
}

/** Counts in DynamoDB; no item travels. */
export async function partCountsOf(
  { partKind, residency }: Pick<Operator, 'partKind' | 'residency'>,
  realm: Realm,
  values: KeyValues,
): Promise<readonly PartCount[]> {
  return Promise.all(
    residency.parts.map(async (part) => {
      const ranges = await Promise.all(
        rangesOf([part], values).map((range) =>
          partKind.size(range, realm, Number.POSITIVE_INFINITY),
        ),
      );
      const total = (what: 'items' | 'expired' | 'bytes') =>
        ranges.reduce((sum, range) => sum + range[what], 0);
      return {
        part: part.name,
        policy: part.policy,
        items: total('items'),
        expired: total('expired'),
        bytes: total('bytes'),
      };
    }),
  );
}
