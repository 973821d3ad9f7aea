/**
 * Reads the operators' roles from a synthesised template, and decides as IAM does, as far as they
 * need it.
 */
import { expect } from 'vitest';
import { documentsOf, textOf } from './policies.ts';
import { at, listOf, type RealmTemplate } from './templates.ts';

export type Who = 'operator-read' | 'operator-act' | 'operator-tenants';
export type Context = Readonly<Record<string, readonly string[]>>;

export interface Asked {
  readonly action: string;
  readonly resource: string;
  /** What DynamoDB tells IAM about the request. */
  readonly context?: Context;
}

export function roleId(name: string, { resources }: RealmTemplate): string {
  const found = Object.entries(resources).find(
    ([, { Type, Properties }]) => Type === 'AWS::IAM::Role' && Properties['RoleName'] === name,
  );
  if (found === undefined) throw new Error(`there is no role ${name}`);
  return found[0];
}

/** `residency-{stage}-{realm}-operator-read`, in any stage. */
function nameIn({ resources, realm }: RealmTemplate, who: Who): string {
  const names = Object.values(resources).map(({ Properties }) => String(Properties['RoleName']));
  return names.find((name) => name.endsWith(`-${realm}-${who}`)) ?? who;
}

/**
 * Decides as IAM does, as far as these roles need it: one statement must allow it, and its
 * condition must hold.
 */
export function mayRole(
  template: RealmTemplate,
  who: Who,
  { action, resource, context = {} }: Asked,
): boolean {
  const documents = documentsOf(template, roleId(nameIn(template, who), template));
  const statements = documents.flatMap(({ document }) => listOf(at(document, 'Statement')));
  return statements.some((statement) => {
    expect(at(statement, 'Effect')).toBe('Allow');
    const resources = listOf(at(statement, 'Resource')).map((value) => textOf(template, value));
    return (
      listOf(at(statement, 'Action')).includes(action) &&
      resources.some((pattern) => matches(pattern, resource)) &&
      holds(at(statement, 'Condition'), context)
    );
  });
}

/** Every action that the role may take on a resource. */
export function allowedToRole(
  template: RealmTemplate,
  who: Who,
): readonly { readonly action: string; readonly resource: string }[] {
  const documents = documentsOf(template, roleId(nameIn(template, who), template));
  return documents
    .flatMap(({ document }) => listOf(at(document, 'Statement')))
    .flatMap((statement) =>
      listOf(at(statement, 'Action')).flatMap((action) =>
        listOf(at(statement, 'Resource')).map((resource) => ({
          action: String(action),
          resource: textOf(template, resource),
        })),
      ),
    );
}

const matches = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.replace(/[^\w*]/g, '\\$&').replaceAll('*', '.*')}$`).test(text);

/** Handles every operator that is used; any other fails the test. */
function holds(condition: unknown, context: Context): boolean {
  return Object.entries(Object(condition)).every(([operator, keys]) =>
    Object.entries(Object(keys)).every(([key, value]) => {
      const wanted = listOf(value).map(String);
      const given = context[key] ?? [];
      if (operator === 'ForAllValues:StringEquals')
        return given.every((one) => wanted.includes(one)); // true where there is none
      if (operator === 'StringEquals') return given.length === 1 && wanted.includes(given[0] ?? '');
      if (operator === 'Null') return String(given.length === 0) === wanted[0];
      throw new Error(`what does ${operator} mean?`);
    }),
  );
}
