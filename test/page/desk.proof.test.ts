/**
 * Atlassian's buttons on the watch page: what they know, what they do, and what they keep over a
 * restart.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrationsIn, newestOf } from '../../lib/local/page/migration-view.ts';
import { eventually } from '../support/world.ts';
import { startWatchedWorld, type WatchedWorld } from './watched-world.ts';

let dataDir: string;
let watched: WatchedWorld;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'desk-'));
  watched = await startWatchedWorld(dataDir);
});
afterEach(async () => {
  await watched[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

async function press(action: string, fields: object): Promise<[number, string]> {
  const { url } = watched.page;
  const response = await fetch(`${url}/atlassian/${action}`, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/json' },
    body: JSON.stringify(fields),
  });
  return [response.status, Object(await response.json()).message];
}

interface Shown {
  readonly migrations: readonly { readonly id: string; readonly status: string }[];
  readonly atlassian: {
    readonly sites: readonly { tenant: string; realm: string; undo: string }[];
    readonly said: readonly { readonly what: string; readonly answer: string }[];
  };
}

/** The view that the page would show now. */
async function shown(): Promise<Shown> {
  const response = await fetch(`${watched.page.url}/events`);
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const news = /data: (.*)\n\n/.exec(text)?.[1];
    if (news !== undefined) return JSON.parse(news);
  }
  throw new Error('the page says nothing');
}

const said = async () => (await shown()).atlassian.said.map(({ what, answer }) => [what, answer]);
const becomes = (status: string) =>
  eventually(async () => (await shown()).migrations[0]?.status === status);

async function restart(): Promise<void> {
  await watched[Symbol.asyncDispose]();
  watched = await startWatchedWorld(dataDir);
}

describe('the desk', () => {
  test('takes a start right after the schedule, and a commit right after it is ready', async () => {
    await press('install', { tenant: 'acme', realm: 'us', items: 100 });
    expect(await press('schedule', { tenant: 'acme', target: 'de' })).toEqual([
      200,
      'schedule of migration 57500',
    ]);
    expect(await press('start', { tenant: 'acme' })).toEqual([200, 'start of migration 57500']);
    await becomes('ready-to-commit');
    expect(await press('commit', { tenant: 'acme' })).toEqual([200, 'commit of migration 57500']);
    await becomes('committed');
    await eventually(async () => (await said()).at(-1)?.[1] === '200 committed');
    expect((await said()).map(([what]) => what)).toEqual(
      expect.arrayContaining(['schedule 57500', 'start 57500', 'commit 57500', 'status? 57500']),
    );
    expect((await shown()).atlassian.sites).toMatchObject([
      { tenant: 'acme', realm: 'de', undo: 'Roll back' },
    ]);
  });

  test('knows its sites after a restart, and brings a move in mid-way to its end', async () => {
    await press('install', { tenant: 'acme', realm: 'us', items: 100 });
    await press('install', { tenant: 'globex', realm: 'eu', items: 0 });
    await press('schedule', { tenant: 'acme', target: 'de' });
    await press('start', { tenant: 'acme' });
    await restart();
    await becomes('ready-to-commit');
    await eventually(async () => (await said()).at(-1)?.[1] === '200 ready-to-commit');
    expect((await shown()).atlassian.sites).toMatchObject([
      { tenant: 'acme', realm: 'us', undo: 'Cancel' },
      { tenant: 'globex', realm: 'eu' },
    ]);
    expect(await press('commit', { tenant: 'acme' })).toEqual([200, 'commit of migration 57500']);
    await becomes('committed');
    await restart();
    expect((await shown()).atlassian.sites).toMatchObject([
      { tenant: 'acme', realm: 'de', undo: 'Roll back' },
      { tenant: 'globex', realm: 'eu' },
    ]);
    expect(await press('cancel', { tenant: 'acme' })).toEqual([200, 'rollback of migration 57500']);
    await becomes('rolled-back');
    expect(await press('schedule', { tenant: 'acme', target: 'sg' })).toEqual([
      200,
      'schedule of migration 57501',
    ]);
  });

  test('keeps the secrets of its sites where only its owner reads them', async () => {
    await press('install', { tenant: 'acme', realm: 'us', items: 0 });
    const file = join(dataDir, 'atlassian-sites.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const secret = (await watched.world.record('acme', 'us'))?.['sharedSecret'];
    expect(await readFile(file, 'utf8')).toContain(JSON.stringify(secret));
  });

  test('starts with a file that is broken, and knows no site', async () => {
    await watched[Symbol.asyncDispose]();
    await writeFile(join(dataDir, 'atlassian-sites.json'), '[{"realm":"us"},{"site":');
    watched = await startWatchedWorld(dataDir);
    expect((await shown()).atlassian.sites).toEqual([]);
  });

  test('does not forget a site whose reinstallation the app refuses', async () => {
    await press('install', { tenant: 'acme', realm: 'us', items: 0 });
    const { documents, record } = watched.world;
    const before = await record('acme', 'us');
    // As if another client had moved it, and the move were under way in another realm.
    const Key = { tenant: 'acme' };
    await documents('us').send(new DeleteCommand({ TableName: 'residency-local-us-tenants', Key }));
    const Item = { ...before, state: 'frozen' };
    await documents('eu').send(new PutCommand({ TableName: 'residency-local-eu-tenants', Item }));
    expect((await press('install', { tenant: 'acme', realm: 'us', items: 0 }))[0]).not.toBe(200);
    expect((await shown()).atlassian.sites).toMatchObject([{ tenant: 'acme' }]);
  });
});

test('migrations stand in the order open, finished, and each newest first', () => {
  const item = (id: string, status: string, scheduledAt: string) => ({
    ...{ tenant: 'acme', id: `status#${id}`, migration: id, source: 'us', target: 'de' },
    ...{ status, scheduledAt },
  });
  const migrations = migrationsIn([
    item('1', 'committed', '2026-01-01'),
    item('2', 'failed', '2026-01-02'),
    item('3', 'rolled-back', '2026-01-04'),
    item('4', 'copying', '2026-01-03'),
  ]);
  expect(migrations.map(({ id }) => id)).toEqual(['4', '2', '3', '1']);
  expect(newestOf(migrations, 'acme')?.id).toBe('3');
  expect(newestOf(migrations, 'other')).toBeUndefined();
});
