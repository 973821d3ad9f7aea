/** All that a vendor changes. The sample app is a document exporter. */
import { defineResidency } from './lambdas/domain/residency.ts';

export const residency = defineResidency({
  name: 'residency',
  app: {
    key: 'com.example.document-exporter',
    name: 'Document Exporter',
    description: 'Exports pages as documents, and keeps the data in the realm that you choose.',
    vendor: { name: 'Example', url: 'https://example.com' },
    scopes: ['READ'],
    products: ['confluence'],
    forge: { appId: 'ari:cloud:ecosystem::app/7c3f1d52-0a44-4c5e-9d6b-2f8e5b1a9c30' },
  },
  realms: [
    { realm: 'us', region: 'us-east-1' },
    { realm: 'de', region: 'eu-central-1' },
    { realm: 'eu', region: 'eu-west-1' },
    { realm: 'au', region: 'ap-southeast-2' },
    { realm: 'sg', region: 'ap-southeast-1' },
  ],
  defaultRealm: 'us',
  parts: [
    {
      kind: 'dynamodb',
      name: 'templates',
      policy: 'move',
      partitionKey: 'tenant',
      sortKey: { name: 'id', type: 'S' },
    },
    {
      kind: 'dynamodb',
      name: 'exports',
      policy: 'move',
      partitionKey: 'tenant',
      sortKey: { name: 'id', type: 'S' },
      shards: 16,
    },
    {
      kind: 'dynamodb',
      name: 'previews',
      policy: 'drop',
      partitionKey: 'tenant',
      sortKey: { name: 'id', type: 'S' },
      ttlAttribute: 'expiresAt',
    },
    {
      kind: 's3',
      name: 'documents',
      policy: 'move',
      prefix: '{tenant}/',
      versions: 'current',
      keepsVersionsDays: 7,
    },
  ],
  maxMigrationDurationHours: 1.5,
  maxOverlappingMigrations: 20,
});
