/**
 * Two realms of one region whose part is one table: no move between them may begin, even where the
 * configuration was let through.
 */
import { paginateScan } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';
import { facts, startWorld, type World } from '../support/world.ts';

/**
 * A configuration that `defineResidency` lets through: it does not check the names of this stage.
 */
const residency: Residency = {
  ...configured,
  realms: [
    { realm: 'us', region: 'us-east-1' },
    { realm: 'de', region: 'eu-central-1' },
    { realm: 'eu', region: 'eu-central-1' },
  ],
  parts: [
    {
      kind: 'dynamodb',
      name: 'documents',
      policy: 'move',
      partitionKey: 'tenant',
      sortKey: { name: 'id', type: 'S' },
      tableName: () => 'documents',
    },
  ],
  otherWritersSeconds: 0,
};

describe('a move between two realms that share a table', () => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ residency });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  async function everything(): Promise<number> {
    let count = 0;
    const pages = paginateScan(
      { client: world.documents('de') },
      { TableName: 'documents', ConsistentRead: true },
    );
    for await (const { Items: items = [] } of pages) count += items.length;
    return count;
  }

  test('fails before the target is claimed, raises an alarm, and loses nothing', async () => {
    const site = await world.installed('acme', 'de');
    await world.fill('acme', 'de', 20);
    await world.scheduled(site, 1, 'EU');
    await world.hook(site, 'start', 1, facts('EU'));
    expect(await world.until(site, 1, ['failed', 'ready-to-commit'])).toBe('failed');
    const clash =
      'stage local: part "documents" in realm de and part "documents" in realm eu are one table';
    expect((await world.migration('de', 'acme', 1))?.error?.reason).toContain(clash);
    expect(world.lines.some((line) => line.includes('alarm:') && line.includes('one table'))).toBe(
      true,
    );
    expect(await world.record('acme', 'eu')).toBeUndefined();

    await world.hook(site, 'rollback', 1);
    await world.until(site, 1, ['rolled-back']);
    expect(await everything()).toBe(20);
    expect(await world.record('acme', 'de')).toMatchObject({ state: 'active' });
  });
});
