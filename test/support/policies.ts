/**
 * Reads from a synthesised template what each Lambda may do, by IAM's rules: exact names, and `*`
 * where a policy has one.
 */
import { at, listOf, type RealmTemplate, type Resource } from './templates.ts';

/** The account that replaces `AWS::AccountId` in a template: the local host's. */
export const ACCOUNT = '000000000000';

export interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly isConditional: boolean;
}

export interface AllowedCall {
  /** File below `lambdas/`: `hooks/start`. */
  readonly entry: string;
  readonly action: string;
  /** An ARN, perhaps with `*` in it. */
  readonly resource: string;
}

const known = new WeakMap<RealmTemplate, readonly AllowedCall[]>();

/** Every action on every resource that the role of a Lambda allows. */
export function allowedCalls(template: RealmTemplate): readonly AllowedCall[] {
  const calls = known.get(template) ?? readCalls(template);
  known.set(template, calls);
  return calls;
}

function readCalls(template: RealmTemplate): readonly AllowedCall[] {
  return Object.values(template.resources)
    .filter((resource) => resource.Type === 'AWS::Lambda::Function')
    .flatMap((lambda) => {
      const entry = String(lambda.Properties['Handler']).replace(/\.handler$/, '');
      const statements = statementsOf(template, roleIdOf(lambda));
      return statements.flatMap(({ actions, resources }) =>
        actions.flatMap((action) => resources.map((resource) => ({ entry, action, resource }))),
      );
    });
}

/** `action` as IAM spells it: `dynamodb:GetItem`. */
export function isAllowed(
  template: RealmTemplate,
  entry: string,
  action: string,
  resource: string,
): boolean {
  return allowedCalls(template).some(
    (call) =>
      call.entry === entry && matches(call.action, action) && matches(call.resource, resource),
  );
}

/**
 * All statements of a role: inline, managed, and attached from outside. Refuses what this reader
 * does not understand.
 */
export function statementsOf(template: RealmTemplate, roleId: string): readonly Statement[] {
  const documents = documentsOf(template, roleId).flatMap(({ document }) => document);
  const statements = documents.flatMap((document) => readDocument(template, document));
  for (const { effect, isConditional } of statements) {
    if (effect !== 'Allow' || isConditional) {
      throw new Error(`${roleId}: only plain allowances are understood here`);
    }
  }
  return statements;
}

export interface RoleDocument {
  readonly kind: 'inline' | 'managed';
  readonly document: unknown;
}

export function documentsOf({ resources }: RealmTemplate, roleId: string): readonly RoleDocument[] {
  const role = resources[roleId];
  if (role?.Type !== 'AWS::IAM::Role') throw new Error(`${roleId} is no role`);
  const inline = listOf(role.Properties['Policies']).map((policy) => at(policy, 'PolicyDocument'));
  const attached = Object.values(resources)
    .filter((resource) => resource.Type === 'AWS::IAM::Policy')
    .filter((policy) => listOf(policy.Properties['Roles']).some((r) => at(r, 'Ref') === roleId))
    .map((policy) => policy.Properties['PolicyDocument']);
  const managed = listOf(role.Properties['ManagedPolicyArns']).map((arn) => {
    const policy = resources[String(at(arn, 'Ref'))];
    if (policy === undefined) throw new Error(`${roleId} has a managed policy of somebody else's`);
    return policy.Properties['PolicyDocument'];
  });
  return [
    ...[...inline, ...attached].map((document) => ({ kind: 'inline' as const, document })),
    ...managed.map((document) => ({ kind: 'managed' as const, document })),
  ];
}

export function readDocument(template: RealmTemplate, document: unknown): readonly Statement[] {
  return listOf(at(document, 'Statement')).map((statement) => ({
    effect: String(at(statement, 'Effect')),
    actions: listOf(at(statement, 'Action')).map(String),
    resources: listOf(at(statement, 'Resource')).map((value) => textOf(template, value)),
    isConditional: at(statement, 'Condition') !== undefined,
  }));
}

/** The value after deployment, as far as a template says. */
export function textOf(template: RealmTemplate, value: unknown): string {
  if (typeof value === 'string') return value;
  const join = at(value, 'Fn::Join');
  if (join !== undefined) {
    const parts = listOf(at(join, 1)).map((part) => textOf(template, part));
    return parts.join(String(at(join, 0)));
  }
  const reference = at(value, 'Ref');
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::Partition': 'aws',
    'AWS::AccountId': ACCOUNT,
    'AWS::Region': template.region,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const known = typeof reference === 'string' ? pseudo[reference] : undefined;
  if (known !== undefined) return known;
  const attribute = at(value, 'Fn::GetAtt');
  if (at(attribute, 1) === 'Arn') return arnOf(template, String(at(attribute, 0)));
  throw new Error(`cannot tell what becomes of ${JSON.stringify(value)}`);
}

function arnOf({ resources, region }: RealmTemplate, id: string): string {
  const { Type, Properties } = resources[id] ?? { Type: 'nothing', Properties: {} };
  const prefix = (service: string) => `arn:aws:${service}:${region}:${ACCOUNT}`;
  if (Type === 'AWS::Logs::LogGroup') {
    return `${prefix('logs')}:log-group:${Properties['LogGroupName']}:*`;
  }
  if (Type === 'AWS::Lambda::Function') {
    return `${prefix('lambda')}:function:${Properties['FunctionName']}`;
  }
  if (Type === 'AWS::KMS::Key') {
    const alias = Object.values(resources).find(
      (one) =>
        one.Type === 'AWS::KMS::Alias' && at(one.Properties['TargetKeyId'], 'Fn::GetAtt', 0) === id,
    );
    return `${prefix('kms')}:${String(alias?.Properties['AliasName'])}`;
  }
  throw new Error(`cannot tell the ARN of ${id}, which is ${Type}`);
}

function roleIdOf(lambda: Resource): string {
  return String(at(lambda.Properties['Role'], 'Fn::GetAtt', 0));
}

/** `*` matches any text, as in IAM. */
function matches(pattern: string, text: string): boolean {
  const escaped = pattern.split('*').map((literal) => literal.replace(/[^\w]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`).test(text);
}

/** The logical ids of a template’s roles. */
export const rolesOf = ({ resources }: RealmTemplate): readonly string[] =>
  Object.keys(resources).filter((id) => resources[id]?.Type === 'AWS::IAM::Role');
