/** Atlassian's own validator accepts each manifest of the generator, and finds what is wrong. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessorBuilder, ValidationTypes } from '@forge/manifest';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { forgeManifest } from '../../descriptor/forge.ts';
import { MANIFESTS } from '../../descriptor/write.ts';
import { defineResidency, type Product } from '../../lambdas/domain/residency.ts';
import { residency } from '../../residency.config.ts';

const URLS = Object.fromEntries(
  residency.realms.map(({ realm }) => [realm, `https://${realm}.app.example`]),
);

/** All findings of Atlassian's validator on a text. */
async function findingsIn(text: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'manifest-'));
  const file = join(folder, 'manifest.yml');
  try {
    await writeFile(file, text);
    const found: string[] = [];
    for (const type of [ValidationTypes.FULL, ValidationTypes.FORGE_REMOTE_COMPUTE]) {
      const { success, errors = [] } = await ProcessorBuilder.instance()
        .withValidation(type)
        .build()
        .process(file);
      found.push(...errors.map(({ level, message }) => `${level}: ${message}`));
      if (!success && errors.length === 0) found.push('not valid');
    }
    return found;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('Atlassian’s validator', () => {
  test.each([...MANIFESTS])(
    'takes the committed %s, by its region validators too',
    async (_, textOf) => {
      expect(await findingsIn(textOf(residency))).toEqual([]);
    },
  );

  test.each<readonly [readonly Product[]]>([
    [['confluence']],
    [['jira']],
    [['jira', 'confluence']],
  ])('takes a manifest of the products %j', async (products) => {
    const configured = defineResidency({ ...residency, app: { ...residency.app, products } });
    expect(await findingsIn(stringify(forgeManifest(configured, URLS)))).toEqual([]);
  });
  const finding = (change: (manifest: ReturnType<typeof forgeManifest>) => object) =>
    findingsIn(stringify(change(forgeManifest(residency, URLS))));

  test('finds a remote that lacks a region of another', async () => {
    const other = {
      key: 'other',
      baseUrl: { default: 'https://x.example', US: 'https://x.example' },
      operations: ['storage'],
      storage: { inScopeEUD: true },
    };
    const found = await finding((manifest) => ({
      ...manifest,
      remotes: [...manifest.remotes, other],
    }));
    expect(found.join('\n')).toMatch(/other/);
  });

  test('finds hooks on a remote that does not exist, and a second module', async () => {
    const hook = { key: 'x', remote: 'nowhere', path: '/x', maxMigrationDurationHours: 1 };
    const found = (modules: object) => finding((manifest) => ({ ...manifest, modules }));
    expect(await found({ 'migration:dataResidency': [hook] })).not.toEqual([]);
    const again = { ...hook, remote: 'connect' };
    expect(await found({ 'migration:dataResidency': [again, { ...again, key: 'y' }] })).not.toEqual(
      [],
    );
  });
});
