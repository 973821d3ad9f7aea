/**
 * The part of a story before the window: the tenant is copied ahead while a user goes on writing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDbLedger } from '../../../lambdas/adapters/records/dynamodb-ledger.ts';
import { systemClock } from '../../../lambdas/adapters/system-clock.ts';
import { regionOf } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import { STAGE } from '../host-setup.ts';
import { type AheadCourse, type Cast, isSuccess, TEMPLATE } from './cast.ts';
import { countsIn } from './holdings.ts';
import { tenantOf } from './site-values.ts';

/** A template that is deleted after it was copied ahead, and one that is written only then. */
export const DELETED = '/templates/draft';
export const NEW = '/templates/agenda';
/** What the user writes last into `TEMPLATE` and `NEW`. */
export const LAST = { content: 'Written after it was copied ahead' };

const POLL_MS = 250;

/** Begins the phase as an operator does, and returns when it has ended. */
export async function copyAhead(cast: Cast, migration: number): Promise<AheadCourse> {
  const { host, request, tell, source, target, tenant } = cast;
  const key = { ledger: source.realm, tenant: tenantOf(tenant), id: String(migration) };
  const save = (path: string, body: unknown) => request(tenant, 'PUT', path, body);
  await save(DELETED, { content: 'A draft' });
  const operation = { verb: 'ahead', ...key, actor: 'the story' };
  const answer: unknown = await host.invoke(source.realm, 'tasks/operate', operation);
  const begun = performance.now();
  tell.event(`An operator: residency ahead ${tenant.clientKey}`, String(Object(answer).outcome));

  const refused: number[] = [];
  let saved = 0;
  const write = async (path: string, body: unknown) => {
    const reply = await save(path, body);
    if (isSuccess(reply)) saved += 1;
    else refused.push(reply.status);
  };
  while ((await migrationOf(cast, key))?.phase === 'ahead') {
    await write(TEMPLATE, { content: `Version ${saved}` });
    await sleep(POLL_MS);
  }
  const seconds = (performance.now() - begun) / 1000;
  const copied = await target.holdings(tenant);
  const state = await target.stateOf(tenant);
  tell.event(
    `${countsIn(copied)} are in ${target.realm}, which does not serve (${state})`,
    `${seconds.toFixed(1)} s`,
    'good',
  );
  await write(TEMPLATE, LAST);
  await write(NEW, LAST);
  const deletion = await request(tenant, 'DELETE', DELETED);
  if (isSuccess(deletion)) saved += 1;
  else refused.push(deletion.status);
  tell.event(
    `A user has written ${saved} times meanwhile, and since, in ${source.realm}`,
    refused.length === 0 ? 'none refused' : `${refused.length} refused`,
    refused.length === 0 ? 'good' : 'bad',
  );
  const { ahead } = (await migrationOf(cast, key)) ?? {};
  return {
    seconds,
    copied,
    state,
    isFinished: ahead?.finishedAt !== undefined,
    saved,
    refused: refused.length,
    atItsEnd: await source.holdings(tenant),
  };
}

/** How long the source was fenced, in seconds, by the history of the ledger. */
export async function fenceSeconds(cast: Cast, migration: number): Promise<number | undefined> {
  const { source, tenant } = cast;
  const entries = await withLedger(cast, (ledger) =>
    ledger.migrations.history({
      ledger: source.realm,
      tenant: tenantOf(tenant),
      id: String(migration),
    }),
  );
  const at = (wanted: string) => entries.find(({ status }) => status === wanted)?.at;
  const [begun, ended] = [at('copying'), at('ready-to-commit')];
  if (begun === undefined || ended === undefined) return undefined;
  return (Date.parse(ended) - Date.parse(begun)) / 1000;
}

const migrationOf = (
  cast: Cast,
  key: { readonly ledger: string; readonly tenant: string; readonly id: string },
) => withLedger(cast, (ledger) => ledger.migrations.read(key));

async function withLedger<T>(
  { host, source }: Cast,
  run: (ledger: ReturnType<typeof dynamoDbLedger>) => Promise<T>,
): Promise<T> {
  const { residency } = host;
  const client = new DynamoDBClient({
    region: regionOf(residency.realms, source.realm),
    endpoint: host.dynamoDbUrl,
  });
  try {
    return await run(
      dynamoDbLedger({
        clientFor: () => DynamoDBDocumentClient.from(client),
        tableOf: (realm) => physicalNames(residency, STAGE, realm).migrations,
        clock: systemClock,
      }),
    );
  } finally {
    client.destroy();
  }
}
