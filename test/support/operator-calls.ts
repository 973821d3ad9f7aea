/** What a call of the operator's command line asks IAM for, and whether a role allows it. */
import type { OperatorCall } from '../../lib/operator/clients.ts';
import { residency } from '../../residency.config.ts';
import { type Context, mayRole, type Who } from './operator-roles.ts';
import { ACCOUNT } from './policies.ts';
import type { RealmTemplate } from './templates.ts';

/** The calls, each once, that the role of its realm does not allow. */
export function refusedTo(
  who: Who,
  calls: readonly OperatorCall[],
  templates: readonly RealmTemplate[],
): readonly string[] {
  const refused = calls.map(asked).filter(({ realm, ...one }) => {
    const template = templates.find((candidate) => candidate.realm === realm);
    return template === undefined || !mayRole(template, who, one);
  });
  const texts = refused.map(
    ({ realm, action, resource, context }) =>
      `${realm} ${action} ${resource} ${JSON.stringify(context)}`,
  );
  return [...new Set(texts)];
}

/** Calls of S3 whose action in IAM has another name. */
const S3_ACTIONS: Readonly<Record<string, string>> = {
  GetBucketEncryption: 'GetEncryptionConfiguration',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  GetBucketReplication: 'GetReplicationConfiguration',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
  HeadBucket: 'ListBucket',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  ListObjectVersions: 'ListBucketVersions',
  ListObjectsV2: 'ListBucket',
};

/** What IAM calls an operation of S3. */
export const s3ActionOf = (operation: string): string => `s3:${S3_ACTIONS[operation] ?? operation}`;

/**
 * DynamoDB tells IAM the attributes of projection and filter, those of the item where a page
 * begins, and how they are selected.
 */
export function asked({ service, command, realm, input }: OperatorCall) {
  const fields: Readonly<Record<string, unknown>> = { ...input };
  const region = residency.realms.find((row) => row.realm === realm)?.region ?? '';
  // The one call here whose action has another name.
  const action = `${service}:${command === 'Invoke' ? 'InvokeFunction' : command}`;
  if (service === 'states')
    return { realm, action, resource: String(fields['stateMachineArn']), context: {} };
  if (service === 'kms')
    return {
      realm,
      action,
      resource: `arn:aws:kms:${region}:${ACCOUNT}:${fields['KeyId']}`,
      context: {},
    };
  if (service === 'lambda')
    return {
      realm,
      action,
      resource: `arn:aws:lambda:${region}:${ACCOUNT}:function:${fields['FunctionName']}`,
      context: {},
    };
  if (service === 's3')
    return {
      realm,
      action: s3ActionOf(command),
      resource: `arn:aws:s3:::${fields['Bucket']}`,
      context: {},
    };
  const index = fields['IndexName'] === undefined ? '' : `/index/${fields['IndexName']}`;
  const resource = `arn:aws:dynamodb:${region}:${ACCOUNT}:table/${fields['TableName']}${index}`;
  const names: Readonly<Record<string, string>> = Object(fields['ExpressionAttributeNames']);
  const used = ['ProjectionExpression', 'FilterExpression', 'KeyConditionExpression']
    .map((field) => String(fields[field] ?? ''))
    .join(' ');
  const attributes = Object.keys(names)
    .filter((alias) => new RegExp(`${alias}(?![\\w])`).test(used))
    .map((alias) => names[alias] ?? '');
  const after = Object.keys(Object(fields['ExclusiveStartKey']));
  const select =
    fields['Select'] ??
    (fields['ProjectionExpression'] === undefined ? 'ALL_ATTRIBUTES' : 'SPECIFIC_ATTRIBUTES');
  const context: Context =
    command === 'DescribeTable'
      ? {}
      : {
          'dynamodb:Select': [String(select)],
          'dynamodb:Attributes': [...new Set([...attributes, ...after])],
        };
  return { realm, action, resource, context };
}
