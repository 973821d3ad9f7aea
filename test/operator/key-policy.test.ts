/** What a key's policy says of one role, as far as it can be told without AWS. */
import { describe, expect, test } from 'vitest';
import { WRITE_OBJECTS_WITH_KEY, WRITE_WITH_KEY } from '../../lib/key-actions.ts';
import { keyPolicyVerdict } from '../../lib/operator/preflight/key-policy.ts';

const use = {
  account: '123456789012',
  partition: 'aws',
  region: 'eu-central-1',
  role: 'residency-prod-de-copy-range',
  service: 'dynamodb',
  context: { 'aws:dynamodb:tableName': 'app-documents' },
  actions: WRITE_WITH_KEY,
} as const;
const allow = { Effect: 'Allow', Action: 'kms:*', Resource: '*' };
const deny = { ...allow, Effect: 'Deny' };
const account = { AWS: 'arn:aws:iam::123456789012:root' };
const everyone = { AWS: '*' };
const prefix = 'arn:aws:iam::123456789012:role/residency-prod-';
const ours = {
  StringEquals: {
    'kms:ViaService': 'dynamodb.eu-central-1.amazonaws.com',
    'kms:CallerAccount': '123456789012',
  },
  ArnLike: { 'aws:PrincipalArn': [`${prefix}us-*`, `${prefix}de-*`] },
};

const verdict = (...statements: readonly object[]) =>
  keyPolicyVerdict({ Statement: statements }, use);

describe('a role may use a key', () => {
  test.each<[string, object]>([
    ['that the account opens', { ...allow, Principal: account }],
    ['that the account opens by its number', { ...allow, Principal: { AWS: use.account } }],
    ['of which it is a principal', { ...allow, Principal: { AWS: [`${prefix}de-copy-range`] } }],
    ['whose conditions it fulfils', { ...allow, Principal: everyone, Condition: ours }],
    [
      'of its table',
      {
        ...allow,
        Principal: '*',
        Condition: {
          StringEquals: { 'kms:EncryptionContext:aws:dynamodb:tableName': 'app-documents' },
        },
      },
    ],
    [
      'action by action',
      {
        ...allow,
        Principal: account,
        Action: [
          'kms:Decrypt',
          'kms:DescribeKey',
          'kms:Encrypt',
          'kms:GenerateDataKey*',
          'kms:ReEncrypt*',
        ],
      },
    ],
  ])('%s', (_, statement) => {
    expect(verdict(statement)).toBe('allowed');
  });
});

describe('a role may not use a key', () => {
  test.each<[string, readonly object[]]>([
    ['without a statement', []],
    ['of other principals', [{ ...allow, Principal: { AWS: `${prefix}de-start` } }]],
    ['of a service', [{ ...allow, Principal: { Service: 'dynamodb.amazonaws.com' } }]],
    [
      'to write, where only reading is allowed',
      [{ ...allow, Principal: account, Action: 'kms:Decrypt' }],
    ],
    [
      'of another region',
      [
        {
          ...allow,
          Principal: everyone,
          Condition: { StringEquals: { 'kms:ViaService': 'dynamodb.us-east-1.amazonaws.com' } },
        },
      ],
    ],
    [
      'that a statement denies',
      [
        { ...allow, Principal: account },
        {
          ...deny,
          Principal: '*',
          Condition: { ArnNotLike: { 'aws:PrincipalArn': `${prefix}us-*` } },
        },
      ],
    ],
  ])('%s', (_, statements) => {
    expect(verdict(...statements)).toBe('refused');
  });
});

test.each<[string, readonly object[]]>([
  [
    'an allowance',
    [{ ...allow, Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } } }],
  ],
  [
    'a denial',
    [
      { ...allow, Principal: account },
      { ...deny, Principal: '*', Condition: { StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } } },
    ],
  ],
])('what only AWS knows in %s leaves it unclear', (_, statements) => {
  expect(verdict(...statements)).toBe('unclear');
});

describe('of a bucket', () => {
  const ofObjects = (statement: object) =>
    keyPolicyVerdict(
      { Statement: [{ ...allow, Principal: everyone, ...statement }] },
      { ...use, service: 's3', context: {}, actions: WRITE_OBJECTS_WITH_KEY },
    );
  const via = (service: string) => ({
    StringEquals: { 'kms:ViaService': `${service}.eu-central-1.amazonaws.com` },
  });

  test('a role may use the key through S3, with the two actions that S3 needs', () => {
    const Action = ['kms:Decrypt', 'kms:GenerateDataKey'];
    expect(ofObjects({ Action, Condition: via('s3') })).toBe('allowed');
  });

  test.each<[string, object]>([
    ['through DynamoDB alone', { Condition: via('dynamodb') }],
    ['without data keys', { Action: ['kms:Decrypt', 'kms:Encrypt'], Condition: via('s3') }],
    ['to write alone', { Action: 'kms:GenerateDataKey*', Condition: via('s3') }],
  ])('it may not use it %s', (_, statement) => {
    expect(ofObjects(statement)).toBe('refused');
  });

  test('it may use the key in China, where AWS has another domain', () => {
    const china = { partition: 'aws-cn', region: 'cn-north-1' };
    const condition = { StringEquals: { 'kms:ViaService': 's3.cn-north-1.amazonaws.com.cn' } };
    const verdict = keyPolicyVerdict(
      { Statement: [{ ...allow, Principal: everyone, Condition: condition }] },
      { ...use, ...china, service: 's3', context: {}, actions: WRITE_OBJECTS_WITH_KEY },
    );
    expect(verdict).toBe('allowed');
  });

  test('which objects a key is for is left to AWS', () => {
    const context = { 'kms:EncryptionContext:aws:s3:arn': 'arn:aws:s3:::logos' };
    expect(ofObjects({ Condition: { StringLike: context } })).toBe('unclear');
  });
});
