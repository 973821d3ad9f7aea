/**
 * A store for atlassian-connect-express whose client infos, secrets included, are the records of
 * these stacks. `/installed` of the stack owns them: a secret that rotates in a move reaches both
 * realms there, and no table of the app's own must follow.
 */
import { paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { fromTenantItem } from '../../../lambdas/adapters/records/tenant-item.ts';
import { namedTenants } from '../../../lambdas/app/named-tenants.ts';
import { isClientKey } from '../../../lambdas/domain/requests.ts';
import { isForgeOnly, isInstallationId } from '../../../lambdas/domain/tenants/identity.ts';
import type { TenantRecord } from '../../../lambdas/domain/tenants/tenant.ts';
import { CLIENT_INFO_ATTRIBUTES } from '../../../lambdas/domain/tenants/verdict.ts';
import { faulty, projectionOf, readTenants, tenantsTable } from './tenants.ts';
import type { TableOptions } from './types.ts';

export { isResidencyFault, ResidencyFault } from './fault.ts';

/** What `installed` delivered, and the secret that stands; only these two are certain. */
export interface ClientInfo {
  readonly clientKey: string;
  readonly sharedSecret?: string;
  readonly [field: string]: unknown;
}

/**
 * What this store needs of the one that keeps everything else: any adapter of
 * atlassian-connect-express has it.
 */
export interface OtherStore {
  get(key: string, clientKey: string): Promise<unknown>;
  set(key: string, value: unknown, clientKey: string): Promise<unknown>;
  del(key: string, clientKey: string): Promise<unknown>;
  /** Versions that know Forge have it. */
  forForgeInstallation?(installationId: string): unknown;
}

export interface StoreOptions extends TableOptions {
  /** Keeps every key but `clientInfo`. */
  readonly others: OtherStore;
}

const CLIENT_INFO = 'clientInfo';

export type ResidencyStore = ReturnType<typeof residencyStore>;

/** For `ac.store.register('residency', …)`. Throws a sentence where the options name no table. */
export function residencyStore({ others, ...options }: StoreOptions) {
  const table = tenantsTable(options);
  const { byClientKey, byInstallation } = namedTenants(
    readTenants(table, CLIENT_INFO_ATTRIBUTES),
    options.realm,
  );

  /** `null`, as the framework's own stores say it, where there is none. */
  async function clientInfo(clientKey: string): Promise<ClientInfo | null> {
    return isClientKey(clientKey) ? infoOf(await byClientKey(clientKey)) : null;
  }

  /**
   * Writes nothing. The stack forwards an `installed` only after it has written the record, so that
   * what the app would save stands already; where it does not, this `installed` has been
   * superseded, or has not come through the stack.
   */
  async function confirmed(value: unknown, clientKey: string): Promise<ClientInfo> {
    const info = await clientInfo(clientKey);
    const { sharedSecret }: { sharedSecret?: unknown } = Object(value);
    if (info === null || sharedSecret === undefined || info.sharedSecret !== sharedSecret)
      throw new Error(
        `the clientInfo of ${clientKey} is not saved by the app: /installed of realm ${options.realm} keeps it in ${table.table}, and ${info === null ? 'has none' : 'has another secret'}`,
      );
    return info;
  }

  return {
    get: (key: string, clientKey: string): Promise<unknown> =>
      key === CLIENT_INFO ? clientInfo(clientKey) : others.get(key, clientKey),
    set: (key: string, value: unknown, clientKey: string): Promise<unknown> =>
      key === CLIENT_INFO ? confirmed(value, clientKey) : others.set(key, value, clientKey),
    /**
     * Leaves a `clientInfo` where it is: `/uninstalled` of the stack retires the record, and its
     * secret still verifies late requests.
     */
    del: async (key: string, clientKey: string): Promise<void> => {
      if (key !== CLIENT_INFO) await others.del(key, clientKey);
    },
    /**
     * What the framework calls when it is told of an installation; rejects where the record says
     * otherwise.
     */
    saveInstallation: confirmed,

    /**
     * The client infos of all tenants that this realm serves, read page by page. Needs
     * `dynamodb:Scan`.
     */
    async getAllClientInfos(): Promise<readonly ClientInfo[]> {
      return faulty(table, async () => {
        const infos: ClientInfo[] = [];
        const pages = paginateScan(
          { client: table.client },
          {
            TableName: table.table,
            ConsistentRead: true,
            ...projectionOf(CLIENT_INFO_ATTRIBUTES),
          },
        );
        for await (const { Items: items = [] } of pages) {
          for (const item of items) {
            const plain = unmarshall(item);
            // Aliases lie beside the records.
            const record = 'state' in plain ? fromTenantItem(plain) : undefined;
            const info = infoOf(record);
            const isServed = record?.state === 'active' || record?.state === 'frozen';
            if (info !== null && isServed) infos.push(info);
          }
        }
        return infos;
      });
    },

    /** Found by the aliases of the record; `null` where no Connect installation is known. */
    async getClientSettingsForForgeInstallation(installationId: string) {
      return isInstallationId(installationId)
        ? infoOf(await byInstallation(installationId, {}))
        : null;
    },
    /** Does nothing: the stack writes the installations into the record. */
    async associateInstallations(_installationId: string, _clientKey: string): Promise<void> {},
    async deleteAssociation(_installationId: string): Promise<boolean> {
      return true;
    },
    forForgeInstallation(installationId: string): unknown {
      if (others.forForgeInstallation === undefined)
        throw new Error('the store that keeps all other keys has none for Forge installations');
      return others.forForgeInstallation(installationId);
    },
    isMemoryStore: (): boolean => false,
  };
}

/**
 * The stub of a tenant that has moved has no URL. The framework (11.5.3) leaves a request
 * unanswered whose client info has none, and the guard behind it could not say where the tenant is.
 */
const NOWHERE = 'https://moved.invalid';

function infoOf(record: TenantRecord | undefined): ClientInfo | null {
  if (record === undefined || isForgeOnly(record)) return null;
  const { installation, credentials, cloudId, product } = record;
  return {
    baseUrl: NOWHERE,
    ...(cloudId === undefined ? {} : { cloudId }),
    ...(product === undefined ? {} : { productType: product }),
    ...installation,
    clientKey: record.clientKey ?? record.tenant,
    ...(credentials.sharedSecret === undefined ? {} : { sharedSecret: credentials.sharedSecret }),
  };
}
