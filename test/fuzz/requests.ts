/**
 * Requests to every route, most of them nearly valid: each is wrong in one place, and so passes the
 * other checks.
 */
import fc from 'fast-check';
import { ROUTES, type Route } from '../../lib/routes.ts';
import { manualClock } from '../support/clock.ts';

/** Marks that must never appear in an output. */
export const SECRET = 'CANARY-shared-secret';
export const RENEWED = 'CANARY-renewed-secret';
export const ITEM = 'CANARY-item-body';

/** Forge's installation of tenant-1. */
export const INSTALLATION =
  'ari:cloud:ecosystem::installation/0b5d3a4e-6a6f-4a3c-9d52-3a6f0a1b2c3d';
export const CLOUD = '11111111-1111-4111-8111-111111111111';

export type Claims = Readonly<Record<string, unknown>>;

/** One request; its fields depend on its route. */
export interface Generated {
  readonly route: Route;
  /** As it stands in the request line. */
  readonly path: string;
  readonly query: string;
  readonly token: TokenKind;
  readonly where: 'header' | 'query' | 'bearer';
  readonly iss: string;
  readonly odd: Claims;
  readonly body: string;
  readonly contentType: string | undefined;
  readonly more: readonly (readonly [name: string, value: string])[];
}

export type TokenKind =
  | 'good'
  | 'none'
  | 'garbage'
  | 'unsigned'
  | 'wrong-secret'
  | 'odd-claims'
  | 'context';

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  oneOf(
    '',
    '__proto__',
    'constructor',
    '#realm',
    'tenant-1#00',
    '\u0000',
    '\u001b[31mred',
    '\u202etxet',
    '💥'.repeat(30),
    '../../etc/passwd',
    '{"a":1}',
    'null',
    '%',
    'x'.repeat(5_000),
  ),
);
const migrationId = fc.oneof(
  { weight: 6, arbitrary: oneOf(1, 1, 1, 1, 1, 2) },
  {
    weight: 2,
    arbitrary: oneOf<unknown>(
      null,
      -1,
      0,
      1.5,
      1e21,
      true,
      [],
      {},
      '1',
      ' 1',
      '1#range',
      'a'.repeat(65),
    ),
  },
  { weight: 1, arbitrary: oddText },
);
const BEGUN = manualClock().now();
const time = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .integer({ min: -60, max: 240 })
      .map((minutes): unknown => new Date(BEGUN + minutes * 60_000).toISOString()),
  },
  {
    weight: 1,
    arbitrary: oneOf<unknown>(
      'tomorrow',
      '2026-12-25',
      '2026-13-45T99:99:99Z',
      '+275760-09-13T00:00:00.001Z',
      '2026-12-25T12:00:00+14:00',
      0,
      null,
      {},
    ),
  },
);
const location = fc.oneof(
  { weight: 6, arbitrary: oneOf<unknown>('DE', 'de', 'EU', 'US', 'CH') },
  { weight: 1, arbitrary: oneOf<unknown>('JP', '', null, 7, [], 'ＤＥ', 'D\u0000E') },
  { weight: 1, arbitrary: oddText },
);
/** The window that most requests share, so that a migration gets past its schedule. */
const agreed = {
  startTime: new Date(BEGUN).toISOString(),
  endTime: new Date(BEGUN + 5_400_000).toISOString(),
};

const hookBody = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .record({
        migrationId,
        location: oneOf('DE', 'DE', 'DE', 'DE', 'DE', 'DE', 'DE', 'EU', 'US'),
      })
      .map((some) => ({ ...agreed, ...some })),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      { migrationId, location, startTime: time, endTime: time, extra: fc.jsonValue() },
      { requiredKeys: [] },
    ),
  },
);
const installBody = fc.record(
  {
    clientKey: fc.oneof(
      { weight: 6, arbitrary: oneOf<unknown>('tenant-1', 'tenant-2') },
      { weight: 1, arbitrary: oddText },
    ),
    sharedSecret: fc.oneof(
      { weight: 6, arbitrary: fc.constant<unknown>(RENEWED) },
      { weight: 1, arbitrary: oneOf<unknown>(RENEWED.repeat(40), '', null, 7) },
    ),
    baseUrl: oddText,
    extra: fc.jsonValue(),
  },
  { requiredKeys: ['clientKey'] },
);
const eventBody = fc.record(
  {
    id: fc.oneof(
      { weight: 6, arbitrary: oneOf<unknown>(INSTALLATION.slice(-36), INSTALLATION) },
      { weight: 1, arbitrary: oddText },
    ),
    eventType: fc.oneof(
      { weight: 1, arbitrary: oneOf<unknown>('avi:forge:installed:app', null, 7) },
      { weight: 1, arbitrary: oddText },
    ),
    app: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
/** A template, and what an export asks for: some of them name the export or a template. */
const template = fc.record(
  {
    text: fc.constant(ITEM),
    more: fc.jsonValue(),
    content: oneOf('{{more}} {{values}}', '{{a}}', ''),
    id: oneOf('one', 'two', '../one'),
    template: oneOf<unknown>('one', 'none', 7),
    title: fc.jsonValue(),
    values: fc.oneof(
      fc.dictionary(oneOf('a', 'more', '__proto__'), fc.jsonValue()),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: ['text', 'more'] },
);

function bodyFor({ method, scheme, path }: Route) {
  if (method === 'GET' || method === 'DELETE') return fc.constant('');
  const wellFormed = {
    'signed-install': installBody,
    'connect-jwt': hookBody,
    'context-jwt': template,
    'forge-lifecycle': eventBody,
    'forge-hook': hookBody,
    'forge-context': template,
    public: template,
  }[scheme].map((value) => JSON.stringify(value));
  const isLarge = !path.endsWith('/exports');
  return fc.oneof(
    { weight: 12, arbitrary: wellFormed },
    { weight: 2, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
    {
      weight: 1,
      arbitrary: oneOf(
        '',
        '{',
        '[]',
        'null',
        '"text"',
        '1e999',
        '{"__proto__":{"migrationId":1}}',
        '{"migrationId":1,"migrationId":2}',
        `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
        `{"a":"${'x'.repeat(isLarge ? 270_000 : 10)}"}`,
        '\ufeff{}',
      ),
    },
  );
}

function queryFor({ path }: Route) {
  const id = migrationId.map((value) => `migrationId=${encodeURIComponent(String(value))}`);
  return fc.oneof(
    { weight: path.endsWith('status') ? 6 : 0, arbitrary: id },
    { weight: 6, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.webQueryParameters() },
    {
      weight: 1,
      arbitrary: oneOf(
        'migrationId=1&migrationId=2',
        'migrationId',
        '%',
        '%ZZ',
        '&&=&',
        'a=%F0%9F',
        'jwt=',
      ),
    },
  );
}

/** Printable, as a request line requires, and encoded in unusual ways. */
function pathFor({ path }: Route) {
  if (!path.includes('{id}')) return fc.constant(path);
  const id = fc.oneof(
    { weight: 4, arbitrary: oneOf('one', 'two') },
    {
      weight: 1,
      arbitrary: oneOf(
        '%00',
        '..',
        '%2e%2e',
        '%2F',
        'a%20b',
        '%F0%9F%92%A5',
        'a'.repeat(300),
        '__proto__',
      ),
    },
    { weight: 1, arbitrary: oddText.map((text) => encodeURIComponent(text.toWellFormed()) || 'x') },
  );
  return id.map((value) => path.replace('{id}', value));
}

const tokenKind: fc.Arbitrary<TokenKind> = fc.oneof(
  { weight: 10, arbitrary: fc.constant('good' as const) },
  {
    weight: 4,
    arbitrary: oneOf<TokenKind>(
      'none',
      'garbage',
      'unsigned',
      'wrong-secret',
      'odd-claims',
      'context',
    ),
  },
);

const oddClaims: fc.Arbitrary<Claims> = fc
  .tuple(
    oneOf('iss', 'iat', 'exp', 'nbf', 'qsh', 'aud', 'alg', 'kid', 'jti', 'app', 'context'),
    fc.oneof(
      oneOf<unknown>(null, 0, -1, 1e308, 9e15, '1', true, [], {}, ''),
      oddText,
      fc.jsonValue(),
    ),
  )
  .map(([name, value]) => ({ [name]: value }));

/** Only hooks have a history. */
const anyRoute = fc.oneof(
  ...ROUTES.map((one) => ({
    weight: weightOf(one),
    arbitrary: fc.constant(one),
  })),
);

function weightOf({ scheme, path }: Route): number {
  if (path.endsWith('/uninstalled')) return 1;
  if (path.endsWith('/rollback')) return 3;
  return scheme === 'connect-jwt' || scheme === 'forge-hook' ? 9 : 3;
}

export const generated: fc.Arbitrary<Generated> = anyRoute.chain((route) =>
  fc.record({
    route: fc.constant(route),
    path: pathFor(route),
    query: queryFor(route),
    token: tokenKind,
    where: fc.oneof(
      {
        weight: 8,
        arbitrary: oneOf<Generated['where']>(
          route.scheme.startsWith('forge-') ? 'bearer' : 'header',
        ),
      },
      { weight: 1, arbitrary: oneOf<Generated['where']>('query', 'bearer', 'header') },
    ),
    iss: fc.oneof(
      { weight: 8, arbitrary: oneOf('tenant-1', 'tenant-1', 'tenant-1', 'tenant-2') },
      { weight: 1, arbitrary: oddText },
    ),
    odd: oddClaims,
    body: bodyFor(route),
    contentType: oneOf(
      'application/json',
      'application/json',
      undefined,
      'text/plain',
      'application/octet-stream',
      'x;y=\u00e9',
    ),
    more: fc.array(
      fc.tuple(
        oneOf('cookie', 'x-forwarded-for', 'content-length', 'x-odd', 'accept'),
        fc.string({ maxLength: 20 }),
      ),
      { maxLength: 2 },
    ),
  }),
);
