/**
 * `where`: the verdict over the records, the items and the migrations of all realms; and a source
 * that is no longer empty.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../lambdas/domain/moving/migration.ts';
import type { TenantState } from '../../lambdas/domain/tenants/tenant.ts';
import { type RealmHolding, verdictOn } from '../../lib/operator/tenants/where.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { startWorld, type World } from '../support/world.ts';

/** A realm with `items`, and with a record in this state that a migration of that status owns. */
function holding(
  realm: string,
  items: number,
  state: TenantState | 'none' = 'none',
  migrationStatus?: Status | 'lost',
  movedTo?: string,
): RealmHolding {
  return {
    realm,
    region: `region-${realm}`,
    state,
    ...(migrationStatus !== undefined && { migration: '7' }),
    ...(migrationStatus !== undefined && migrationStatus !== 'lost' && { migrationStatus }),
    ...(movedTo !== undefined && { movedTo }),
    items,
    expired: 0,
    bytes: 0,
    parts: [],
  };
}

describe('the verdict', () => {
  test.each<[string, readonly RealmHolding[], string]>([
    ['one realm has it', [holding('us', 3, 'active'), holding('de', 0)], 'one'],
    [
      'its source was purged',
      [holding('us', 0, 'moved', 'committed', 'de'), holding('de', 3, 'active')],
      'one',
    ],
    ['it is being purged', [holding('us', 3, 'purging'), holding('de', 0)], 'one'],
    [
      'it is being copied',
      [holding('us', 3, 'frozen', 'copying'), holding('de', 1, 'standby', 'copying')],
      'moving',
    ],
    [
      'it is being copied to an empty target',
      [holding('us', 3, 'frozen', 'copying'), holding('de', 0)],
      'moving',
    ],
    [
      'its source is still to be purged',
      [holding('us', 3, 'moved', 'committing', 'de'), holding('de', 3, 'active')],
      'moving',
    ],
    [
      'its target is being discarded',
      [holding('us', 3, 'active'), holding('de', 2, 'withdrawn', 'rolling-back')],
      'moving',
    ],
    [
      'it has items in a source that was proven empty',
      [holding('us', 1, 'moved', 'committed', 'de'), holding('de', 3, 'active')],
      'wrong',
    ],
    [
      'it has items in the source of a move that is not on record',
      [holding('us', 1, 'moved', 'lost', 'de'), holding('de', 3, 'active')],
      'wrong',
    ],
    [
      'it has items in a target that was discarded',
      [holding('us', 3, 'active'), holding('de', 1, 'withdrawn', 'rolled-back')],
      'wrong',
    ],
    [
      'it is shut by a migration that is over',
      [holding('us', 3, 'frozen', 'rolled-back'), holding('de', 0)],
      'wrong',
    ],
    [
      'it has items in a third realm while it moves',
      [
        holding('us', 3, 'frozen', 'copying'),
        holding('de', 1, 'standby', 'copying'),
        holding('eu', 1),
      ],
      'wrong',
    ],
    ['two realms serve it', [holding('us', 3, 'active'), holding('de', 3, 'active')], 'wrong'],
    ['nobody knows it', [holding('us', 0), holding('de', 0)], 'unknown'],
  ])('where %s', (_, realms, verdict) =>
    expect(verdictOn('acme', realms)).toMatchObject({ verdict }),
  );

  test('says what is copied ahead of a window, and that it does not serve', () => {
    const home = holding('us', 3, 'active');
    expect(verdictOn('acme', [home, holding('de', 2, 'standby', 'scheduled')])).toMatchObject({
      verdict: 'moving',
      realm: 'us',
      migration: '7',
      says: 'it is in us; migration 7, which is scheduled, has copied 2 items ahead to de, not serving',
    });
    expect(verdictOn('acme', [home, holding('de', 2, 'withdrawn', 'rolling-back')]).says).toBe(
      'it is in us; de is withdrawn by migration 7, which is rolling-back, and not serving',
    );
  });

  test('names the migration that is over, and its status', () => {
    const late = [holding('us', 2, 'moved', 'committed', 'de'), holding('de', 3, 'active')];
    expect(verdictOn('acme', late).says).toBe(
      'it is in de, but us holds 2 items of it, where its state is moved by migration 7, which is committed',
    );
    expect(verdictOn('acme', [holding('us', 3, 'frozen', 'lost')]).says).toBe(
      'its record in us is frozen by migration 7, which is not on record',
    );
  });
});

describe('an item that is put into the source after the commit', () => {
  let world: World;
  let residency: OperatorCommand;
  let port: number;
  beforeAll(async () => {
    port = await freeTcpPorts();
    world = await startWorld({ port });
    residency = operatorCommand(port);
    const site = await world.installed('acme');
    await world.fill('acme', 'us', 20);
    await world.moved(site, 57500, 'DE');
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('is found by `where` and by a plain audit, and both end in 1', async () => {
    const before = [await residency('where', 'acme'), await residency('audit')];
    expect(before.map(({ code }) => code)).toEqual([0, 0]);

    await world.put('us', 'exports', { tenant: 'acme#01', id: 'late' });
    const where = await residency('where', 'acme');
    expect(where.code).toBe(1);
    expect(where.stdout).toContain(
      '✗ acme: it is in de, but us holds 1 item of it, where its state is moved by migration 57500, which is committed',
    );
    const audit = await residency.json('audit');
    expect(audit).toMatchObject({
      code: 1,
      report: {
        scope: 'records',
        findings: [
          {
            kind: 'items-without-active-record',
            realm: 'us',
            tenant: 'acme',
            part: 'exports',
            items: 1,
            says: 'it has items here, where its record is moved',
          },
        ],
      },
    });
  });

  test('ends in 1 for a tenant that no realm knows, and for one that is where it should not be', async () => {
    await world.put('au', 'templates', { tenant: 'stray', id: 'one' });
    const [nobody, stray] = await Promise.all([
      residency('where', 'nobody'),
      residency.json('where', 'stray'),
    ]);
    expect(nobody).toEqual({
      code: 1,
      stdout: `local host on port ${port}\n\n✗ nobody: no realm knows it\n`,
      stderr: '',
    });
    expect(stray).toMatchObject({
      code: 1,
      report: {
        verdict: 'wrong',
        says: 'it is in no realm, but au holds 1 item of it, where its state is none',
      },
    });
    await world.remove('au', 'templates', { tenant: 'stray', id: 'one' });
  });
});
