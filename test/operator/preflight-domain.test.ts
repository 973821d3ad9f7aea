/**
 * What `preflight` finds of a domain: its zone in Route 53, its delegation in the DNS, and records
 * in the way.
 */
import { getServers, setServers } from 'node:dns';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';
import { type NameServer, startNameServer } from '../support/aws/name-server.ts';
import { type Preflight, startPreflight } from '../support/preflight.ts';

const DOMAIN = 'exporter.example';
const SERVERS = ['ns-1.awsdns-01.org', 'ns-2.awsdns-02.net'];
const ZONE = { name: DOMAIN, isPrivate: false, servers: SERVERS, records: [] };
const residency: Residency = {
  ...configured,
  realms: configured.realms.slice(0, 2),
  domain: DOMAIN,
  hostedZoneId: 'Z1',
};

const before = getServers();
let preflight: Preflight;
let dns: NameServer;
beforeAll(async () => {
  preflight = await startPreflight();
  dns = await startNameServer();
  setServers([dns.address]);
});
beforeEach(() => {
  preflight.reset();
  preflight.aws.account.zones = { Z1: ZONE };
  dns.delegations.set(DOMAIN, SERVERS);
});
afterAll(async () => {
  setServers(before);
  await dns[Symbol.asyncDispose]();
  await preflight[Symbol.asyncDispose]();
});

describe('a domain', () => {
  test('is fine where its zone is asked by the DNS, and no address is taken', async () => {
    const { code, checks } = await preflight.run(residency);
    expect(code).toBe(0);
    expect(checks.map(({ says }) => says)).toEqual(
      expect.arrayContaining([
        'the zone Z1 is for exporter.example',
        'exporter.example is delegated to its zone',
        'no record is called de.exporter.example yet',
      ]),
    );
  });

  test('may be below the domain of its zone', async () => {
    const below = { ...residency, domain: `move.${DOMAIN}` };
    expect(await preflight.run(below)).toMatchObject({ code: 0 });
  });

  test.each([
    ['no such zone', {}, 'this account has no Route 53 zone Z1'],
    [
      'a zone of another domain',
      { Z1: { ...ZONE, name: 'example.org' } },
      'the zone Z1 is for example.org, and not for exporter.example',
    ],
    [
      'a private zone',
      { Z1: { ...ZONE, isPrivate: true } },
      'the zone Z1 of exporter.example is private',
    ],
  ])('is found with %s', async (_, zones, says) => {
    preflight.aws.account.zones = zones;
    const { wrong } = await preflight.run(residency);
    expect(wrong).toMatchObject([{ realm: 'all', check: 'hosted zone', says }]);
  });

  test('is found without a zone, which the command line may name', async () => {
    const { hostedZoneId: _, ...unzoned } = residency;
    const { wrong } = await preflight.run(unzoned);
    expect(wrong[0]?.says).toBe('a domain is configured without its Route 53 zone');
    expect(await preflight.run(unzoned, '--hosted-zone', 'Z1')).toMatchObject({ code: 0 });
  });

  test('is found where it is delegated to nobody, or to others', async () => {
    dns.delegations.delete(DOMAIN);
    const nobody = await preflight.run(residency);
    dns.delegations.set(DOMAIN, ['ns.elsewhere.example']);
    const others = await preflight.run(residency);
    expect([nobody, others].map(({ wrong }) => wrong.map(({ says }) => says))).toEqual([
      ['exporter.example is not delegated: the DNS knows no server for it'],
      ['exporter.example is delegated to ns.elsewhere.example, and not to its zone'],
    ]);
    for (const { wrong } of [nobody, others]) expect(wrong[0]?.fix).toContain(SERVERS.join(', '));
  });

  test('is found where an address of a realm is taken; of a stack that is there it is its own', async () => {
    preflight.aws.account.zones = {
      Z1: {
        ...ZONE,
        records: [
          ['a.exporter.example', 'A'],
          ['de.exporter.example', 'CNAME'],
          ['us.exporter.example', 'TXT'],
        ],
      },
    };
    const { wrong } = await preflight.run(residency);
    expect(wrong).toMatchObject([{ realm: 'de', check: 'address' }]);
    expect(wrong[0]?.says).toBe('de.exporter.example has a record of type CNAME already');
    preflight.region('eu-central-1').stacks['residency-prod-de'] = 'CREATE_COMPLETE';
    expect(await preflight.run(residency)).toMatchObject({ code: 0 });
  });
});
