/**
 * A part that is declared with other keys than its table has: doctor, audit and rehearse find it,
 * and the receipt says so.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
let acme: Site;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({ port });
  residency = operatorCommand(port);
  acme = await world.installed('acme');
  await world.installed('globex');
  for (const tenant of ['acme', 'globex'])
    await world.put('us', 'exports', { tenant: `${tenant}#01`, id: 'one' });
});
afterAll(() => world[Symbol.asyncDispose]());

describe('a part whose keys are not what is declared', () => {
  const keysCheck = (report: unknown) =>
    Object(report).checks.find(
      ({ realm, check }: Record<string, string>) => realm === 'us' && check === 'keys',
    );

  test('is not found where all keys are a tenant’s', async () => {
    const [doctor, audit] = [await residency.json('doctor'), await residency.json('audit')];
    expect(keysCheck(doctor.report)).toMatchObject({
      ok: true,
      says: 'all 2 partition keys in the sample belong to a tenant',
    });
    expect(audit).toMatchObject({ code: 0, report: { findings: [] } });
  });

  test('is found by doctor, a plain audit and a rehearsal, with the form of its keys and no data', async () => {
    await world.put(
      'us',
      'templates',
      ...Array.from({ length: 40 }, (_, id) => ({ tenant: 'TENANT#acme', id: `${id}` })),
      { tenant: 'USER#jane.doe7@example.org', id: 'one' },
    );
    const says = '2 of 2 keys in the sample belong to no tenant that a realm knows, such as ';
    const [doctor, audit, rehearsal] = [
      await residency.json('doctor'),
      await residency.json('audit'),
      await residency.json('rehearse', 'acme', '--to', 'de'),
    ];
    expect([doctor.code, audit.code, rehearsal.code]).toEqual([1, 1, 1]);
    expect(keysCheck(doctor.report)).toMatchObject({
      ok: false,
      says: expect.stringContaining(`part templates: ${says}`),
      fix: expect.stringContaining('declare the part templates as its table has it'),
    });
    expect(audit.report).toMatchObject({
      findings: [
        {
          kind: 'keys-of-no-tenant',
          realm: 'us',
          part: 'templates',
          says: expect.stringContaining(says),
        },
      ],
    });
    expect(rehearsal.report).toMatchObject({
      obstacles: [
        expect.stringMatching(
          /^part templates in us: it holds nothing of this tenant .* such as TENANT#{tenant}$/,
        ),
        expect.stringContaining(`part templates in us: ${says}`),
      ],
    });
    for (const { report } of [doctor, audit, rehearsal]) {
      const text = JSON.stringify(report);
      expect(text).toContain('TENANT#{tenant}');
      expect(text).toContain('USER#xxxx.xxx9@xxxxxxx.xxx');
      expect(text).not.toContain('jane');
    }
    const table = await residency('audit');
    expect(table.stdout).toMatch(/us +keys-of-no-tenant +templates/);
  });

  test('leaves a receipt that says loudly that it never held an item', async () => {
    await world.moved(acme, 1, 'DE');
    await expect.poll(() => world.receipt('de', 'acme', 1)).toMatchObject({ state: 'committed' });
    const { report } = await residency.json('receipt', 'acme', '1');
    expect(report).toMatchObject({
      held: { templates: 0, exports: 1, previews: 0 },
      neverHeld: ['templates', 'previews'],
    });
    const folder = await mkdtemp(join(tmpdir(), 'receipt-'));
    const file = join(folder, 'receipt.html');
    const { stdout } = await residency('receipt', 'acme', '1', '--html', file);
    const page = await readFile(file, 'utf8');
    await rm(folder, { recursive: true });
    expect(page).toContain('<p class="warning">PART templates NEVER HELD AN ITEM of this tenant');
    expect(stdout).toMatch(/^! PART templates NEVER HELD AN ITEM of this tenant/m);
    expect(stdout).not.toContain('PART exports NEVER');
  });
});
