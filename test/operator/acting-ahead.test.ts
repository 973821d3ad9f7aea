/** `ahead`: an operator copies a scheduled move before its window, and cancels it. */
import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { eventually, startWorld, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({ port });
  residency = operatorCommand(port);
});
afterAll(() => world[Symbol.asyncDispose]());

const statusOf = async (tenant: string, id: number) =>
  (await world.migration('us', tenant, id))?.status;

describe('ahead', () => {
  test('copies a scheduled move while its source serves; a cancellation discards that', async () => {
    const site = await world.installed('early');
    await world.fill('early', 'us');
    await world.scheduled(site, 1);
    expect((await residency.json('ahead', 'early', '1', '--yes')).report).toMatchObject({
      outcome: 'begun',
      message: 'migration 1 is copied ahead to de, while its source serves',
    });
    await eventually(
      async () => (await world.migration('us', 'early', 1))?.ahead?.finishedAt !== undefined,
    );
    expect(await world.countAll('early', 'de')).toBeGreaterThan(0);
    expect((await world.record('early', 'us'))?.['state']).toBe('active');
    const where = await residency('where', 'early');
    expect([where.code, where.stdout]).toEqual([
      0,
      expect.stringMatching(
        /it is in us; migration 1, which is scheduled, has copied \d+ items ahead to de, not serving/,
      ),
    ]);
    expect((await residency('show', 'early', '1')).stdout).toMatch(
      /ahead +copied ahead to de from \S+ to \S+: \d+ items, [\d,]+ bytes, not serving/,
    );
    expect((await residency('status')).stdout).toContain('copied ahead to de');
    const again = await residency.json('ahead', 'early', '--yes');
    expect([again.code, Object(again.report).outcome]).toEqual([1, 'refused']);
    expect((await residency.json('ahead', 'early', '--stop', '--yes')).report).toMatchObject({
      outcome: 'left-alone',
    });
    expect((await residency.json('cancel', 'early', '--yes')).report).toMatchObject({
      outcome: 'cancelled',
      status: 'rolling-back',
    });
    await eventually(async () => (await statusOf('early', 1)) === 'rolled-back');
    expect(await world.countAll('early', 'de')).toBe(0);
    expect((await residency('receipt', 'early', '1')).stdout).toMatch(
      /copied ahead to de from \S+ to \S+: \d+ items, [\d,]+ bytes; all of it was discarded/,
    );
    await using folder = await mkdtempDisposable(join(tmpdir(), 'ahead-'));
    const file = join(folder.path, 'receipt.html');
    await residency('receipt', 'early', '1', '--html', file);
    expect(await readFile(file, 'utf8')).toMatch(
      /Before the window<\/\w+>\s*<\w+>copied ahead to de from \S+ to \S+: \d+ items, [\d,]+ bytes; all of it was discarded</,
    );
  });
});
