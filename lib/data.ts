/** What holds data: tenants, the ledger, the tables of the dataset that are ours, and the key that tenants and ledger are encrypted with. */
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
import type { DynamoDbPart } from '../lambdas/domain/datasets/dataset.ts';
import { stackRows } from '../lambdas/domain/realm.ts';
import { physicalNames } from '../lambdas/domain/residency.ts';
import { alarmArn, alarmTopicName, arnOf, type Deployment, removalOf } from './deployment.ts';

export interface DataProps {
  readonly deployment: Deployment;
}

const PITR_DAYS = 7;
/** Each of a key's first two rotations costs another $1 a month, for good: five realms stay within what docs/cost.md says. */
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
        recoveryPeriodInDays: PITR_DAYS,
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

    // Sparse: only who is purged when it is due is in it, and nothing but keys.
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
    // Sparse: only what is not final is in it.
    this.migrations.addGlobalSecondaryIndex({
      indexName: 'open',
      partitionKey: { name: 'openIn', type: AttributeType.STRING },
      sortKey: { name: 'dueAt', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });

    for (const part of residency.parts.filter(isOurs)) {
      new Table(this, `Part-${part.name}`, {
        ...common,
        tableName: names.part(part),
        partitionKey: { name: part.partitionKey, type: AttributeType.STRING },
        sortKey: { name: part.sortKey.name, type: ATTRIBUTE_TYPES[part.sortKey.type] },
        ...(part.ttlAttribute !== undefined && { timeToLiveAttribute: part.ttlAttribute }),
      });
    }
  }

  /**
   * Who may use the key stands in this policy alone: no role has a `kms` statement, so stacks deploy in any order. It names
   * roles that may not exist yet, which a policy can do in a condition and not as a principal.
   */
  private realmKey(deployment: Deployment): Key {
    const { residency, stage, region, names } = deployment;
    return new Key(this, 'Key', {
      description: `Encrypts ${names.tenants}, ${names.migrations} and ${alarmTopicName(deployment)}`,
      enableKeyRotation: true,
      rotationPeriod: KEY_ROTATION,
      pendingWindow: Duration.days(30),
      // It outlives its stack though it cannot be imported into the next one: what it has encrypted is lost without it.
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
          // By the topic in the context of the encryption, the key is good for its messages alone, and for no table.
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

/** A vendor's own table is granted and never touched. */
const isOurs = (part: DynamoDbPart): boolean => part.tableName === undefined;
