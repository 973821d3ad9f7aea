/** A row of cells, as both kinds of CSV have them, made into one for the function. */
import { defined } from '../../../lambdas/domain/defined.ts';
import { cloudIdOf, installationIdOf } from '../../../lambdas/domain/tenants/importing.ts';
import { checkedRow, factsOf, Problematic, type SourceRow } from './framework-rows.ts';

type Cells = Readonly<Record<string, string>>;

/** By the names of `columnName`. `storedAt` in epoch seconds. */
export function cellsRow(line: number, cells: Cells, storedAt: number): SourceRow {
  const installationId = idIn(cells['installationid'], installationIdOf, 'installation_id');
  const cloudId = idIn(cells['cloudid'], cloudIdOf, 'cloud_id');
  const { clientkey: clientKey, sharedsecret: sharedSecret, tenantkey: tenantKey } = cells;
  const row = checkedRow({
    storedAt,
    installation: factsOf({
      key: cells['key'],
      clientKey,
      oauthClientId: cells['oauthclientid'],
      baseUrl: cells['baseurl'],
      displayUrl: cells['displayurl'],
      displayUrlServicedeskHelpCenter: cells['displayurlservicedeskhelpcenter'],
      productType: cells['producttype']?.toLowerCase(),
      description: cells['description'],
      serviceEntitlementNumber: cells['serviceentitlementnumber'],
      entitlementId: cells['entitlementid'],
      entitlementNumber: cells['entitlementnumber'],
      installationId,
      cloudId,
    }),
    ...defined({ sharedSecret, tenantKey }),
  });
  const { key } = cells;
  return {
    line,
    name: clientKey ?? installationId ?? '',
    row,
    isUninstalled: false,
    ...defined({ appKey: key }),
  };
}

/**
 * A name that is given and is none would be left out in silence, and the tenant not be found by it.
 */
function idIn(
  text: string | undefined,
  parse: (text: string) => string | undefined,
  column: string,
): string | undefined {
  const id = text === undefined ? undefined : parse(text);
  if (text !== undefined && id === undefined) throw new Problematic(`${column} is malformed`);
  return id;
}
