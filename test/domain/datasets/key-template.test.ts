/** How keys are made by templates, and whose they can be. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DynamoDbPart,
  partitionsOf,
  rangesOf,
  strayRanges,
} from '../../../lambdas/domain/datasets/dataset.ts';
import { checkParts } from '../../../lambdas/domain/datasets/declaration.ts';
import { misplacement, rivalLookups } from '../../../lambdas/domain/datasets/key-placement.ts';
import { beginningOf, makersOf, unknownOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { extended, keyValuesOf } from '../../../lambdas/domain/datasets/key-values.ts';
import { withIdentity } from '../../../lambdas/domain/tenants/identity.ts';
import { tenantRecord } from '../../support/builders.ts';

const part = (declared: Partial<DynamoDbPart> = {}): DynamoDbPart => ({
  kind: 'dynamodb',
  name: 'notes',
  policy: 'move',
  partitionKey: 'pk',
  ...declared,
});
const installationOf = (digit: number) =>
  `ari:cloud:ecosystem::installation/0000000${digit}-0000-4000-8000-000000000000`;
const ACME = {
  tenant: 'Acme',
  cloudId: 'cloud-of-acme',
  installations: [installationOf(1), installationOf(2)],
  tenantKey: '17',
};

describe('a tenant’s keys', () => {
  test.each<[string, Partial<DynamoDbPart>, readonly string[]]>([
    ['a template', { key: 'TENANT#{tenant}' }, ['TENANT#Acme']],
    [
      'a list',
      { key: ['TENANT#{tenant}', 'TENANT#{tenant}#CONFIG'] },
      ['TENANT#Acme', 'TENANT#Acme#CONFIG'],
    ],
    [
      'numbered shards',
      { key: '{tenant}-{shard}', shards: { from: 1, to: 3 } },
      ['Acme-1', 'Acme-2', 'Acme-3'],
    ],
    [
      'shards of a fixed width, before the tenant',
      { key: '{shard}/{tenant}', shards: { from: 9, to: 10, digits: 3 } },
      ['009/Acme', '010/Acme'],
    ],
    ['a number of shards', { key: 'X{tenant}:{shard}', shards: 2 }, ['XAcme:00', 'XAcme:01']],
    ['lower case', { key: '$app#tenantid_{tenant}', case: 'lower' }, ['$app#tenantid_acme']],
    ['a cloud id', { key: 'SITE#{cloudId}' }, ['SITE#cloud-of-acme']],
    ['its own id, as a number', { key: '{tenantKey}', keyType: 'N' }, ['17']],
    [
      'every installation',
      { key: ['{installation}', '{installation}#CONFIG'] },
      [
        ACME.installations[0],
        `${ACME.installations[0]}#CONFIG`,
        ACME.installations[1],
        `${ACME.installations[1]}#CONFIG`,
      ] as readonly string[],
    ],
    [
      'the last word of an installation',
      { key: 'I#{installationUuid}' },
      ['I#00000001-0000-4000-8000-000000000000', 'I#00000002-0000-4000-8000-000000000000'],
    ],
  ])('are made by %s', (_, declared, keys) => {
    expect(() => checkParts([part(declared)])).not.toThrow();
    expect(partitionsOf(part(declared), ACME)).toEqual(keys);
  });

  test('keep their ranges when another installation becomes known', () => {
    const both = [part({ key: ['{installation}', 'T#{tenant}', '{installation}#CONFIG'] })];
    const before = rangesOf(both, { ...ACME, installations: [installationOf(1)] });
    const later = extended({ ...ACME, installations: [installationOf(1)] }, ACME);
    expect(rangesOf(both, later).slice(0, before.length)).toEqual(before);
    expect(rangesOf(both, extended({ tenant: 'Acme' }, ACME))[0]).toMatchObject({
      id: 'notes/00',
      partition: 'T#Acme',
    });
    expect(
      strayRanges(both, { ...ACME, installations: [installationOf(1)] }, ACME).map(({ id }) => id),
    ).toEqual(['notes/03', 'notes/04']);
  });

  test('are not made of what is not known', () => {
    const templates = part({ key: ['SITE#{cloudId}', 'T#{tenant}', 'OWN#{tenantKey}'] });
    expect(partitionsOf(templates, { tenant: 'acme' })).toEqual(['T#acme']);
    expect(unknownOf(templates, { tenant: 'acme' })).toEqual(['cloudId', 'tenantKey']);
    expect(unknownOf(templates, ACME)).toEqual([]);
  });
});

describe('a key', () => {
  test.each<[string, Partial<DynamoDbPart>, string, readonly (readonly [string, string])[]]>([
    ['of a template', { key: 'TENANT#{tenant}' }, 'TENANT#acme', [['tenant', 'acme']]],
    ['of nobody', { key: 'TENANT#{tenant}' }, 'acme', []],
    ['of an empty id', { key: 'TENANT#{tenant}' }, 'TENANT#', []],
    ['of overlapping words', { key: 'aa{tenant}aa' }, 'aaa', []],
    [
      'of two templates',
      { key: ['TENANT#{tenant}', 'TENANT#{tenant}#CONFIG'] },
      'TENANT#acme#CONFIG',
      [
        ['tenant', 'acme#CONFIG'],
        ['tenant', 'acme'],
      ],
    ],
    [
      'of a shard',
      { key: '{tenant}-{shard}', shards: { from: 1, to: 9 } },
      'acme-9',
      [['tenant', 'acme']],
    ],
    ['beyond the shards', { key: '{tenant}-{shard}', shards: { from: 1, to: 9 } }, 'acme-10', []],
    ['with capitals', { key: '{tenant}', case: 'lower' }, 'Acme', []],
    ['that is no number', { key: '{tenantKey}', keyType: 'N' }, '017', []],
    ['that is a number', { key: '{tenantKey}', keyType: 'N' }, '17', [['tenantKey', '17']]],
    ['that is no base64', { key: '{tenantKey}', keyType: 'B' }, 'YWJ=', []],
    ['that is bytes', { key: '{tenantKey}', keyType: 'B' }, 'YWI=', [['tenantKey', 'YWI=']]],
    [
      'of an installation’s last word',
      { key: 'I#{installationUuid}' },
      'I#00000001-0000-4000-8000-000000000000',
      [['installation', installationOf(1)]],
    ],
  ])('%s says by whom it can have been made', (_, declared, key, makers) => {
    expect(makersOf(part(declared), key).map(({ of, value }) => [of, value])).toEqual(makers);
  });
});

describe('a tenant cannot be placed', () => {
  const nested = part({ key: ['TENANT#{tenant}', 'TENANT#{tenant}#CONFIG'] });
  const numbered = part({ key: '{tenantKey}', keyType: 'N' });
  test.each<[string, DynamoDbPart, Parameters<typeof misplacement>[1], string]>([
    [
      'whose key is another’s',
      nested,
      { tenant: 'acme#CONFIG' },
      'its key TENANT#acme#CONFIG is also that of a tenant whose tenant is acme (part "notes")',
    ],
    [
      'whose key is that of an installation',
      part({ key: ['{tenant}', '{installation}'] }),
      { tenant: installationOf(1) },
      `is also that of a tenant whose installation is ${installationOf(1)}`,
    ],
    [
      'whose key is nobody’s',
      part({ notOfTenants: ['SETTINGS', 'VERSION#*'] }),
      { tenant: 'VERSION#1' },
      'its key VERSION#1 is declared to be no tenant’s'.replace('’', "'"),
    ],
    [
      'whose own id is no number',
      numbered,
      { tenant: 'acme', tenantKey: '007' },
      'its tenant key is no whole number of up to 38 digits',
    ],
    [
      'whose own id is no base64',
      part({ key: '{tenantKey}', keyType: 'B' }),
      { tenant: 'acme', tenantKey: 'no' },
      'no bytes in base64',
    ],
    [
      'whose key is too long',
      part({ key: `${'x'.repeat(1_650)}{tenantKey}` }),
      { tenant: 'acme', tenantKey: 'ü'.repeat(200) },
      'its key would have 2050 bytes, and DynamoDB takes 2048',
    ],
    [
      'whose own id is kept for rehearsals',
      part({ key: '{tenantKey}' }),
      { tenant: 'acme', tenantKey: '#rehearsal' },
      'is kept for rehearsals',
    ],
  ])('%s', (_, declared, values, says) => {
    expect(() => checkParts([declared])).not.toThrow();
    expect(misplacement([declared], values)).toContain(says);
  });

  test('and every other one can', () => {
    for (const tenant of [
      'acme',
      'acme#CONFIG#',
      'acme#config',
      'CONFIG',
      '#CONFIG',
      'TENANT#acme',
    ])
      expect(misplacement([nested], { tenant })).toBeUndefined();
    expect(misplacement([numbered], { tenant: 'acme', tenantKey: '7'.repeat(38) })).toBeUndefined();
  });
});

describe('who else can have a key', () => {
  test.each<[string, Partial<DynamoDbPart>, readonly unknown[]]>([
    ['nobody, of the client key', {}, []],
    ['nobody, of the client key in shards', { shards: 16 }, []],
    [
      'whoever is called alike, in lower case',
      { key: '{tenant}', case: 'lower' },
      [
        { kind: 'tenant', value: 'acme' },
        { kind: 'folded', value: 'acme' },
      ],
    ],
    ['who has the cloud id', { key: '{cloudId}' }, [{ kind: 'site', value: 'cloud-of-acme' }]],
    [
      'who has an installation',
      { key: '{installationUuid}' },
      ACME.installations.map((value) => ({ kind: 'installation', value })),
    ],
    ['who has the app’s own id', { key: '{tenantKey}' }, [{ kind: 'key', value: '17' }]],
    [
      'who is called like a key of the list',
      { key: ['T#{tenant}', 'T#{tenant}#CONFIG'] },
      [{ kind: 'tenant', value: 'Acme#CONFIG' }],
    ],
  ])('is %s', (_, declared, lookups) => {
    expect(rivalLookups(part(declared), ACME)).toEqual(lookups);
  });
});

describe('declared templates', () => {
  const words = fc.string({ unit: fc.constantFrom('A', '#', '1', '-'), maxLength: 3 });
  const template = fc
    .tuple(
      words,
      fc.constantFrom('{tenant}', '{tenantKey}'),
      words,
      fc.constantFrom('', '{shard}'),
      words,
    )
    .map((parts) => parts.join(''));
  const id = fc.string({
    unit: fc.constantFrom('A', '#', '1', '-', 'b'),
    minLength: 1,
    maxLength: 6,
  });
  const isAccepted = (declared: DynamoDbPart) => {
    try {
      checkParts([declared]);
      return true;
    } catch {
      return false;
    }
  };

  test('that are accepted never give two tenants one key, whichever tenants can be placed', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(template, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 12 }),
        id,
        id,
        (key, to, one, other) => {
          const isSharded = key.some((text) => text.includes('{shard}'));
          const declared = part({ key, ...(isSharded && { shards: { from: 0, to } }) });
          fc.pre(one !== other && !one.startsWith('#') && !other.startsWith('#'));
          fc.pre(isAccepted(declared));
          const [a, b] = [one, other].map((tenant) => ({ tenant, tenantKey: `own ${tenant}` }));
          if (a === undefined || b === undefined) throw new Error('two are compared');
          fc.pre([a, b].every((values) => misplacement([declared], values) === undefined));
          accepted += 1;
          const keys = new Set(partitionsOf(declared, a));
          expect(partitionsOf(declared, b).filter((found) => keys.has(found))).toEqual([]);
        },
      ),
      { numRuns: 3_000, seed: 7 },
    );
    expect(accepted).toBeGreaterThan(500);
  });
});

describe('a record', () => {
  test('keeps the ids of installations by which it is no longer found', () => {
    const ids = Array.from({ length: 23 }, (_, at) => ({ id: `installation-${at}`, iat: at }));
    const record = ids.reduce(
      (known, installation) => withIdentity(known, { installations: [installation] }),
      tenantRecord(),
    );
    expect(record.installations).toHaveLength(20);
    expect(record.formerInstallations).toEqual([
      'installation-0',
      'installation-1',
      'installation-2',
    ]);
    expect(keyValuesOf(record).installations).toEqual(ids.map(({ id }) => id));
    const again = withIdentity(record, { installations: [{ id: 'installation-1', iat: 99 }] });
    expect(keyValuesOf(again).installations?.toSorted()).toEqual(
      ids.map(({ id }) => id).toSorted(),
    );
  });
});

describe('keys that begin with the tenant', () => {
  const begun = part({ discover: { by: 'scan', prefix: 'T#{tenant}::', largestTableGB: 1 } });

  test('name their tenant up to the delimiter', () => {
    expect(partitionsOf(begun, ACME)).toEqual(['T#Acme::']);
    expect(beginningOf(begun, 'T#acme::PAGE::1')).toBe('T#acme::');
    expect(makersOf(begun, 'T#acme::').map(({ value }) => value)).toEqual(['acme']);
    for (const strange of ['T#acme', 'T#acme:1', 'acme::1', 't#acme::1'])
      expect(beginningOf(begun, strange)).toBe(strange);
  });

  test('are refused to a tenant whose value has the delimiter', () => {
    expect(misplacement([begun], { tenant: 'ac:me' })).toBe(
      'its client key has : in it, which ends the tenant in partition keys (part "notes")',
    );
    expect(misplacement([begun], { tenant: 'ac#me' })).toBeUndefined();
  });

  test('of one tenant are never among those of another that may have some', () => {
    const legal = fc.string({
      unit: fc.constantFrom('a', ':', '#', '1'),
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(legal, legal, legal, (one, other, rest) => {
        const isPlaced = (tenant: string) => misplacement([begun], { tenant }) === undefined;
        if (one === other || !isPlaced(one) || !isPlaced(other)) return;
        const [beginning = ''] = partitionsOf(begun, { tenant: one });
        const [another = ''] = partitionsOf(begun, { tenant: other });
        expect(`${beginning}${rest}`.startsWith(another)).toBe(false);
        expect(beginningOf(begun, `${beginning}${rest}`)).toBe(beginning);
      }),
    );
  });
});

describe('the ranges of a table that is scanned', () => {
  test('are its segments, for each value of the tenant; one that is learned later comes last', () => {
    const discover = { by: 'scan', attribute: 'owner', largestTableGB: 1.5 } as const;
    const before = rangesOf([part({ discover })], ACME);
    expect(before).toEqual(
      [0, 1].map((at) => ({
        id: `notes/0${at}`,
        part: 'notes',
        partition: 'Acme',
        partitions: ['Acme'],
        segment: { at, of: 2 },
      })),
    );
    const installed = part({ key: '{installation}', discover: { ...discover, segments: 1 } });
    const [one, two] = [{ ...ACME, installations: [installationOf(1)] }, ACME].map((values) =>
      rangesOf([installed], values).map(({ id, partition }) => [id, partition]),
    );
    expect(two?.slice(0, 1)).toEqual(one);
    expect(two?.at(-1)).toEqual(['notes/01', installationOf(2)]);
  });
});
