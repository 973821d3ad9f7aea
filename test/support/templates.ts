/**
 * Synthesises the stacks in this process, with a stub for the bundles, and reads their templates.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib';
import { stackRows } from '../../lambdas/domain/realm.ts';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residencyApp } from '../../lib/app.ts';

// CDK's own check of finished templates takes longer than all else; `npm run synth` makes it once.
// cdk-nag's checks run here too.
process.env['CDK_VALIDATION'] = 'false';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface RealmTemplate {
  readonly realm: string;
  readonly region: string;
  readonly resources: Readonly<Record<string, Resource>>;
}

/** What `cdk -c` gives, on top of `cdk.json`. */
export type Context = Readonly<Record<string, unknown>>;

export function appOf(residency: Residency, context: Context = {}): App {
  return residencyApp({
    residency,
    code: stubCode(),
    context: { ...contextOfCdkJson(), ...context },
  });
}

/** By configuration, and by context as text. */
const known = new WeakMap<Residency, Map<string, readonly RealmTemplate[]>>();

/**
 * The result of `synthesised`, computed once for all files that a worker runs. Tests must not
 * change it.
 */
export function templatesOf(residency: Residency, context: Context = {}): readonly RealmTemplate[] {
  const byContext = known.get(residency) ?? new Map<string, readonly RealmTemplate[]>();
  known.set(residency, byContext);
  const key = JSON.stringify(context);
  const templates = byContext.get(key) ?? synthesised(residency, appOf(residency, context));
  byContext.set(key, templates);
  return templates;
}

/** One template per stack, in the order of the configuration. */
export function synthesised(residency: Residency, app: App): readonly RealmTemplate[] {
  const assembly = app.synth();
  return stackRows(residency.realms).map(({ realm, region }) => {
    const template: unknown = assembly.getStackArtifact(`${residency.name}-${realm}`).template;
    if (!hasResources(template)) throw new Error(`the template of ${realm} has no resources`);
    return { realm, region, resources: template.Resources };
  });
}

export const ofType = ({ resources }: RealmTemplate, type: string): readonly Resource[] =>
  Object.values(resources).filter((resource) => resource.Type === type);

/** Follows names of properties, and indexes, into a value; `undefined` where there is nothing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Reflect.get(current, key);
  }
  return current;
}

export const listOf = (value: unknown): readonly unknown[] => {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
};

function stubCode(): string {
  const folder = join(mkdtempSync(join(tmpdir(), 'residency-')), 'dist');
  mkdirSync(folder);
  writeFileSync(join(folder, 'stub.mjs'), 'export const handler = async () => {};\n');
  return folder;
}

function contextOfCdkJson(): object {
  const file: unknown = JSON.parse(
    readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'),
  );
  return Object(at(file, 'context'));
}

const hasResources = (
  template: unknown,
): template is { readonly Resources: RealmTemplate['resources'] } =>
  typeof template === 'object' && template !== null && 'Resources' in template;
