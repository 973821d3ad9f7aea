/**
 * A stub of AWS on one HTTP port, in the wire formats of its services: JSON with a target, REST
 * with JSON or XML, and the query protocol. Service and region stand in the credential scope of a
 * request's signature. Tables are those of the embedded DynamoDB.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { listenOn, stop } from '../../../lib/local/http.ts';
import { ACCOUNT, type Account, type Region } from './account.ts';
import { type Answer, type Asked, AwsError, jsonOf, xmlError } from './formats.ts';
import { globalAnswer } from './global-services.ts';
import { regionalAnswer } from './regional-services.ts';

export interface AwsStub extends AsyncDisposable {
  readonly url: string;
  /** Every call that was made, as IAM names it. */
  readonly calls: Set<string>;
  /** A test may change it at any time. */
  account: Account;
}

/** `dynamoDbUrl` is that of the embedded DynamoDB. */
export async function startAwsStub(account: Account, dynamoDbUrl: string): Promise<AwsStub> {
  const stub = {
    account,
    calls: new Set<string>(),
    url: '',
    [Symbol.asyncDispose]: () => stop(server),
  };

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const asked = askedIn(request, await text(request));
    const action = `${asked.service}:${asked.operation}`;
    stub.calls.add(action);
    if (stub.account.denied.has(action))
      throw new AwsError(
        'AccessDeniedException',
        403,
        `User: ${stub.account.arn} is not authorized to perform: ${action} on resource: * because no policy allows it`,
      );
    const found = globalAnswer(stub.account, asked);
    if (found !== undefined) return found;
    const region = stub.account.regions[asked.region];
    if (region === undefined || isOff(region))
      throw new AwsError('UnrecognizedClientException', 403, 'The security token is invalid.');
    return regionalAnswer(region, asked, () => fromDynamoDb(request, asked.body));
  }

  /** As it was asked, with the signature, which says the region. */
  async function fromDynamoDb({ headers }: IncomingMessage, body: string): Promise<Answer> {
    const answer = await fetch(dynamoDbUrl, {
      method: 'POST',
      headers: {
        authorization: String(headers.authorization),
        'x-amz-date': String(headers['x-amz-date']),
        'x-amz-target': String(headers['x-amz-target']),
        'content-type': 'application/x-amz-json-1.0',
      },
      body,
    });
    return { status: answer.status, type: 'application/x-amz-json-1.0', body: await answer.text() };
  }

  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const isXml = /^(iam|sts|cloudformation|route53)$/.test(scopeOf(request).service);
    const answer = await answerTo(request).catch((error: unknown): Answer => {
      if (!(error instanceof AwsError)) throw error;
      return isXml ? xmlError(error, scopeOf(request).service) : jsonOf(error.asJson, error.status);
    });
    response.writeHead(answer.status, {
      'content-type': answer.type,
      ...answer.headers,
      'x-amzn-requestid': 'stub',
    });
    response.end(answer.body);
  });
  stub.url = `http://127.0.0.1:${await listenOn(server, 0)}`;
  return stub;
}

const isOff = ({ optStatus }: Region): boolean => !optStatus.startsWith('ENABLED');

function scopeOf({ headers: { authorization = '' } }: IncomingMessage) {
  const [, region = '', service = ''] =
    /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(authorization) ?? [];
  return { region, service };
}

/** Operations that REST names by method and path. */
const PATHS: readonly (readonly [string, RegExp, string])[] = [
  ['POST', /^\/getRegionOptStatus$/, 'GetRegionOptStatus'],
  ['GET', /^\/2016-08-19\/account-settings\/?$/, 'GetAccountSettings'],
  ['GET', /^\/2015-03-31\/event-source-mappings\/?$/, 'ListEventSourceMappings'],
  ['GET', /^\/2015-03-31\/functions\/[^/]+\/configuration$/, 'GetFunctionConfiguration'],
  ['GET', /^\/2013-04-01\/hostedzone\/[^/]+$/, 'GetHostedZone'],
  ['GET', /^\/2013-04-01\/hostedzone\/[^/]+\/rrset$/, 'ListResourceRecordSets'],
  ['POST', /^\/service\/GraniteServiceVersion20100801\/operation\/(\w+)$/, '$1'],
];

/** Services that IAM calls otherwise than the signature does. */
const IAM_NAMES: Readonly<Record<string, string>> = { monitoring: 'cloudwatch' };

function askedIn(request: IncomingMessage, body: string): Asked {
  const { region, service } = scopeOf(request);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stub');
  const target = request.headers['x-amz-target'];
  const path = PATHS.find(
    ([method, pattern]) => method === request.method && pattern.test(pathname),
  );
  const byPath = path && pathname.replace(path[1], path[2]);
  const form = new URLSearchParams(body);
  const operation =
    target === undefined ? (byPath ?? form.get('Action')) : String(target).split('.').at(-1);
  if (!operation) throw new Error(`what does ${request.method} ${request.url} ask for?`);
  return {
    region,
    service: IAM_NAMES[service] ?? service,
    operation: operation.replace(/\d{8}$/, ''),
    path: decodeURIComponent(pathname),
    query: searchParams,
    form,
    body,
    account: ACCOUNT,
  };
}
