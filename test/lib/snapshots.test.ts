/**
 * The templates as they deploy, for each kind of stage, so that a review shows every change of what
 * deploys. `npx vitest run test/lib/snapshots.test.ts -u` writes them again.
 */
import { describe, expect, test } from 'vitest';
import { residency } from '../../residency.config.ts';
import { at, listOf, type Resource, templatesOf } from '../support/templates.ts';

const PATIENCE = 120_000;
/** Two realms show what a realm may do in another one. */
const twoRealms = { ...residency, realms: residency.realms.slice(0, 2) };

describe('the template of', () => {
  test.each(['dev', 'prod'])(
    'a realm of stage %s is the one that was reviewed',
    async (stage) => {
      const [template] = templatesOf(twoRealms, { stage });
      const resources = Object.entries(template?.resources ?? {});
      expect(resources.length).toBeGreaterThan(150);
      const text = resources.map(([id, resource]) => described(id, resource)).join('\n');
      await expect(text).toMatchFileSnapshot(`snapshots/${stage}.txt`);
    },
    PATIENCE,
  );
});

/** One line for each property, and for each statement of a policy, without CDK's own metadata. */
function described(id: string, { Type, Properties, ...rest }: Resource): string {
  const lines = Object.entries({ ...Properties, ...rest })
    .filter(([key]) => key !== 'Metadata')
    .flatMap(([key, value]) => [
      `  ${key}: ${compact(withoutStatements(value))}`,
      ...within(value),
    ]);
  return [`${id} (${Type})`, ...lines, ''].join('\n');
}

const within = (value: unknown): readonly string[] =>
  statementsIn(value).map((statement) => `    ${compact(statement)}`);

function statementsIn(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'Statement' ? listOf(inner) : statementsIn(inner),
  );
}

const withoutStatements = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, inner) => (key === 'Statement' ? 'below' : inner));

/** As JSON, with references as `${…}`, and without the hash of the code. */
const compact = (value: unknown): string => JSON.stringify(resolved(value));

function resolved(value: unknown, key = ''): unknown {
  if (key === 'S3Key') return 'the bundles';
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => resolved(item));
  const join = at(value, 'Fn::Join');
  if (join !== undefined) {
    return listOf(at(join, 1))
      .map((part) => resolved(part))
      .join(String(at(join, 0)));
  }
  if ('Ref' in value) return `\${${String(value.Ref)}}`;
  if ('Fn::GetAtt' in value) return `\${${listOf(value['Fn::GetAtt']).join('.')}}`;
  return Object.fromEntries(Object.entries(value).map(([k, inner]) => [k, resolved(inner, k)]));
}
