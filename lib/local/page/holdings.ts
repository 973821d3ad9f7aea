/** Where a tenant's items and objects are in a realm, with the clients that read them. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { KeyValues } from '../../../lambdas/domain/datasets/key-values.ts';
import { bucketsOf, tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { type Realm, regionOf, stackRows } from '../../../lambdas/domain/realm.ts';
import { physicalNames } from '../../../lambdas/domain/residency.ts';
import type { LocalHost } from '../host.ts';
import { ACCOUNT, STAGE } from '../host-setup.ts';
import type { Holding } from './counts.ts';

export function pageHoldings(host: LocalHost) {
  const { residency, s3Url } = host;
  const [tables, buckets] = [tablesOf(residency.parts), bucketsOf(residency.parts)];
  const clients = new Map(
    stackRows(host.realms).map(({ realm, region }) => [
      realm,
      {
        documents: DynamoDBDocumentClient.from(
          new DynamoDBClient({ region, endpoint: host.dynamoDbUrl }),
        ),
        objects: new S3Client({
          region,
          ...(s3Url !== undefined && { endpoint: s3Url, forcePathStyle: true }),
        }),
      },
    ]),
  );
  const clientsIn = (realm: Realm) => {
    const found = clients.get(realm);
    if (!found) throw new Error(`there is no realm ${realm}`);
    return found;
  };

  return {
    /** In the order of each list of holdings. */
    parts: [...tables, ...buckets],
    has: (realm: Realm): boolean => clients.has(realm),
    clientOf: (realm: Realm): DynamoDBDocumentClient => clientsIn(realm).documents,
    of(values: KeyValues, realm: Realm): readonly Holding[] {
      const names = physicalNames(residency, STAGE, realm);
      const where = { account: ACCOUNT, region: regionOf(residency.realms, realm) };
      const { documents: client, objects } = clientsIn(realm);
      return [
        ...tables.map((part) => ({ client, table: names.part(part), part, values })),
        ...buckets.map((part) => ({ objects, bucket: names.part(part, where), part, values })),
      ];
    },
    close(): void {
      for (const { documents, objects } of clients.values()) {
        documents.destroy();
        objects.destroy();
      }
    },
  };
}
