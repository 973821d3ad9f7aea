/** Both part kinds keep the contract. */
import { partKindContract } from '../../contract/part-kind.contract.ts';
import { dynamoDbPartKindHost } from '../../support/dynamodb-part-kind-host.ts';
import { inMemoryPartKind } from '../../support/in-memory-part-kind.ts';
import { scannedPartKindHost } from '../../support/scanned-part-kind-host.ts';

partKindContract('DynamoDB', (options) => dynamoDbPartKindHost(options));

partKindContract(
  'DynamoDB, by an index and scans',
  (options) =>
    scannedPartKindHost(
      { ...options, pageItems: 25, scansAtOnce: 2 },
      { by: 'index', index: 'of-tenant', attribute: 'tenant', largestTableGB: 1 },
    ),
  { isOrdered: false },
);

partKindContract(
  'DynamoDB, by scans of three segments',
  (options) =>
    scannedPartKindHost(
      { ...options, pageItems: 25, scansAtOnce: 1 },
      { by: 'scan', prefix: '{tenant}/', largestTableGB: 1, segments: 3 },
    ),
  { isOrdered: false },
);

partKindContract('in memory', async (options) => {
  const { kind, put, read } = inMemoryPartKind(options);
  return {
    kind,
    put: async (realm, part, items) => put(realm, part, ...items),
    read: async (realm, part, partition) => read(realm, part, partition),
    close: async () => {},
  };
});
