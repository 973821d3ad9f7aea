/**
 * The five realms on real parts, with small tenants and Atlassian: the world of the end-to-end
 * tests.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
} from '@aws-sdk/lib-dynamodb';
import { emfMetrics } from '../../lambdas/adapters/emf-metrics.ts';
import { jsonLog } from '../../lambdas/adapters/json-log.ts';
import { dynamoDbLedger } from '../../lambdas/adapters/records/dynamodb-ledger.ts';
import { systemClock } from '../../lambdas/adapters/system-clock.ts';
import { partitionsOf } from '../../lambdas/domain/datasets/dataset.ts';
import { bucketsOf, tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { Migration } from '../../lambdas/domain/moving/migration.ts';
import type { Receipt } from '../../lambdas/domain/moving/receipt.ts';
import { regionOf } from '../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../lambdas/domain/residency.ts';
import { type LocalHost, startLocalHost } from '../../lib/local/host.ts';
import { type LocalHostOptions, STAGE } from '../../lib/local/host-setup.ts';
import type { Hook, Reply, SimulatedAtlassian, Site } from '../../lib/local/simulated-atlassian.ts';
import { tenantOf } from '../../lib/local/story/site-values.ts';
import { type Snapshot, snapshotOf } from '../../lib/snapshots.ts';
import { residency as configured } from '../../residency.config.ts';

export interface World extends AsyncDisposable {
  readonly host: LocalHost;
  readonly atlassian: SimulatedAtlassian;
  readonly lines: readonly string[];
  /** In the embedded metric format, as Lambda would have logged them. */
  readonly measurements: readonly string[];
  installed(clientKey: string, realm?: string): Promise<Site>;
  /** Writes `count` items into every part of the tenant, by the SDK. */
  fill(tenant: string, realm: string, count?: number): Promise<void>;
  put(realm: string, part: string, ...items: readonly Record<string, unknown>[]): Promise<void>;
  remove(realm: string, part: string, key: Readonly<Record<string, string>>): Promise<void>;
  migration(realm: string, tenant: string, migrationId: number): Promise<Migration | undefined>;
  stopExecution(executionArn: string): Promise<void>;
  receipt(realm: string, tenant: string, migrationId: number): Promise<Receipt | undefined>;
  /** Every item of the parts that move, by part and key. */
  items(tenant: string, realm: string): Promise<Snapshot>;
  /** Counts the items of all parts. */
  countAll(tenant: string, realm: string): Promise<number>;
  record(tenant: string, realm: string): Promise<Record<string, unknown> | undefined>;
  documents(realm: string): DynamoDBDocumentClient;
  /** Our id of the site with this client key. */
  idOf(clientKey: string): string;
  hook(
    site: Site,
    hook: Hook,
    migrationId: number | undefined,
    more?: Readonly<Record<string, unknown>>,
    realm?: string,
  ): Promise<Reply>;
  scheduled(site: Site, migrationId: number, location?: string): Promise<void>;
  /** Polls until the status is one of these; fails after `patienceMs`. */
  until(
    site: Site,
    migrationId: number,
    statuses: readonly string[],
    patienceMs?: number,
  ): Promise<string>;
  /** schedule, start, and polls until ready to commit. */
  ready(site: Site, migrationId: number, location?: string): Promise<void>;
  /** The whole move, until committed; the site then lives at its new base URL. */
  moved(site: Site, migrationId: number, location: string): Promise<void>;
}

const FAST = { DRAIN_SECONDS: '0', COMMIT_GRACE_SECONDS: '0', JANITOR_SECONDS: '0' };

/**
 * The sample app with 2 shards instead of 16, so that each move takes a fifth of the work in the
 * same steps, and without its bucket: a move of objects is for the tests that look at objects.
 */
export const FEWER_SHARDS: Residency = {
  ...configured,
  parts: tablesOf(configured.parts).map((part) =>
    part.shards === undefined ? part : { ...part, shards: 2 },
  ),
};

/** The same with the bucket of the exported documents, for tests that export. */
export const WITH_DOCUMENTS: Residency = {
  ...FEWER_SHARDS,
  parts: [...FEWER_SHARDS.parts, ...bucketsOf(configured.parts)],
};

/**
 * How its sites are installed and send requests. `both` came by Connect, and became a Forge app
 * without an announcement.
 */
export const DOORS = ['connect', 'forge', 'both'] as const;
export type WorldDoor = (typeof DOORS)[number];

/**
 * How long a test waits for something that is certain to come. A machine may be busy; a wait ends
 * as soon as its state is there.
 */
const PATIENCE_MS = 240_000;

export async function startWorld({
  door = 'connect',
  ...options
}: Partial<LocalHostOptions> & { readonly door?: WorldDoor } = {}): Promise<World> {
  const residency = options.residency ?? FEWER_SHARDS;
  const lines: string[] = [];
  const measurements: string[] = [];
  const log = jsonLog({}, (line) => lines.push(line));
  const host = await startLocalHost({
    ...(options.port === undefined && { ephemeral: true }),
    residency,
    log,
    metrics: (realm) =>
      emfMetrics({ service: residency.name, stage: STAGE, realm }, (line) =>
        measurements.push(line),
      ),
    retrySpeed: 20,
    ...options,
    env: { ...FAST, ...options.env },
  });
  const atlassian = host.atlassian;
  if (!atlassian) throw new Error('the world has no Atlassian');
  const clients = new Map<string, DynamoDBDocumentClient>();
  const sites = new Map<string, Site>();
  /**
   * Tests name a site by its client key, whether it came by Connect or by Forge; the tables have
   * our id.
   */
  const idOf = (tenant: string): string => {
    const site = sites.get(tenant);
    return site === undefined ? tenant : tenantOf(site);
  };

  function documents(realm: string): DynamoDBDocumentClient {
    const region = regionOf(residency.realms, realm);
    const client =
      clients.get(realm) ??
      DynamoDBDocumentClient.from(new DynamoDBClient({ region, endpoint: host.dynamoDbUrl }));
    clients.set(realm, client);
    return client;
  }
  const names = (realm: string) => physicalNames(residency, 'local', realm);
  const partNamed = (name: string) => {
    const part = residency.parts.find((candidate) => candidate.name === name);
    if (!part) throw new Error(`no part ${name}`);
    return part;
  };

  const ledger = dynamoDbLedger({
    clientFor: documents,
    tableOf: (realm) => names(realm).migrations,
    clock: systemClock,
  });
  const world: World = {
    host,
    atlassian,
    lines,
    measurements,
    documents,
    idOf,
    async installed(clientKey, realm = 'us') {
      const site = atlassian.site(
        clientKey,
        host.urls[realm] ?? '',
        door === 'forge' ? 'forge' : 'connect',
      );
      const reply = await atlassian.install(site);
      if (reply.status !== 204) throw new Error(`installed answers ${reply.status}`);
      if (door === 'both') await atlassian.upgrade(site);
      sites.set(clientKey, site);
      return site;
    },
    async fill(tenant, realm, count = 40) {
      for (const part of tablesOf(residency.parts)) {
        const partitions = partitionsOf(part, { tenant: idOf(tenant) });
        const items = Array.from({ length: count }, (_, number) => ({
          tenant: partitions[number % partitions.length],
          id: `${part.name}-${String(number).padStart(5, '0')}`,
          title: `Größe ${number} 文書`,
          bytes: new Uint8Array([number % 256, 0, 255]),
          tags: new Set([`a${number}`, 'b']),
          nested: { list: [number, '', null, { deep: true }] },
        }));
        await world.put(realm, part.name, ...items);
      }
    },
    async put(realm, part, ...items) {
      const table = names(realm).part(partNamed(part));
      for (let at = 0; at < items.length; at += 25) {
        const requests = items.slice(at, at + 25).map((Item) => ({ PutRequest: { Item } }));
        await documents(realm).send(new BatchWriteCommand({ RequestItems: { [table]: requests } }));
      }
    },
    async remove(realm, part, key) {
      await documents(realm).send(
        new DeleteCommand({ TableName: names(realm).part(partNamed(part)), Key: key }),
      );
    },
    migration: (realm, tenant, migrationId) =>
      ledger.migrations.read({ ledger: realm, tenant: idOf(tenant), id: String(migrationId) }),
    async stopExecution(executionArn) {
      const response = await fetch(host.stepFunctionsUrl, {
        method: 'POST',
        headers: {
          'x-amz-target': 'AWSStepFunctions.StopExecution',
          'content-type': 'application/x-amz-json-1.0',
        },
        body: JSON.stringify({ executionArn }),
      });
      if (!response.ok) throw new Error(`StopExecution answers ${response.status}`);
    },
    receipt: (realm, tenant, migrationId) =>
      ledger.receipts.read(realm, idOf(tenant), String(migrationId)),
    async items(tenant, realm) {
      return new Map(await everything(tenant, realm, (policy) => policy === 'move'));
    },
    async countAll(tenant, realm) {
      return (await everything(tenant, realm, () => true)).length;
    },
    async record(tenant, realm) {
      const read = new GetCommand({
        TableName: names(realm).tenants,
        Key: { tenant: idOf(tenant) },
        ConsistentRead: true,
      });
      return (await documents(realm).send(read)).Item;
    },
    hook(site, hook, migrationId, more = {}, realm = undefined) {
      const fields = { ...(migrationId === undefined ? {} : { migrationId }), ...more };
      return atlassian.hook(site, realm ? (host.urls[realm] ?? '') : site.home, hook, fields);
    },
    async scheduled(site, migrationId, location = 'DE') {
      const reply = await world.hook(site, 'schedule', migrationId, facts(location));
      if (reply.status !== 200)
        throw new Error(`schedule answers ${reply.status} ${JSON.stringify(reply.body)}`);
    },
    async until(site, migrationId, statuses, patienceMs = PATIENCE_MS) {
      const end = Date.now() + patienceMs;
      for (;;) {
        const before = executions();
        const { body } = await world.hook(site, 'status', migrationId);
        const status = String(Object(body).status);
        if (statuses.includes(status)) return status;
        if (Date.now() > end)
          throw new Error(
            `migration ${migrationId} is ${JSON.stringify(body)}, not ${statuses}\n${lines.slice(-15).join('\n')}`,
          );
        await otherExecutions(before);
      }
    },
    async ready(site, migrationId, location = 'DE') {
      await world.scheduled(site, migrationId, location);
      const reply = await world.hook(site, 'start', migrationId, facts(location));
      if (reply.status !== 200)
        throw new Error(`start answers ${reply.status} ${JSON.stringify(reply.body)}`);
      await world.until(site, migrationId, ['ready-to-commit']);
    },
    async moved(site, migrationId, location) {
      await world.ready(site, migrationId, location);
      const reply = await world.hook(site, 'commit', migrationId);
      if (reply.status !== 200)
        throw new Error(`commit answers ${reply.status} ${JSON.stringify(reply.body)}`);
      await world.until(site, migrationId, ['committed']);
      site.home = host.urls[location.toLowerCase()] ?? '';
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients.values()) client.destroy();
      await host.close();
    },
  };

  let seen = { at: 0, text: '' };
  /** All executions and their statuses, a few milliseconds old: fifty tests may look at once. */
  function executions(): string {
    if (performance.now() - seen.at > 5) {
      const all = host.realms.flatMap(({ realm }) => host.executions(realm));
      seen = {
        at: performance.now(),
        text: all.map(({ arn, status }) => `${arn} ${status}`).join(),
      };
    }
    return seen.text;
  }

  /**
   * A status is asked for when an execution has begun or ended, and else four times a second: each
   * request costs as much as ten looks here.
   */
  async function otherExecutions(before: string): Promise<void> {
    const end = Date.now() + 250;
    while (executions() === before && Date.now() < end) await pause(10);
  }

  async function everything(tenant: string, realm: string, isWanted: (policy: string) => boolean) {
    const client = new DynamoDBClient({
      region: regionOf(residency.realms, realm),
      endpoint: host.dynamoDbUrl,
    });
    const snapshots = await Promise.all(
      tablesOf(residency.parts)
        .filter(({ policy }) => isWanted(policy))
        .map((part) => snapshotOf(client, names(realm).part(part), part, { tenant: idOf(tenant) })),
    );
    client.destroy();
    return snapshots.flatMap((snapshot) => [...snapshot]);
  }
  return world;
}

/** One window for all: it began a minute ago, and lasts an hour and a half. */
const begun = Date.now() - 60_000;
export const facts = (location: string) => ({
  location,
  startTime: new Date(begun).toISOString(),
  endTime: new Date(begun + 90 * 60_000).toISOString(),
});

/** Looks until it is true; fails after `patienceMs`. */
export async function eventually(
  isSo: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`this never became true: ${isSo}`);
    await pause(20);
  }
}
