/**
 * A table that is scanned and has grown beyond its declaration: no move is scheduled out of its
 * realm or into it, and a rehearsal says so before.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineResidency } from '../../lambdas/domain/residency.ts';
import type { Site } from '../../lib/local/simulated-atlassian.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { facts, startWorld, type World } from '../support/world.ts';

const SCANNED = defineResidency({
  ...configured,
  parts: [
    {
      kind: 'dynamodb',
      name: 'pages',
      policy: 'move',
      partitionKey: 'id',
      discover: { by: 'scan', attribute: 'owner', largestTableGB: 2, segments: 3 },
    },
  ],
});
const REGIONS = { us: 'us-east-1', de: 'eu-central-1' };

/** Bytes of the table `pages`, by region. */
const sizes = new Map<string, number>();
let world: World;
let residency: OperatorCommand;
let acme: Site;
beforeAll(async () => {
  const port = await freeTcpPorts();
  world = await startWorld({
    port,
    residency: SCANNED,
    dynamoDb: {
      inject: ({ operation, region, input }) => {
        const isAsked = operation === 'DescribeTable' && /-pages$/.test(`${input['TableName']}`);
        return isAsked ? { tableSizeBytes: sizes.get(region) ?? 0 } : undefined;
      },
    },
  });
  residency = operatorCommand(port, SCANNED);
  acme = await world.installed('acme');
  await world.put('us', 'pages', { id: 'PAGE#1', owner: 'acme' });
});
afterAll(() => world[Symbol.asyncDispose]());

describe('a table that has grown beyond its declaration', () => {
  test.each([
    ['source', 'us'],
    ['target', 'de'],
  ] as const)('lets no move be scheduled, and is told by a rehearsal: the %s', async (_, realm) => {
    sizes.clear();
    sizes.set(REGIONS[realm], 2.04e9);
    const says = `part pages in ${realm}: its table has 2.0 GB, and largestTableGB is 2`;
    const { status, body } = await world.hook(acme, 'schedule', 1, facts('DE'));
    expect(status).toBe(400);
    expect(body).toMatchObject({ errorResponseCode: 'E9999' });
    expect(JSON.stringify(body)).toContain(says);
    const { code, report } = await residency.json('rehearse', 'acme', '--to', 'de');
    expect(code).toBe(1);
    expect(report).toMatchObject({ obstacles: [says] });
  });

  test('lets a move be scheduled again once it is small enough, or is declared as it is', async () => {
    sizes.clear();
    sizes.set(REGIONS.us, 1.9e9);
    expect((await world.hook(acme, 'schedule', 1, facts('DE'))).status).toBe(200);
  });
});
