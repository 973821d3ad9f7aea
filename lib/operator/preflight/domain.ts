/**
 * Checks of the domain, where one is configured: its Route 53 zone, who answers for it, and names
 * that are taken in it.
 */
import dns from 'node:dns/promises';
import { GetHostedZoneCommand, ListResourceRecordSetsCommand } from '@aws-sdk/client-route-53';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { hostOf } from '../../../lambdas/domain/residency.ts';
import { bad, type Found, fine } from '../doctor/check.ts';
import type { Operator } from '../operator.ts';
import { printable } from '../terminal/print.ts';
import type { PreflightClients } from './aws.ts';
import { isNamed } from './finding.ts';

export interface Zone {
  readonly id: string;
  /** Without the dot at its end. */
  readonly name: string;
  readonly isPrivate: boolean;
  readonly servers: readonly string[];
}

/** `undefined` where Route 53 knows no such zone. */
export async function zoneIn(
  { residency: { defaultRealm } }: Pick<Operator, 'residency'>,
  aws: PreflightClients,
  id: string,
): Promise<Zone | undefined> {
  try {
    const { HostedZone: zone, DelegationSet: set } = await aws
      .domains(defaultRealm)
      .send(new GetHostedZoneCommand({ Id: id }));
    return {
      id,
      name: nameOf(zone?.Name),
      isPrivate: zone?.Config?.PrivateZone === true,
      servers: (set?.NameServers ?? []).map(nameOf).sort(),
    };
  } catch (error) {
    if (isNamed(error, 'NoSuchHostedZone')) return undefined;
    throw error;
  }
}

export const NO_ZONE = bad(
  'a domain is configured without its Route 53 zone',
  'name the zone by hostedZoneId in residency.config.ts, or here by --hosted-zone as you will by -c hostedZoneId=…',
);

/** Pure: whether the zone can hold the names of this domain. */
export function zoneFound(domain: string, id: string, zone: Zone | undefined): Found {
  if (zone === undefined)
    return bad(
      `this account has no Route 53 zone ${printable(id, 40)}`,
      `make a public zone for ${domain}, and name its id by hostedZoneId`,
    );
  if (zone.name !== domain && !domain.endsWith(`.${zone.name}`))
    return bad(
      `the zone ${zone.id} is for ${printable(zone.name, 80)}, and not for ${domain}`,
      `name the zone of ${domain}, or of a domain above it, by hostedZoneId`,
    );
  if (zone.isPrivate)
    return bad(
      `the zone ${zone.id} of ${zone.name} is private`,
      'name a public one: Atlassian and the certificate’s validation ask the public DNS',
    );
  return fine(`the zone ${zone.id} is for ${zone.name}`);
}

/**
 * Whether the public DNS asks the zone: else no certificate is issued, and the deployment waits for
 * hours.
 */
export async function delegation({ name, servers }: Zone): Promise<Found> {
  const wanted = servers.join(', ');
  try {
    // By the module's object: a function that was imported by name would keep the servers of that
    // moment.
    const found = (await dns.resolveNs(name)).map(nameOf).sort();
    if (found.length > 0 && found.every((server) => servers.includes(server)))
      return fine(`${name} is delegated to its zone`);
    return bad(
      `${name} is delegated to ${printable(found.join(', '), 120)}, and not to its zone`,
      `enter the servers of the zone where the domain is registered, or in the zone above it: ${wanted}`,
    );
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTFOUND' || code === 'ENODATA')
      return bad(
        `${name} is not delegated: the DNS knows no server for it`,
        `enter the servers of the zone where the domain is registered, or in the zone above it: ${wanted}`,
      );
    return bad(
      `the DNS could not be asked for ${name} (${printable(code, 20)})`,
      'see to the network of this machine, and run preflight again',
    );
  }
}

/**
 * Records that have the name of a realm whose stack is not there: the stack would make them itself.
 */
export async function addressTaken(
  { residency: { defaultRealm }, stage }: Pick<Operator, 'residency' | 'stage'>,
  aws: PreflightClients,
  { zone, domain, realm }: { readonly zone: Zone; readonly domain: string; readonly realm: Realm },
): Promise<readonly Found[]> {
  const host = hostOf(realm, stage, domain);
  const { ResourceRecordSets: records = [] } = await aws.domains(defaultRealm).send(
    new ListResourceRecordSetsCommand({
      HostedZoneId: zone.id,
      StartRecordName: host,
      MaxItems: 10,
    }),
  );
  const taken = records.filter(
    ({ Name: name, Type: type = '' }) => nameOf(name) === host && TYPES.includes(type),
  );
  if (taken.length === 0) return [fine(`no record is called ${host} yet`)];
  return [
    bad(
      `${host} has a record of type ${taken.map(({ Type: type }) => type).join(', ')} already`,
      'delete it before the deployment, which makes its own; or choose another domain or stage',
    ),
  ];
}

/** Records of one name: the stack makes the first two, and neither can be beside the third. */
const TYPES = ['A', 'AAAA', 'CNAME'];

const nameOf = (name = ''): string => name.toLowerCase().replace(/\.$/, '');
