/**
 * `scan`, through the real command line: every tenant, what it has, and what stands in the way of
 * its move.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { residencyCommand } from '../../lib/operator/program.ts';
import type { ScannedTenant } from '../../lib/operator/scan/scan.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { FEWER_SHARDS, facts, startWorld, type World } from '../support/world.ts';

let world: World;
let port: number;
let residency: OperatorCommand;
let folder: string;
beforeAll(async () => {
  port = await freeTcpPorts();
  // A copy waits this long after the fence.
  world = await startWorld({ port, env: { DRAIN_SECONDS: '600' } });
  residency = operatorCommand(port);
  folder = await mkdtemp(join(tmpdir(), 'scan-'));
  await world.installed('small');
  await world.fill('small', 'us', 2);
  await world.installed('large', 'de');
  await world.fill('large', 'de', 40);
  await world.installed('paused');
  await residency('set', '--realm', 'us', '--tenant', 'paused', '--new-moves', 'off', '--yes');
  const moving = await world.installed('moving');
  await world.scheduled(moving, 1);
  expect((await world.hook(moving, 'start', 1, facts('DE'))).status).toBe(200);
  const left = await world.installed('left');
  expect((await world.atlassian.uninstall(left)).status).toBe(204);
  await put('us', { tenant: '=secretless', state: 'active', credentialsIat: 0 });
  await world.installed('awaited');
  await put('eu', { tenant: 'awaited', state: 'retired', keep: true, credentialsIat: 1 });
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await world[Symbol.asyncDispose]();
});

const put = (realm: string, item: object) =>
  world.documents(realm).send(
    new PutCommand({
      TableName: `residency-local-${realm}-tenants`,
      Item: { revision: 1, installation: '{}', ...item },
    }),
  );

const tenantsIn = (report: unknown): readonly ScannedTenant[] => Object(report).tenants;

/** The verdict for each tenant and realm; a note is in brackets. */
const obstaclesIn = (report: unknown): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    tenantsIn(report).map(({ tenant, obstacles }) => [
      tenant,
      obstacles.map(({ kind, to = '', stops }) => (stops ? `${kind}${to}` : `(${kind})`)),
    ]),
  );

describe('scan', () => {
  test('says of every tenant what it has, how long a move takes, and what stands in the way', async () => {
    const { code, report } = await residency.json('scan');
    expect(code).toBe(1);
    expect(obstaclesIn(report)).toEqual({
      large: [],
      small: [],
      paused: ['new-moves-off'],
      moving: ['in-a-move', 'target-takende'],
      '=secretless': ['no-secret', '(unknown-cloud-id)'],
      awaited: ['target-takeneu'],
    });
    expect(report).toMatchObject({ notServed: 1, samples: [], window: { hours: 1.5 } });
    const [first, second] = tenantsIn(report);
    expect(first).toMatchObject({
      tenant: 'large',
      realm: 'de',
      items: 120,
      product: 'confluence',
    });
    expect(second).toMatchObject({ tenant: 'small', realm: 'us', items: 6 });
    expect(first?.moves.map(({ to }) => to)).toEqual(['us', 'eu', 'au', 'sg']);
    expect(first?.moves.every(({ seconds }) => seconds > 0)).toBe(true);
  });

  test('of one realm alone, as a table that says the worst first', async () => {
    const { code, stdout } = await residency('scan', '--realm', 'de');
    expect(code).toBe(0);
    expect(stdout).toContain('✓ nothing stands in the way of a move');
    const all = await residency('scan');
    expect(all.stdout).toMatch(/tenant +realm +items +size +to us +to de +to eu/);
    expect(all.stdout).toContain('✗ something stands in the way of 4 tenants: ');
    expect(all.stdout.indexOf('paused')).toBeLessThan(all.stdout.indexOf('large'));
    expect((await residency('scan', '--realm', 'mars')).code).toBe(2);
  });

  test('as CSV, with nothing that a spreadsheet would run', async () => {
    const path = join(folder, 'tenants.csv');
    await residency('scan', '--csv', path);
    const rows: readonly Record<string, string>[] = parse(await readFile(path), { columns: true });
    expect(rows).toHaveLength(6);
    expect(rows.map((row) => row['tenant'])).toContain("'=secretless");
    const [large] = rows;
    expect(large).toMatchObject({
      tenant: 'large',
      items: '120',
      seconds_to_de: '',
      can_move: 'true',
    });
    expect(Number(large?.['seconds_to_us'])).toBeGreaterThan(0);
    expect(rows.find((row) => row['tenant'] === 'awaited')).toMatchObject({
      can_move: 'true',
      obstacles: 'eu has a record of it that is retired, and kept',
    });
    const nowhere = await residency('scan', '--csv', join(folder, 'none', 'x.csv'));
    expect([nowhere.code, nowhere.stderr]).toEqual([
      1,
      expect.stringContaining('cannot be written'),
    ]);
  });

  test('finds a tenant too large for the window that is declared', async () => {
    let printed = '';
    const short = { ...FEWER_SHARDS, maxMigrationDurationHours: 0.0001 };
    await residencyCommand(['scan', '--realm', 'de', '--json', '--local', String(port)], {
      residency: short,
      print: (text) => {
        printed += text;
      },
      complain: () => {},
      isInteractive: false,
      ask: async () => '',
    });
    expect(obstaclesIn(JSON.parse(printed))['large']).toEqual([
      'too-largeus',
      'too-largeeu',
      'too-largeau',
      'too-largesg',
    ]);
  });

  test('finds a realm whose table has keys that no declaration makes', async () => {
    await world.put('de', 'templates', { tenant: 'TENANT#large', id: 'one' });
    const { code, report } = await residency.json('scan', '--realm', 'de');
    expect([code, obstaclesIn(report)]).toEqual([1, { large: ['undeclared-keys'] }]);
    expect(report).toMatchObject({ samples: [{ realm: 'de', part: 'templates', strange: 1 }] });
    expect((await residency('scan')).stdout).toContain('✗ de, part templates: 1 of ');
  });
});
