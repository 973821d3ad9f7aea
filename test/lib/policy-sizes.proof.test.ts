/**
 * The policies of the largest configuration that is likely fit into what IAM accepts; larger ones
 * are refused at synthesis.
 */
import { describe, expect, test } from 'vitest';
import type { Part } from '../../lambdas/domain/datasets/dataset.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { inline, managed } from '../../lib/policy-size.ts';
import { residency } from '../../residency.config.ts';
import { documentsOf, rolesOf, textOf } from '../support/policies.ts';
import { ofType, type RealmTemplate, templatesOf } from '../support/templates.ts';

describe('policies', () => {
  test.each([
    ['alike', large()],
    ['unlike', large(12, 'unlike')],
  ])('fit into what IAM accepts at 11 realms and 12 parts that are %s', (_, configured) => {
    for (const template of templatesOf(configured, { stage: 'staging' })) {
      for (const role of rolesOf(template)) {
        const documents = documentsOf(template, role);
        const sizes = (kind: string) =>
          documents.filter((d) => d.kind === kind).map((d) => sizeOf(template, d.document));
        expect(
          sizes('inline').reduce((sum, size) => sum + size, 0),
          role,
        ).toBeLessThan(10_240);
        expect(sizes('managed').length, role).toBeLessThanOrEqual(10);
        for (const size of sizes('managed')) expect(size, role).toBeLessThanOrEqual(6144);
      }
      const [key] = ofType(template, 'AWS::KMS::Key');
      expect(sizeOf(template, key?.Properties['KeyPolicy'])).toBeLessThan(32_768);
      expect(Object.keys(template.resources).length).toBeLessThan(500);
      expect(JSON.stringify(template.resources).length).toBeLessThan(1_000_000);
    }
  });

  test('are refused at synthesis where they do not fit', () => {
    const [realm] = residency.realms;
    if (realm === undefined) throw new Error('there is no realm');
    const many = { ...large(200, 'unlike'), realms: [realm] };
    expect(() => templatesOf(many)).toThrow(
      /^the (rights|inline policy) of .+: declare fewer parts, or shorter names$/,
    );
    const much = [{ toStatementJson: () => ({ Sid: 'x'.repeat(10_240) }) }] as never;
    expect(() => inline('operator-act', much)).toThrow(
      /^the inline policy of operator-act has 10\d{3} characters, and IAM takes 10240/,
    );
    expect(() => managed('operator-read', [much])).toThrow('do not fit into 10 managed policies');
  });
});

/** As many realms as Atlassian has, and more parts than most apps. */
function large(parts = 12, kind: 'alike' | 'unlike' = 'alike'): Residency {
  const realms = ['us', 'de', 'eu', 'au', 'sg', 'ca', 'ch', 'gb', 'in', 'jp', 'kr'];
  const more: Part[] = Array.from({ length: parts - residency.parts.length }, (_, index) => ({
    kind: 'dynamodb',
    name: `a-part-with-a-long-name-${index}`,
    policy: 'move',
    partitionKey: kind === 'alike' ? 'tenant' : `partition-key-${index}`,
    sortKey: { name: kind === 'alike' ? 'id' : `sort-key-${index}`, type: 'S' },
    ...(kind === 'unlike' && { ttlAttribute: `expires-at-${index}` }),
  }));
  return {
    ...residency,
    realms: realms.map((realm, index) => ({
      realm,
      region: residency.realms[index]?.region ?? `ap-southeast-${index}`,
    })),
    parts: [...residency.parts, ...more],
  };
}

/** As IAM counts: without white space, and with every reference resolved. */
function sizeOf(template: RealmTemplate, document: unknown): number {
  const resolved = JSON.stringify(document, (_, value: unknown) =>
    typeof value === 'object' && value !== null && ('Fn::Join' in value || 'Fn::GetAtt' in value)
      ? textOf(template, value)
      : value,
  );
  return resolved.replaceAll(/\s/g, '').length;
}
