/**
 * Pure: whether a key's policy lets a role of this account use it through DynamoDB or S3, as far as
 * that can be told without AWS. A policy that names the account leaves the rest to the role's own
 * policy, which the stacks write.
 */

export interface KeyUse {
  readonly account: string;
  readonly partition: string;
  readonly region: string;
  /** Name of the role. */
  readonly role: string;
  /** What uses the key for the role. */
  readonly service: 'dynamodb' | 's3';
  /** What is known of the encryption context. */
  readonly context: Readonly<Record<string, string>>;
  readonly actions: readonly string[];
}

/** What a condition on `kms:ViaService` has to name. */
export const viaService = ({
  partition,
  region,
  service,
}: Pick<KeyUse, 'partition' | 'region' | 'service'>): string =>
  `${service}.${region}.${partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com'}`;

/** `unclear`: a condition is about something that only AWS knows. */
export type Verdict = 'allowed' | 'refused' | 'unclear';

/** `undefined` where it cannot be told. */
type Truth = boolean | undefined;

export function keyPolicyVerdict(policy: unknown, use: KeyUse): Verdict {
  const statements = listOf(fieldOf(policy, 'Statement'));
  const verdicts = use.actions.map((action) => {
    const of = (effect: string) =>
      either(
        statements
          .filter((statement) => fieldOf(statement, 'Effect') === effect)
          .map((statement) => applies(statement, action, use)),
      );
    const [allows, denies] = [of('Allow'), of('Deny')];
    if (denies === true || allows === false) return 'refused';
    return allows === true && denies === false ? 'allowed' : 'unclear';
  });
  if (verdicts.includes('refused')) return 'refused';
  return verdicts.includes('unclear') ? 'unclear' : 'allowed';
}

const applies = (statement: unknown, action: string, use: KeyUse): Truth =>
  both([isAbout(statement, action), isFor(statement, use), holds(statement, use)]);

function isAbout(statement: unknown, action: string): Truth {
  const excluded = fieldOf(statement, 'NotAction');
  if (excluded !== undefined)
    return !textsOf(excluded).some((pattern) => matches(pattern, action, 'i'));
  return textsOf(fieldOf(statement, 'Action')).some((pattern) => matches(pattern, action, 'i'));
}

function isFor(statement: unknown, { account, partition, role }: KeyUse): Truth {
  const principal = fieldOf(statement, 'Principal');
  if (principal === undefined) return undefined; // NotPrincipal
  if (principal === '*') return true;
  const named = [
    '*',
    account,
    `arn:${partition}:iam::${account}:root`,
    `arn:${partition}:iam::${account}:role/${role}`,
  ];
  return textsOf(fieldOf(principal, 'AWS')).some((one) => named.includes(one));
}

function holds(statement: unknown, use: KeyUse): Truth {
  const { account, context, partition, role } = use;
  const known = new Map<string, string>([
    ['kms:viaservice', viaService(use)],
    ['kms:calleraccount', account],
    ['aws:principalaccount', account],
    ['aws:principalarn', `arn:${partition}:iam::${account}:role/${role}`],
    ...Object.entries(context).map(
      ([key, value]) => [`kms:encryptioncontext:${key}`.toLowerCase(), value] as const,
    ),
  ]);
  const conditions = Object.entries(Object(fieldOf(statement, 'Condition')));
  return both(
    conditions.flatMap(([operator, keys]) =>
      Object.entries(Object(keys)).map(([key, wanted]) =>
        conditionHolds(operator, known.get(key.toLowerCase()), textsOf(wanted)),
      ),
    ),
  );
}

function conditionHolds(
  operator: string,
  value: string | undefined,
  wanted: readonly string[],
): Truth {
  if (value === undefined) return undefined;
  switch (operator.replace(/IfExists$/, '')) {
    case 'StringEquals':
      return wanted.includes(value);
    case 'StringNotEquals':
      return !wanted.includes(value);
    case 'StringLike':
    case 'ArnLike':
    case 'ArnEquals':
      return wanted.some((pattern) => matches(pattern, value));
    case 'StringNotLike':
    case 'ArnNotLike':
    case 'ArnNotEquals':
      return !wanted.some((pattern) => matches(pattern, value));
    default:
      return undefined;
  }
}

const both = (truths: readonly Truth[]): Truth => {
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
};
const either = (truths: readonly Truth[]): Truth => {
  if (truths.includes(true)) return true;
  return truths.includes(undefined) ? undefined : false;
};

/** By the wildcards of IAM: `*` for any text, `?` for one character. */
function matches(pattern: string, text: string, flags = ''): boolean {
  const escaped = pattern.replace(/[^\w*?]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, flags).test(text);
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

const textsOf = (value: unknown): readonly string[] => listOf(value).map(String);
