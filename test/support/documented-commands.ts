/** Reads the commands in a document as a shell and as IAM would. */
import { ACCOUNT } from './policies.ts';

/**
 * Words in quotes or without; a name after `$` is one of `values`. All other syntax of a shell is
 * left as it is.
 */
export function shellWords(
  text: string,
  values: Readonly<Record<string, string>> = {},
): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) =>
    (double ?? single ?? bare ?? '').replaceAll(
      /\$([A-Z_]+)/g,
      (whole, name) => values[name] ?? whole,
    ),
  );
}

interface Asked {
  readonly profile: string;
  readonly action: string;
  readonly resource: string;
}

type Options = Readonly<Record<string, string>>;
type Row = readonly [action: string, resource: (options: Options) => string];

const arn = (service: string, resource: string, region = 'us-east-1') =>
  `arn:aws:${service}:${region}:${ACCOUNT}:${resource}`;
const queue = ({ 'queue-url': url = '' }: Options) => arn('sqs', url.split('/').at(-1) ?? '');
const rule = ({ name = '' }: Options) => arn('events', `rule/${name}`);
const log = ({ 'log-group-name': name = '' }: Options) => arn('logs', `log-group:${name}`);
const anything = () => '*';

/** By the names in AWS's list of actions, resources and condition keys. */
const COMMANDS: Readonly<Record<string, Row>> = {
  'cloudformation update-termination-protection': [
    'cloudformation:UpdateTerminationProtection',
    ({ 'stack-name': name = '' }) => arn('cloudformation', `stack/${name}/*`),
  ],
  'cloudwatch describe-alarms': ['cloudwatch:DescribeAlarms', anything],
  'dynamodb update-table': [
    'dynamodb:UpdateTable',
    ({ 'table-name': name = '' }) => arn('dynamodb', `table/${name}`),
  ],
  'events describe-rule': ['events:DescribeRule', rule],
  'events enable-rule': ['events:EnableRule', rule],
  'lambda invoke': [
    'lambda:InvokeFunction',
    ({ 'function-name': name = '' }) => arn('lambda', `function:${name}`),
  ],
  'logs describe-query-definitions': ['logs:DescribeQueryDefinitions', anything],
  'logs filter-log-events': ['logs:FilterLogEvents', log],
  'logs get-query-results': ['logs:GetQueryResults', anything],
  'logs start-query': ['logs:StartQuery', log],
  'sqs delete-message': ['sqs:DeleteMessage', queue],
  'sqs receive-message': ['sqs:ReceiveMessage', queue],
};

/**
 * What a command of AWS's command line asks IAM for. Fails for a command that is not in the table
 * above.
 */
export function awsCommand(command: string): Asked {
  const [, service = '', verb = '', ...rest] = shellWords(command);
  const row = COMMANDS[`${service} ${verb}`];
  if (row === undefined) throw new Error(`what does aws ${service} ${verb} ask for?`);
  const options: Options = Object.fromEntries(
    rest.flatMap((word, at) =>
      word.startsWith('--') ? [[word.slice(2), rest[at + 1] ?? '']] : [],
    ),
  );
  const [action, resource] = row;
  return { profile: options['profile'] ?? '', action, resource: resource(options) };
}
