/**
 * A fleet moves at once: the hooks of 200 tenants within a second, through the throttles of API
 * Gateway.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Hook, Reply, Site } from '../../lib/local/simulated-atlassian.ts';
import { facts, startWorld, type World } from '../support/world.ts';

const CAP = 200;
/** More than may move at once. */
const TENANTS = 210;
/** Atlassian's tries, and the time between two of them in milliseconds. */
const TRIES = 3;
const BETWEEN_TRIES = 5_000;
/** Installations at a time, which must not meet a throttle. */
const LANES = 4;

let world: World;
const sites: Site[] = [];
const window = facts('DE');

beforeAll(async () => {
  world = await startWorld({
    throttled: true,
    env: { MAX_OVERLAPPING_MIGRATIONS: `${CAP}`, DRAIN_SECONDS: '1' },
  });
  const numbers = Array.from({ length: TENANTS }, (_, number) => number).values();
  const lane = async () => {
    for (const number of numbers) sites.push(await world.installed(`tenant-${number}`));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
});
afterAll(() => world?.[Symbol.asyncDispose]());

const codeOf = ({ body }: Reply): string | undefined => Object(body)['errorResponseCode'];

/**
 * Asks as Atlassian does: repeats an answer that is neither success nor code, and gives up after
 * the third.
 */
async function asked(site: Site, hook: Hook): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const reply = await world.hook(site, hook, 1, window);
    if (reply.status < 300) return `${reply.status}`;
    const code = codeOf(reply);
    if (code !== undefined) return `${reply.status} ${code}`;
    if (tries === TRIES) return `${reply.status}, and no answer in ${TRIES} tries`;
    await pause(BETWEEN_TRIES);
  }
}

async function tallyOf(hook: Hook): Promise<Readonly<Record<string, number>>> {
  const tally: Record<string, number> = {};
  for (const answer of await Promise.all(sites.map((site) => asked(site, hook))))
    tally[answer] = (tally[answer] ?? 0) + 1;
  return tally;
}

describe('a fleet that moves at once', () => {
  test('has every schedule answered, and exactly as many accepted as the cap says', async () => {
    expect(await tallyOf('schedule')).toEqual({ 200: CAP, '409 E0004': TENANTS - CAP });
  });

  test('has every start answered', async () => {
    expect(await tallyOf('start')).toEqual({ 200: CAP, '404 E0001': TENANTS - CAP });
  });
});
