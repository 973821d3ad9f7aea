/**
 * Answers of the services that have one endpoint for all regions: identity, account, IAM, Route 53.
 */
import { ACCOUNT, type Account } from './account.ts';
import {
  type Answer,
  type Asked,
  AwsError,
  elements,
  inputOf,
  jsonOf,
  queryAnswer,
  xmlOf,
} from './formats.ts';

/** `undefined` for a service of a region. */
export function globalAnswer(account: Account, asked: Asked): Answer | undefined {
  switch (`${asked.service}:${asked.operation}`) {
    case 'sts:GetCallerIdentity':
      return queryAnswer(
        asked.operation,
        `<Arn>${account.arn}</Arn><UserId>AROA:ana</UserId><Account>${ACCOUNT}</Account>`,
      );
    case 'account:GetRegionOptStatus': {
      const name = String(inputOf(asked)['RegionName']);
      const region = account.regions[name];
      if (region === undefined) throw new AwsError('ValidationException', 400, 'no such region');
      return jsonOf({ RegionName: name, RegionOptStatus: region.optStatus });
    }
    case 'iam:GetAccountSummary':
      return queryAnswer(
        asked.operation,
        `<SummaryMap>${elements(
          'entry',
          Object.entries(account.summary).map(
            ([key, value]) => `<key>${key}</key><value>${value}</value>`,
          ),
        )}</SummaryMap>`,
      );
    case 'iam:ListRoles':
      return rolesPage(account, asked);
    case 'iam:ListPolicies':
      return queryAnswer(
        asked.operation,
        `<IsTruncated>false</IsTruncated><Policies>${elements(
          'member',
          account.policies.map((name) => `<PolicyName>${name}</PolicyName>`),
        )}</Policies>`,
      );
    case 'route53:GetHostedZone':
      return zoneAnswer(account, asked);
    case 'route53:ListResourceRecordSets':
      return recordsAnswer(account, asked);
    default:
      return undefined;
  }
}

/** Three at once, so that there is a second page. */
function rolesPage({ roles }: Account, { form, operation }: Asked): Answer {
  const from = Number(form.get('Marker') ?? 0);
  const page = roles.slice(from, from + 3);
  const isLast = from + 3 >= roles.length;
  const members = elements(
    'member',
    page.map(
      (name) =>
        `<RoleName>${name}</RoleName><RoleId>AROA${name}</RoleId><Path>/</Path><Arn>arn:aws:iam::${ACCOUNT}:role/${name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate>`,
    ),
  );
  const marker = isLast ? '' : `<Marker>${from + 3}</Marker>`;
  return queryAnswer(
    operation,
    `<IsTruncated>${!isLast}</IsTruncated>${marker}<Roles>${members}</Roles>`,
  );
}

const NAMESPACE = 'xmlns="https://route53.amazonaws.com/doc/2013-04-01/"';

function zoneOf({ zones }: Account, { path }: Asked) {
  const id = path.split('/')[3] ?? '';
  const zone = zones[id];
  if (zone === undefined)
    throw new AwsError('NoSuchHostedZone', 404, `No hosted zone found with ID: ${id}`);
  return { id, ...zone };
}

function zoneAnswer(account: Account, asked: Asked): Answer {
  const { id, name, isPrivate, servers } = zoneOf(account, asked);
  const set = isPrivate
    ? ''
    : `<DelegationSet><NameServers>${elements('NameServer', servers)}</NameServers></DelegationSet>`;
  return xmlOf(
    `<GetHostedZoneResponse ${NAMESPACE}><HostedZone><Id>/hostedzone/${id}</Id><Name>${name}.</Name><CallerReference>x</CallerReference><Config><PrivateZone>${isPrivate}</PrivateZone></Config></HostedZone>${set}</GetHostedZoneResponse>`,
  );
}

/** From the wanted name on, whatever its name: as Route 53 does it. */
function recordsAnswer(account: Account, asked: Asked): Answer {
  const { records } = zoneOf(account, asked);
  const start = asked.query.get('name') ?? '';
  const from = Math.max(
    0,
    records.findIndex(([name]) => name === start),
  );
  const sets = elements(
    'ResourceRecordSet',
    records
      .slice(from)
      .map(([name, type]) => `<Name>${name}.</Name><Type>${type}</Type><TTL>300</TTL>`),
  );
  return xmlOf(
    `<ListResourceRecordSetsResponse ${NAMESPACE}><ResourceRecordSets>${sets}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>10</MaxItems></ListResourceRecordSetsResponse>`,
  );
}
