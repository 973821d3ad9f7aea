/** Atlassian's requests, valid and invalid. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../lambdas/domain/refusal.ts';
import {
  actionRequest,
  checkWindow,
  installRequest,
  isClientKey,
  isTenantId,
  jsonBody,
  scheduleRequest,
  startRequest,
  statusRequest,
  tooLarge,
  uninstallRequest,
} from '../../lambdas/domain/requests.ts';

const BODY = {
  startTime: '2026-12-26T00:00:00.000Z',
  endTime: '2026-12-27T00:00:00.000Z',
  location: 'DE',
  migrationId: 57500,
};
const malformed = expect.objectContaining({ name: 'Refusal', status: 400, code: 'E9999' });

describe('a schedule', () => {
  test('as Atlassian documents it', () => {
    const { migrationId: _, ...facts } = BODY;
    expect(scheduleRequest(BODY)).toEqual({ id: '57500', ...facts });
  });

  test('may do without an id, carry one as text, and carry fields of which we know nothing', () => {
    expect(scheduleRequest({ ...BODY, migrationId: undefined })).not.toHaveProperty('id');
    expect(scheduleRequest({ ...BODY, migrationId: null })).not.toHaveProperty('id');
    expect(scheduleRequest({ ...BODY, migrationId: 'a-1_b.2' }).id).toBe('a-1_b.2');
    expect(scheduleRequest({ ...BODY, future: { deep: [1] } })).toEqual(scheduleRequest(BODY));
  });

  test('has its times in one spelling', () => {
    const written = {
      ...BODY,
      startTime: '2026-12-26T01:00:00+01:00',
      endTime: '2026-12-27T00:00:00Z',
    };
    expect(scheduleRequest(written)).toEqual(scheduleRequest(BODY));
  });

  test.each<[string, unknown]>([
    ['no object', 'text'],
    ['nothing', null],
    ['a list', [BODY]],
    ['no location', { ...BODY, location: undefined }],
    ['an empty location', { ...BODY, location: '' }],
    ['a location that is a number', { ...BODY, location: 5 }],
    ['a location that is too long', { ...BODY, location: 'x'.repeat(65) }],
    ['no start', { ...BODY, startTime: undefined }],
    ['no end', { ...BODY, endTime: undefined }],
    ['a start that is no time', { ...BODY, startTime: 'tomorrow' }],
    ['a start that is a number', { ...BODY, startTime: 1_800_000_000_000 }],
    ['a start without a time of day', { ...BODY, startTime: '2026-12-26' }],
    ['a day that does not exist', { ...BODY, startTime: '2026-13-45T00:00:00Z' }],
    ['an id that is a fraction', { ...BODY, migrationId: 1.5 }],
    ['an id that is too large to be exact', { ...BODY, migrationId: 2 ** 53 }],
    ['an id that is negative', { ...BODY, migrationId: -1 }],
    ['an empty id', { ...BODY, migrationId: '' }],
    ['an id that is too long', { ...BODY, migrationId: '1'.repeat(65) }],
    ['an id that could be another key', { ...BODY, migrationId: '1#2' }],
    ['an id with a line break', { ...BODY, migrationId: '1\n2' }],
    ['an id that is an object', { ...BODY, migrationId: { id: 1 } }],
    ['an id that is true', { ...BODY, migrationId: true }],
  ])('is refused with %s', (_, body) => expect(() => scheduleRequest(body)).toThrow(malformed));
});

describe('a start', () => {
  const { migrationId: _, ...facts } = BODY;

  test('says the facts of its schedule again, with an id or without', () => {
    expect(startRequest(BODY)).toEqual({ id: '57500', facts });
    expect(startRequest(facts)).toEqual({ facts });
  });

  test.each(['location', 'startTime', 'endTime'])('is refused without %s', (name) => {
    const body = Object.fromEntries(Object.entries(BODY).filter(([each]) => each !== name));
    expect(() => startRequest(body)).toThrow(`${name} is missing`);
    expect(() => startRequest({ ...body, [name]: null })).toThrow(malformed);
  });
});

describe('a commit or rollback', () => {
  test('may carry the facts, some of them, or none', () => {
    expect(actionRequest({ migrationId: 1 })).toEqual({ id: '1' });
    expect(actionRequest({})).toEqual({});
    expect(actionRequest({ migrationId: 1, location: 'DE' })).toEqual({
      id: '1',
      facts: { location: 'DE' },
    });
    const { migrationId: _, ...facts } = BODY;
    expect(actionRequest(BODY)).toEqual({ id: '57500', facts });
  });

  test('is refused with malformed facts', () => {
    expect(() => actionRequest({ migrationId: 1, endTime: 'never' })).toThrow(malformed);
  });

  test('is parsed, or refused, whatever is sent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        try {
          actionRequest(body);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
    );
  });
});

describe('a status', () => {
  test.each<[string, string | undefined]>([
    ['migrationId=57500', '57500'],
    ['migrationId=57500&migrationId=57500', '57500'],
    ['other=1&migrationId=57500', '57500'],
    ['', undefined],
    ['migrationId=', undefined],
    ['jwt=abc', undefined],
  ])('with the query "%s"', (query, id) => expect(statusRequest(query).id).toBe(id));

  test.each(['migrationId=1&migrationId=2', 'migrationId=%23', 'migrationId=1%202'])(
    'is refused with "%s"',
    (query) => expect(() => statusRequest(query)).toThrow(malformed),
  );
});

describe('an installation', () => {
  const body = {
    key: 'app',
    clientKey: 'tenant-1',
    sharedSecret: 'secret',
    baseUrl: 'https://one.example',
    future: [1],
  };

  test('keeps every field but the secret', () => {
    const { sharedSecret, ...installation } = body;
    expect(installRequest(body)).toEqual({ clientKey: 'tenant-1', sharedSecret, installation });
  });

  test.each<[string, unknown]>([
    ['no secret', { ...body, sharedSecret: undefined }],
    ['an empty secret', { ...body, sharedSecret: '' }],
    ['a secret of more than 400 bytes', { ...body, sharedSecret: 'é'.repeat(201) }],
    ['no client key', { ...body, clientKey: undefined }],
    ['a client key that is a record of the realm', { ...body, clientKey: '#realm' }],
    ['a client key with a space', { ...body, clientKey: 'a b' }],
    ['a client key that is too long', { ...body, clientKey: 'x'.repeat(256) }],
    ['half a surrogate in its secret', { ...body, sharedSecret: 'secret\ud800' }],
    ['a host of 254 characters', { ...body, baseUrl: `https://${'h'.repeat(254)}/wiki` }],
    ['a host of 2 KB', { ...body, baseUrl: `https://${'h'.repeat(2_048)}` }],
    [
      'numbers that take more than an item has room for',
      { ...body, future: JSON.parse(`[${Array(20_000).fill('1e20').join()}]`) },
    ],
  ])('is refused with %s', (_, bad) => expect(() => installRequest(bad)).toThrow(malformed));

  test('takes a host of 253 characters, and whatever is no address at all', () => {
    for (const baseUrl of [`https://${'h'.repeat(253)}`, 'x'.repeat(3_000), 7, undefined])
      expect(installRequest({ ...body, baseUrl }).installation['baseUrl']).toBe(baseUrl);
  });

  test('takes a secret of 400 bytes', () => {
    expect(installRequest({ ...body, sharedSecret: 'x'.repeat(400) }).sharedSecret).toHaveLength(
      400,
    );
  });

  test('never shows the secret in its refusal', () => {
    expect(() => installRequest({ ...body, sharedSecret: 'top-secret'.repeat(50) })).toThrow(
      /^(?!.*top-secret)/,
    );
  });

  test('that is taken back needs no secret', () => {
    expect(uninstallRequest({ clientKey: 'tenant-1' })).toEqual({ clientKey: 'tenant-1' });
    expect(() => uninstallRequest({})).toThrow(malformed);
  });

  test('names its tenant in printable characters', () => {
    expect(['unittest-1', 'a', 'tenant-1#00', 'jira:5f'].map(isClientKey)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['', '#realm', 'ü', 'a\u0000', 5, undefined].map(isClientKey)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('a body', () => {
  test('is JSON, or nothing', () => {
    expect(jsonBody('{"a":1}')).toEqual({ a: 1 });
    expect(jsonBody('')).toEqual({});
    expect(jsonBody(' \n')).toEqual({});
    expect(() => jsonBody('{')).toThrow(malformed);
  });

  test('that is too large is refused for good', () => {
    expect(tooLarge(10)).toMatchObject({ status: 413, code: 'E9999' });
  });
});

describe('a window', () => {
  const now = Date.parse('2026-12-25T00:00:00Z');
  const window = (startTime: string, endTime: string) => () =>
    checkWindow({ location: 'DE', startTime, endTime }, now);

  test.each([
    ['that is ahead', '2026-12-26T00:00:00Z', '2026-12-26T01:00:00Z'],
    ['of exactly a day', '2026-12-26T00:00:00Z', '2026-12-27T00:00:00Z'],
    ['of a day and a third of a second', '2026-12-26T00:00:00Z', '2026-12-27T00:00:00.360Z'],
    ['of 25 hours', '2026-12-26T00:00:00Z', '2026-12-27T01:00:00Z'],
    ['that has begun', '2026-12-24T23:00:00Z', '2026-12-25T00:00:01Z'],
  ])('%s is accepted', (_, start, end) => expect(window(start, end)).not.toThrow());

  test.each([
    ['that is reversed', '2026-12-26T01:00:00Z', '2026-12-26T00:00:00Z'],
    ['that is empty', '2026-12-26T00:00:00Z', '2026-12-26T00:00:00Z'],
    ['that is over', '2026-12-24T00:00:00Z', '2026-12-25T00:00:00Z'],
  ])('%s is refused', (_, start, end) => expect(window(start, end)).toThrow(malformed));
});

test.each<[unknown, boolean]>([
  ['a client key', false],
  ['a-client-key', true],
  ['#forge-00000000-0000-4000-8000-000000000001', true],
  ['#forge-00000000-0000-4000-8000-00000000000', false],
  ['#forge-00000000-0000-4000-8000-000000000001#00', false],
  ['#rehearsal', false],
  ['#realm', false],
  ['', false],
  [7, false],
])('%j names a tenant: %s', (value, isOne) => {
  expect(isTenantId(value)).toBe(isOne);
});
