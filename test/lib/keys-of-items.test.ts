/** Items that are made up have different keys of the declared types, in every layout. */
import { describe, expect, test } from 'vitest';
import { partitionsOf } from '../../lambdas/domain/datasets/dataset.ts';
import { tablesOf } from '../../lambdas/domain/datasets/kinds.ts';
import { datasetOf } from '../../lib/local/story/dataset.ts';
import { ownerIn } from '../../lib/operator/audit/scanned-tables.ts';
import { smokeItems } from '../../lib/operator/smoke/smoke-items.ts';
import { LAID_OUT } from '../support/layouts.ts';

const TABLES = tablesOf(LAID_OUT.parts);
const values = {
  tenant: 'acme',
  cloudId: 'cloud-of-acme',
  installations: ['ari:cloud:ecosystem::installation/00000001-0000-4000-8000-000000000000'],
  tenantKey: '1234',
};

describe.each([
  ['the story', datasetOf(TABLES, values, 400)],
  ['a smoke test', new Map(TABLES.map((part) => [part, smokeItems(part, values, 20)]))],
])('the items of %s', (_, dataset) => {
  test.each([...dataset].map(([part, items]) => [part.name, part, items] as const))(
    'have the keys of part %s',
    (_name, part, items) => {
      const { partitionKey, sortKey } = part;
      const own = partitionsOf(part, values);
      const keys = items.map((item) => {
        expect(own).toContain(ownerIn(part, item));
        const sort = sortKey && item[sortKey.name];
        if (sortKey !== undefined) expect(Object.keys(sort ?? {})).toEqual([sortKey.type]);
        return JSON.stringify([item[partitionKey], sort], (_key, value) =>
          value instanceof Uint8Array ? [...value] : value,
        );
      });
      expect(new Set(keys).size).toBe(items.length);
      expect(items.length).toBeGreaterThanOrEqual(own.length > 1 ? 2 : 1);
    },
  );
});
