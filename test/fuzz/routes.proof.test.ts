/**
 * Generated requests to every route: through the gateway's own translation into the endpoints,
 * without a socket, over ports in memory (only the sample app writes to the embedded DynamoDB).
 * Each run is a short history of a new tenant, so that odd requests meet migrations in every
 * status, and a failure names its request.
 */
import { createHash } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryStringHash } from '../../lambdas/adapters/tokens/qsh.ts';
import { composeWithDoors, type HookApp } from '../../lambdas/doors.ts';
import { createBuckets } from '../../lib/local/buckets.ts';
import {
  type EmbeddedDynamoDb,
  startEmbeddedDynamoDb,
} from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { functionsOf, loadFunctions } from '../../lib/local/functions/realm-functions.ts';
import { eventOf, routeOf, splitTarget } from '../../lib/local/gateway-event.ts';
import { type EmbeddedS3, startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import { createTables, tableDefinitions } from '../../lib/local/tables.ts';
import { ROUTES, type Scheme } from '../../lib/routes.ts';
import { residency } from '../../residency.config.ts';
import { manualClock } from '../support/clock.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import type { LogLine } from '../support/log.ts';
import { memoryApp, PARTS, ROWS } from '../support/memory-app.ts';
import { ACCOUNT } from '../support/policies.ts';
import { hs256, installKeyPair, keySet, rs256, unsigned } from '../support/tokens.ts';
import {
  CLOUD,
  type Claims,
  type Generated,
  generated,
  INSTALLATION,
  ITEM,
  RENEWED,
  SECRET,
} from './requests.ts';

const HISTORIES = 500;
const REQUESTS_EACH = 42;
const KID = 'micros/connect-install/install-key-1';

const { publicKey, privateKey } = installKeyPair();
const APP = residency.app.forge?.appId;
let functions: Awaited<ReturnType<typeof loadFunctions>>;
let keyServer: KeyServer;
let database: EmbeddedDynamoDb;
let objects: EmbeddedS3;
let base: HookApp;
/** The clock of the present history; it stands still while a request is answered. */
let present = manualClock();
const clock = { now: () => present.now() };

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';
  functions = await loadFunctions();
  const served = new Map([
    [`/${KID}`, publicKey],
    ['/jwks.json', keySet(publicKey, KID)],
  ]);
  keyServer = await startKeyServer((path) => {
    const body = served.get(path);
    return body === undefined ? { status: 404 } : { status: 200, body };
  });
  database = await startEmbeddedDynamoDb({ port: 0, regions: ['us-east-1'] });
  const client = new DynamoDBClient({ region: 'us-east-1', endpoint: database.url });
  await createTables(client, tableDefinitions(residency, 'fuzz', 'us'));
  client.destroy();
  objects = await startEmbeddedS3({ port: 0, regions: ['us-east-1'] });
  const buckets = new S3Client({
    region: 'us-east-1',
    endpoint: objects.url,
    forcePathStyle: true,
  });
  const where = { stage: 'fuzz', account: ACCOUNT, realm: 'us', region: 'us-east-1' };
  await createBuckets(buckets, residency, where);
  buckets.destroy();
  base = composeWithDoors(
    {
      REALM: 'us',
      STAGE: 'fuzz',
      ACCOUNT_ID: ACCOUNT,
      BASE_URLS: JSON.stringify({ us: 'https://us.app.example', de: 'https://de.app.example' }),
      INSTALL_KEYS_URL: keyServer.url,
      FORGE_JWKS_URL: `${keyServer.url}/jwks.json`,
      AWS_ENDPOINT_URL_DYNAMODB: database.url,
      AWS_ENDPOINT_URL_S3: objects.url,
    },
    { clock, residency: { ...residency, realms: ROWS } },
  );
});
afterAll(async () => {
  base.documents.destroy();
  base.objects.client().destroy();
  await database.close();
  await objects.close();
  await keyServer.close();
});

type FuzzWorld = Awaited<ReturnType<typeof freshWorld>>;

/** A new app of realm `us` with a tenant, which keeps its log lines. */
async function freshWorld() {
  present = manualClock();
  const memory = memoryApp({ clock: present, parts: PARTS });
  const own = memory.realm('us');
  const app: HookApp = { ...base, ...own, ports: memory.ports, residency: base.residency };
  await app.lifecycle.installed({
    tenant: 'tenant-1',
    credentials: { sharedSecret: SECRET, iat: Math.floor(clock.now() / 1000) - 10 },
    installation: { clientKey: 'tenant-1', baseUrl: 'https://tenant-1.example' },
    identity: { cloudId: CLOUD, product: 'jira' },
  });
  memory.fill('us', 'tenant-1', 1, ITEM);
  return { memory, functions: functionsOf(functions, 'us', app) };
}

/** Claims that fit the request, signed as the route expects. */
function tokenFor(
  { route, path, query, token, iss, odd }: Generated,
  secret: string,
): string | undefined {
  const now = Math.floor(clock.now() / 1000);
  const literal = route.path.includes('{') ? decodedOr(path) : route.path;
  const good: Claims = isForge(route.scheme)
    ? invocation(iss, now)
    : {
        iss,
        iat: now,
        exp: now + 180,
        aud: 'https://us.app.example',
        qsh: queryStringHash(route.method, literal, query),
      };
  const isByAtlassian = isSignedByAtlassian(route.scheme);
  const signed = (claims: Claims, header: Claims = {}) =>
    isByAtlassian
      ? rs256(claims, privateKey, { alg: 'RS256', kid: KID, ...header })
      : hs256(claims, secret, { alg: 'HS256', ...header });
  switch (token) {
    case 'good':
      return signed(good);
    case 'context':
      return signed({ ...good, qsh: 'context-qsh' });
    case 'none':
      return undefined;
    case 'garbage':
      return `${Buffer.from(JSON.stringify(odd)).toString('base64url')}.${iss.replace(/[^\w]/g, '')}.`;
    case 'unsigned':
      return unsigned(good);
    case 'wrong-secret':
      return isByAtlassian ? hs256(good, publicKey) : hs256(good, 'another secret');
    case 'odd-claims':
      return signed({ ...good, ...odd }, odd);
  }
}

const isForge = (scheme: Scheme): boolean => scheme.startsWith('forge-');
const isSignedByAtlassian = (scheme: Scheme): boolean =>
  scheme === 'signed-install' || isForge(scheme);

/** Names tenant-1 by its site, any other tenant by an installation of its own. */
function invocation(iss: string, now: number): Claims {
  const isFirst = iss === 'tenant-1';
  const hash = createHash('sha256').update(iss).digest('hex');
  const own = `ari:cloud:ecosystem::installation/${hash.slice(0, 8)}-1111-4111-8111-${hash.slice(0, 12)}`;
  return {
    iss: 'forge/invocation-token',
    aud: APP,
    iat: now,
    nbf: now,
    exp: now + 25,
    jti: 'one',
    app: {
      id: APP,
      installationId: isFirst ? INSTALLATION : own,
      environment: { type: 'PRODUCTION' },
      installation: { contexts: [{ name: 'jira', ...(isFirst && { cloudId: CLOUD }) }] },
    },
  };
}

/**
 * Whether the request proves its caller. Only then may its body matter. A Forge token is not bound
 * to a request.
 */
const mayBeVerified = ({ token, where, route }: Generated): boolean =>
  isForge(route.scheme) === (where === 'bearer') &&
  (token === 'good' ||
    token === 'odd-claims' ||
    (token === 'context' && (route.scheme === 'context-jwt' || isForge(route.scheme))));

function eventFor(
  request: Generated,
  token: string | undefined,
): APIGatewayProxyEventV2 | undefined {
  const { path, query, where, contentType, more, body, route } = request;
  const joined = [query, where === 'query' && token ? `jwt=${token}` : '']
    .filter(Boolean)
    .join('&');
  const scheme = where === 'bearer' ? 'Bearer' : 'JWT';
  const headers = [
    ...(token !== undefined && where !== 'query' ? [['authorization', `${scheme} ${token}`]] : []),
    ...(contentType === undefined ? [] : [['content-type', contentType]]),
    ...more,
  ];
  const message = Object.assign(new IncomingMessage(new Socket()), {
    method: route.method,
    url: `${path}${joined ? `?${joined}` : ''}`,
  });
  // The headers as a socket's parser would give them.
  const distinct = Object.groupBy(headers, ([name]) => name ?? '');
  Object.defineProperty(message, 'headersDistinct', {
    value: Object.fromEntries(
      Object.entries(distinct).map(([name, lines = []]) => [name, lines.map(([, value]) => value)]),
    ),
  });
  const routed = routeOf(ROUTES, route.method, splitTarget(message.url).path);
  return routed && eventOf(message, Buffer.from(body), routed);
}

/**
 * Sends the request and checks every output. Returns the outcome, or `undefined` where the gateway
 * has no such route.
 */
async function check(world: FuzzWorld, request: Generated): Promise<string | undefined> {
  const { route, iss, query, path, body: sent } = request;
  const record = await world.memory.tenants.read('us', iss);
  const token = tokenFor(request, record?.credentials.sharedSecret ?? SECRET);
  const event = eventFor(request, token);
  if (event === undefined) return undefined;

  const before = world.memory.log.lines.length;
  const reply: { statusCode?: unknown; body?: unknown } = Object(
    await world.functions.run(route.entry, event),
  );
  const answer = {
    status: Number(reply.statusCode),
    body: String(reply.body ?? ''),
    log: world.memory.log.lines.slice(before),
  };
  const wrong = wrongWith(request, answer, token);
  if (wrong === undefined) return `${route.method} ${route.path} ${answer.status}`;
  const asked = `${route.method} ${path}?${query} (token: ${request.token}) ${sent.slice(0, 200)}`;
  throw new Error(`${wrong}\n${asked}\n${JSON.stringify(answer)}`);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly log: readonly LogLine[];
}

function wrongWith(
  request: Generated,
  { status, body, log }: Answer,
  token: string | undefined,
): string | undefined {
  const { method, entry, scheme } = request.route;
  const logged = JSON.stringify(log);
  if (logged.includes('unexpected')) return 'an unhandled error';
  if (scheme !== 'public' && !mayBeVerified(request)) {
    const isRefused = status === 401 && body === '{"message":"Unauthorized"}';
    return isRefused || status === 413 ? undefined : 'an answer to nobody';
  }
  if (!Number.isInteger(status)) return 'an answer without a status';
  if (status >= 500 && !log.some(isFault) && !body.includes('Your data is being moved'))
    return 'a fault for bad input';
  if (body !== '') JSON.parse(body);
  const mayShowItem = method === 'GET' && entry === 'sample-app/templates';
  const signature = token?.split('.')[2] || 'no signature';
  for (const canary of [SECRET, RENEWED, ITEM, signature]) {
    if (logged.includes(canary)) return `a log line holds ${canary}`;
    if (body.includes(canary) && !(canary === ITEM && mayShowItem))
      return `the answer holds ${canary}`;
  }
  return undefined;
}

/** Faults with a sentence of ours: impossible at this moment, and not the fault of the input. */
const FAULTS = [
  'the tenant is in a move between other realms',
  'the tenant is being installed at this moment',
  'another installation of this tenant is under way',
  'cannot close its source or open its target at this moment',
  'changed while it was being rolled back',
  'the tenant is uninstalled in realm',
];
const isFault = ({ message }: { readonly message: string }): boolean =>
  message.startsWith('503: ') && FAULTS.some((fault) => message.includes(fault));

const decodedOr = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

describe('every route', () => {
  test(`answers ${HISTORIES * REQUESTS_EACH} generated requests without an accident, and gives nothing away`, async () => {
    const seen = new Map<string, number>();
    let requests = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(generated, fc.integer({ min: 0, max: 9 })), {
          minLength: REQUESTS_EACH,
          maxLength: REQUESTS_EACH,
        }),
        async (history) => {
          const world = await freshWorld();
          for (const [request, then] of history) {
            const outcome = await check(world, request);
            requests += 1;
            if (outcome !== undefined) seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
            if (then < 2) await world.memory.runAll();
          }
        },
      ),
      { numRuns: HISTORIES },
    );
    expect(requests).toBeGreaterThanOrEqual(20_000);
    // Every route has succeeded, every hook has refused, and some work has blocked other work.
    const outcomes = [...seen.keys()].join('\n');
    for (const { method, path } of ROUTES) expect(outcomes).toMatch(`${method} ${path} 20`);
    for (const hook of ['schedule', 'start', 'commit']) {
      for (const status of [400, 401, 409])
        for (const door of ['/dare-migration', '/forge/migration'])
          expect(outcomes).toMatch(`${door}/${hook} ${status}`);
    }
    expect(outcomes).toMatch('/dare-migration/schedule 413');
  });
});
