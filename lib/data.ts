/**
 * The stores of a realm: tenants, the ledger, the tables and buckets of the dataset that we own,
 * and the key that encrypts tenants and ledger. A vendor's own get grants, and are left alone.
 */

import { Aws, Duration } from 'aws-cdk-lib';
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  Table,
  TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import {
  AccountRootPrincipal,
  AnyPrincipal,
  PolicyDocument,
  PolicyStatement,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { isOwn, tablesOf } from '../lambdas/domain/datasets/kinds.ts';
import { defined } from '../lambdas/domain/defined.ts';
import { stackRows } from '../lambdas/domain/realm.ts';
import { BACKUP_DAYS, physicalNames } from '../lambdas/domain/residency.ts';
import { addBuckets } from './buckets.ts';
import { alarmArn, alarmTopicName, arnOf, type Deployment, removalOf } from './deployment.ts';

export interface DataProps {
  readonly deployment: Deployment;
}

/**
 * Each of a key's first two rotations costs another $1 a month for ever. With this period, five
 * realms cost what docs/cost.md says.
 */
const KEY_ROTATION = Duration.days(730);
const ATTRIBUTE_TYPES = {
  S: AttributeType.STRING,
  N: AttributeType.NUMBER,
  B: AttributeType.BINARY,
};

export class Data extends Construct {
  readonly tenants: Table;
  readonly migrations: Table;
  readonly key: Key;

  constructor(scope: Construct, id: string, { deployment }: DataProps) {
    super(scope, id);
    const { names, residency, isProtected } = deployment;
    this.key = this.realmKey(deployment);
    const common: Omit<TableProps, 'partitionKey'> = {
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: {
        pointInTimeRecoveryEnabled: true,
        recoveryPeriodInDays: BACKUP_DAYS,
      },
      deletionProtection: isProtected,
      removalPolicy: removalOf(deployment),
    };
    const encrypted: typeof common = {
      ...common,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      timeToLiveAttribute: 'expiresAt',
    };

    this.tenants = new Table(this, 'Tenants', {
      ...encrypted,
      tableName: names.tenants,
      partitionKey: { name: 'tenant', type: AttributeType.STRING },
    });

    // A sparse index: it holds only tenants with a purge date, and only their keys.
    this.tenants.addGlobalSecondaryIndex({
      indexName: 'retired',
      partitionKey: { name: 'purgeOf', type: AttributeType.STRING },
      sortKey: { name: 'purgeDueAt', type: AttributeType.NUMBER },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    this.migrations = new Table(this, 'Migrations', {
      ...encrypted,
      tableName: names.migrations,
      partitionKey: { name: 'tenant', type: AttributeType.STRING },
      sortKey: { name: 'id', type: AttributeType.STRING },
    });
    // A sparse index: it holds only migrations that are not final.
    this.migrations.addGlobalSecondaryIndex({
      indexName: 'open',
      partitionKey: { name: 'openIn', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });

    for (const part of tablesOf(residency.parts).filter((one) => !isOwn(one))) {
      const table = new Table(this, `Part-${part.name}`, {
        ...common,
        tableName: names.part(part),
        partitionKey: { name: part.partitionKey, type: ATTRIBUTE_TYPES[part.keyType ?? 'S'] },
        ...(part.sortKey !== undefined && {
          sortKey: { name: part.sortKey.name, type: ATTRIBUTE_TYPES[part.sortKey.type] },
        }),
        ...defined({ timeToLiveAttribute: part.ttlAttribute }),
      });
      if (part.discover?.by === 'index')
        table.addGlobalSecondaryIndex({
          indexName: part.discover.index,
          partitionKey: { name: part.discover.attribute, type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY,
        });
    }
    addBuckets(this, deployment);
  }

  /**
   * This policy alone says who may use the key. No role has a `kms` statement, so that stacks
   * deploy in any order. The policy names roles that may not exist yet, so it names them in a
   * condition: as principals they would be refused.
   */
  private realmKey(deployment: Deployment): Key {
    const { residency, stage, region, names } = deployment;
    return new Key(this, 'Key', {
      description: `Encrypts ${names.tenants}, ${names.migrations} and ${alarmTopicName(deployment)}`,
      enableKeyRotation: true,
      rotationPeriod: KEY_ROTATION,
      pendingWindow: Duration.days(30),
      // The key outlives its stack although the next stack cannot import it: without it, what it
      // has encrypted is lost.
      removalPolicy: removalOf(deployment),
      policy: new PolicyDocument({
        statements: [
          new PolicyStatement({
            sid: 'AdministeredByTheAccount',
            principals: [new AccountRootPrincipal()],
            actions: ['kms:*'],
            resources: ['*'],
          }),
          new PolicyStatement({
            sid: 'UsedThroughDynamoDbByTheRolesOfAllRealms',
            principals: [new AnyPrincipal()],
            actions: [
              'kms:Decrypt',
              'kms:DescribeKey',
              'kms:Encrypt',
              'kms:GenerateDataKey',
              'kms:GenerateDataKeyWithoutPlaintext',
              'kms:ReEncryptFrom',
              'kms:ReEncryptTo',
            ],
            resources: ['*'],
            conditions: {
              StringEquals: {
                'kms:CallerAccount': Aws.ACCOUNT_ID,
                'kms:ViaService': `dynamodb.${region}.${Aws.URL_SUFFIX}`,
              },
              ArnLike: {
                'aws:PrincipalArn': stackRows(residency.realms).map(({ realm }) =>
                  arnOf('', 'iam', `role/${physicalNames(residency, stage, realm).prefix}-*`),
                ),
              },
            },
          }),
          // The encryption context names the topic, so the key decrypts messages of this topic
          // only, and no table.
          new PolicyStatement({
            sid: 'UsedByAlarmsThroughTheirTopic',
            principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
            actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
            resources: ['*'],
            conditions: {
              StringEquals: {
                'aws:SourceAccount': Aws.ACCOUNT_ID,
                'kms:EncryptionContext:aws:sns:topicArn': arnOf(
                  region,
                  'sns',
                  alarmTopicName(deployment),
                ),
              },
              ArnLike: { 'aws:SourceArn': alarmArn(deployment, '*') },
            },
          }),
        ],
      }),
    });
  }
}
