/**
 * Plays whole moves of a tenant whose secrets, items and objects are marked and whose tokens are
 * known. Afterwards no mark, no token and no signature of a URL is in any log line, workflow input,
 * output or history, nor in any record, history entry, checkpoint or receipt of any ledger. Forge's
 * ids of site and installation may be logged, but are nowhere else. Keys of objects may be in the
 * checkpoints of a range, and in the log line that names differences.
 */
import { randomBytes } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { partitionsOf } from '../../lambdas/domain/datasets/dataset.ts';
import { physicalNames } from '../../lambdas/domain/residency.ts';
import type { DynamoDbCall, InjectedFault } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { STAGE } from '../../lib/local/host-setup.ts';
import type { InjectedS3Fault, S3Call } from '../../lib/local/s3/embedded-s3.ts';
import { fieldOf, type Site } from '../../lib/local/simulated-atlassian.ts';
import { residency } from '../../residency.config.ts';
import { type Buckets, bucketsIn, put } from '../support/objects.ts';
import {
  DOORS,
  eventually,
  facts,
  startWorld,
  WITH_DOCUMENTS,
  type World,
} from '../support/world.ts';

const ITEM = `item-${randomBytes(9).toString('hex')}`;
const KEY = `key-${randomBytes(9).toString('hex')}`;
/** The one line that may name keys. */
const NAMES_KEYS = /alarm: range \S+ is not the same in both realms/;
const REALMS = residency.realms.map(({ realm }) => realm);
const TOKEN = /eyJ[\w-]{8,}/;
/** In PEM, or as a JWK. */
const PRIVATE_KEY = /PRIVATE KEY|"(?:d|dp|dq|qi)\\?":/;
const names = (realm: string) => physicalNames(residency, STAGE, realm);

describe.each(DOORS)('behind the door %s:', (door) => {
  const secrets = new Set<string>();
  const sites = new Set<Site>();
  /** The signature of every token that was sent. */
  const signatures = new Set<string>();

  let fault: (call: DynamoDbCall) => InjectedFault | undefined = () => undefined;
  let objectFault: (call: S3Call) => InjectedS3Fault | undefined = () => undefined;
  let beforeRequest: (call: S3Call) => Promise<void> = async () => {};
  let world: World;
  let documents: Buckets;

  beforeAll(async () => {
    subscribe('undici:request:create', learnToken);
    world = await startWorld({
      door,
      residency: WITH_DOCUMENTS,
      dynamoDb: { inject: (call) => fault(call) },
      s3: { inject: (call) => objectFault(call), onRequest: (call) => beforeRequest(call) },
    });
    documents = bucketsIn(world.host, 'documents');
    await Promise.all([committed(), takenBack(), failed(), cancelled()]);
    await troubled();
  });
  afterAll(async () => {
    unsubscribe('undici:request:create', learnToken);
    for (const realm of REALMS) documents.client(realm).destroy();
    await world[Symbol.asyncDispose]();
  });

  function learnToken(message: unknown): void {
    const [, signature] =
      /(?:JWT|Bearer),[\w-]+\.[\w-]+\.([\w-]+)/.exec(sentHeaders(message)) ?? [];
    if (signature !== undefined) signatures.add(signature);
  }

  async function settled(tenant: string): Promise<Site> {
    const site = await world.installed(tenant);
    sites.add(site);
    learnSecret(site);
    await filled('us', tenant);
    for (const number of [1, 2, 3]) await putMarked('us', tenant, `${number} ${KEY}`);
    return site;
  }

  /** A Forge site has no secret. */
  function learnSecret({ cameBy, sharedSecret }: Site): void {
    if (cameBy === 'connect') secrets.add(sharedSecret);
  }

  /** The mark is in values of every kind, and in the name of an attribute. */
  async function filled(realm: string, tenant: string): Promise<void> {
    const own = world.idOf(tenant);
    const marked = (id: string) => ({
      id,
      text: ITEM,
      [`name ${ITEM}`]: true,
      bytes: Buffer.from(ITEM),
      words: new Set([ITEM]),
      nested: { list: [{ text: ITEM }] },
    });
    for (const number of [1, 2, 3]) {
      await world.put(realm, 'templates', { ...marked(`t-${number}`), tenant: own });
      await world.put(realm, 'exports', { ...marked(`e-${number}`), tenant: `${own}#0${number}` });
      await world.put(realm, 'previews', { ...marked(`p-${number}`), tenant: own });
    }
  }

  /** In the bytes, the headers, the metadata and the tags, and in the key another mark. */
  async function putMarked(realm: string, tenant: string, name: string): Promise<void> {
    const [prefix = ''] = partitionsOf(partNamed('documents'), { tenant: world.idOf(tenant) });
    await put(documents, realm, `${prefix}${name}`, {
      Body: ITEM,
      ContentDisposition: `attachment; filename="${ITEM}.md"`,
      Metadata: { mark: ITEM },
      Tagging: `mark=${ITEM}`,
    });
  }

  /** An export whose id is marked, and which is read by its URL. */
  async function exported(site: Site): Promise<void> {
    const id = `export-${KEY}`;
    const made = await world.atlassian.request(site, 'POST', '/exports', { id, title: ITEM });
    expect(made.status).toBe(201);
    const answer = await world.atlassian.request(site, 'GET', `/exports/${id}`);
    const url = new URL(fieldOf(answer, 'url') ?? '');
    signatures.add(url.searchParams.get('X-Amz-Signature') ?? '');
    expect(await (await fetch(url)).text()).toContain(ITEM);
  }

  async function renewed(site: Site): Promise<void> {
    await world.atlassian.install(site);
    learnSecret(site);
  }

  async function committed(): Promise<void> {
    const site = await settled('goes');
    await exported(site);
    await world.ready(site, 1);
    await renewed(site);
    await world.hook(site, 'commit', 1);
    await world.until(site, 1, ['committed']);
  }

  async function takenBack(): Promise<void> {
    const site = await settled('returns');
    await world.moved(site, 2, 'EU');
    await world.put('eu', 'templates', { tenant: world.idOf('returns'), id: 'new', text: ITEM });
    site.home = world.host.urls['us'] ?? '';
    await world.hook(site, 'rollback', 2);
    await world.until(site, 2, ['rolled-back']);
  }

  /** The target is changed during the copy: the log names keys, and nothing more. */
  async function failed(): Promise<void> {
    const site = await settled('differs');
    let isPut = false;
    beforeRequest = async ({ operation, key }) => {
      if (isPut || operation !== 'CopyObject' || !key.includes(world.idOf('differs'))) return;
      isPut = true;
      await putMarked('de', 'differs', `stranger ${KEY}`);
    };
    await world.scheduled(site, 3);
    await world.hook(site, 'start', 3, facts('DE'));
    await eventually(async () => (await world.record('differs', 'de'))?.['state'] === 'standby');
    await world.put('de', 'templates', {
      tenant: world.idOf('differs'),
      id: 'a stranger',
      text: ITEM,
    });
    await world.until(site, 3, ['ready-to-commit']);
    await world.hook(site, 'rollback', 3);
    await world.until(site, 3, ['rolled-back']);
  }

  /**
   * Meets every kind of error, from both tables of records and from the dataset. How it ends does
   * not matter here.
   */
  async function troubled(): Promise<void> {
    const site = await settled('stumbles');
    let calls = 0;
    fault = ({ operation, input }) => {
      calls += 1;
      // The first call always fails, whichever it is.
      if (calls === 1) return { error: 'AccessDeniedException' };
      if (operation === 'BatchWriteItem' && calls % 3 === 0)
        return { error: 'ValidationException' };
      if (operation === 'PutItem' && calls % 7 === 0) return { error: 'AccessDeniedException' };
      if (calls % 11 === 0) return { lost: true };
      return JSON.stringify(input).includes('exports') && calls % 5 === 0
        ? { error: 'InternalServerError' }
        : undefined;
    };
    let requests = 0;
    objectFault = ({ operation }) => {
      requests += 1;
      if (operation === 'CopyObject' && requests % 4 === 0) return { error: 'AccessDenied' };
      if (requests % 5 === 0) return { error: 'InternalError' };
      return requests % 7 === 0 ? { lost: true } : undefined;
    };
    const insist = async (hook: 'schedule' | 'start' | 'rollback', more = {}) =>
      eventually(async () => (await world.hook(site, hook, 4, more)).status < 500);
    await insist('schedule', facts('AU'));
    await insist('start', facts('AU'));
    await renewed(site);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await insist('rollback');
    fault = () => undefined;
    objectFault = () => undefined;
  }

  async function cancelled(): Promise<void> {
    const site = await settled('leaves');
    await world.ready(site, 5);
    await world.atlassian.uninstall(site);
    await world.until(site, 5, ['rolled-back']);
  }

  /** A mark, also in the forms that it takes on its way. */
  function found(text: string): readonly string[] {
    return [...secrets, ...signatures, ITEM].filter((mark) => isIn(text, mark));
  }

  const isIn = (text: string, mark: string): boolean =>
    [
      mark,
      Buffer.from(mark).toString('base64').replace(/=+$/, ''),
      Buffer.from(mark).toString('hex'),
    ].some((form) => text.includes(form));

  /** Forge's ids of a site and its installation, in a form that is no id of ours. */
  function idsIn(text: string): readonly string[] {
    return [...sites]
      .flatMap(({ cameBy, cloudId, installations }) => [
        ...(door === 'connect' ? [] : [cloudId]),
        ...installations.map((id) => (cameBy === 'forge' ? id : id.slice(id.lastIndexOf('/') + 1))),
      ])
      .filter((id) => text.includes(id));
  }

  async function itemsIn(realm: string, table: string): Promise<readonly object[]> {
    const { Items = [] } = await world
      .documents(realm)
      .send(new ScanCommand({ TableName: table, ConsistentRead: true }));
    return Items;
  }

  const textOf = (items: unknown): string =>
    JSON.stringify(items, (_, value: unknown) =>
      value instanceof Uint8Array || value instanceof Set ? [...value].join() : value,
    );
  const tableText = async (realm: string, table: string) => textOf(await itemsIn(realm, table));

  describe('the marks', () => {
    test('are where they belong, so that they would be found elsewhere', async () => {
      expect(secrets.size).toBe({ connect: 7, both: 5, forge: 0 }[door]);
      expect(signatures.size).toBeGreaterThan(20);
      const kept = await tableText('us', names('us').tenants);
      expect(found(kept).length > 3).toBe(door !== 'forge');
      expect(idsIn(kept).length > 3).toBe(door !== 'connect');
      expect(found(await tableText('us', names('us').part(partNamed('templates'))))).toEqual([
        ITEM,
      ]);
    });

    test('are in no line of the log, and no token is', () => {
      const text = world.lines.join('\n');
      expect(text).toContain('migration 1 is committed');
      expect(text).toContain('a stranger');
      expect(text).toContain('503: ');
      expect(found(text)).toEqual([]);
      expect(text).not.toMatch(TOKEN);
      expect(text).not.toMatch(PRIVATE_KEY);
      expect(text).not.toMatch(/X-Amz-(?:Signature|Credential|Security-Token)/i);
    });

    test('in keys of objects are in the log line that names differences, and in no other', () => {
      const lines = world.lines.filter((line) => isIn(line, KEY));
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.filter((line) => !NAMES_KEYS.test(line))).toEqual([]);
    });

    test('are in no input, output, history or cause of an execution', () => {
      const executions = REALMS.flatMap((realm) => world.host.executions(realm));
      expect(executions.length).toBeGreaterThan(8);
      expect(new Set(executions.map(({ status }) => status))).toContain('FAILED');
      const text = JSON.stringify(executions);
      expect(found(text)).toEqual([]);
      expect(isIn(text, KEY)).toBe(false);
      expect(idsIn(text)).toEqual([]);
      expect(text).not.toMatch(TOKEN);
      expect(text).not.toMatch(PRIVATE_KEY);
    });

    test('are in no ledger: not in a record, its history, its ranges or a receipt', async () => {
      for (const realm of REALMS) {
        const items = await itemsIn(realm, names(realm).migrations);
        const text = textOf(items);
        const withKeys = items.filter((item) => isIn(textOf(item), KEY));
        expect(
          withKeys.filter((item) => !textOf(item).includes('"range#')),
          realm,
        ).toEqual([]);
        if (realm === 'us')
          for (const kind of ['status#', 'history#', 'range#', 'receipt#'])
            expect(text).toContain(kind);
        expect(found(text), realm).toEqual([]);
        expect(idsIn(text), realm).toEqual([]);
        expect(text).not.toMatch(TOKEN);
      }
    });
  });
});

function partNamed(name: string) {
  const part = residency.parts.find((candidate) => candidate.name === name);
  if (part === undefined) throw new Error(`no part ${name}`);
  return part;
}

/** The headers of a request that the built-in fetch makes, name by name. */
function sentHeaders(message: unknown): string {
  const { request }: { request?: unknown } = Object(message);
  const { headers }: { headers?: unknown } = Object(request);
  return String(headers).replaceAll(' ', ',');
}
