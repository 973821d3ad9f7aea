/**
 * The policy that docs/deploy.md gives to whoever runs `preflight` allows what it calls, and
 * nothing beside it.
 */
import { getServers, setServers } from 'node:dns';
import { readFileSync } from 'node:fs';
import { CreateBucketCommand, PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';
import { ACCOUNT } from '../support/aws/account.ts';
import { type NameServer, startNameServer } from '../support/aws/name-server.ts';
import { type Preflight, startPreflight } from '../support/preflight.ts';
import { DOCUMENTS } from '../support/s3-part-kind-host.ts';
import { at, listOf } from '../support/templates.ts';

const KEY = `arn:aws:kms:us-east-1:${ACCOUNT}:key/own`;
const SERVERS = ['ns-1.awsdns-01.org'];
/** One with everything that there is to look at. */
const residency: Residency = {
  ...configured,
  realms: configured.realms.slice(0, 2),
  domain: 'exporter.example',
  hostedZoneId: 'Z1',
  otherWritersSeconds: 0,
  parts: [
    ...tablesOf(configured.parts).map((part) =>
      part.name === 'templates'
        ? { ...part, tableName: () => 'own', encryptionKeyArn: () => KEY }
        : part,
    ),
    { ...DOCUMENTS, name: 'logos', bucket: (realm: string) => `logos-${realm}` },
  ],
};

const before = getServers();
let preflight: Preflight;
let dns: NameServer;
beforeAll(async () => {
  preflight = await startPreflight();
  dns = await startNameServer();
  dns.delegations.set('exporter.example', SERVERS);
  setServers([dns.address]);
  preflight.aws.account.zones = {
    Z1: { name: 'exporter.example', isPrivate: false, servers: SERVERS, records: [] },
  };
  const us = preflight.region('us-east-1');
  const policy = {
    Statement: [
      { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*' },
    ],
  };
  us.keys = { [KEY]: { state: 'Enabled', manager: 'CUSTOMER', policy } };
  us.tables = {
    own: {
      described: {
        SSEDescription: { SSEType: 'KMS', KMSMasterKeyArn: KEY },
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'KEYS_ONLY' },
        LatestStreamArn: `arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/own/stream/1`,
      },
    },
  };
  const s3 = preflight.objects('us-east-1');
  await s3.send(new CreateBucketCommand({ Bucket: 'logos-us' }));
  await s3.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket: 'logos-us',
      LifecycleConfiguration: {
        Rules: [
          {
            Status: 'Enabled',
            Prefix: '',
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
        ],
      },
    }),
  );
  s3.destroy();
  preflight.aws.calls.clear();
  await preflight.table('us-east-1', {
    TableName: 'own',
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['tenant', 'id'].map((name) => ({
      AttributeName: name,
      AttributeType: 'S',
    })),
    KeySchema: [
      { AttributeName: 'tenant', KeyType: 'HASH' },
      { AttributeName: 'id', KeyType: 'RANGE' },
    ],
  });
});
afterAll(async () => {
  setServers(before);
  await dns[Symbol.asyncDispose]();
  await preflight[Symbol.asyncDispose]();
});

test('the policy has the actions that are called', async () => {
  const { code, wrong } = await preflight.run(residency, '--realms', 'us');
  expect(wrong).toEqual([]);
  expect(code).toBe(0);
  const page = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
  const section = page.split('## Before the first deployment')[1] ?? '';
  const policy: unknown = JSON.parse(/```json\n(.*?)```/s.exec(section)?.[1] ?? 'null');
  const allowed = listOf(at(policy, 'Statement')).flatMap((one) => listOf(at(one, 'Action')));
  // Everybody may ask who they are.
  const called = [...preflight.aws.calls].filter((action) => !action.startsWith('sts:'));
  expect(called.sort()).toEqual(allowed.map(String).sort());
});
