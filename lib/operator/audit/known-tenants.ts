/** Whether keys belong to tenants that a realm knows, and the form of a key without its data. */
import { type Part, partitionsOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { type Lookup, lookupsOf } from '../../../lambdas/domain/datasets/key-placement.ts';
import { makersOf } from '../../../lambdas/domain/datasets/key-template.ts';
import { keyValuesOf } from '../../../lambdas/domain/datasets/key-values.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import type { Operator } from '../operator.ts';
import type { TenantFacts } from '../tenants/tenant-reader.ts';
import { printable } from '../terminal/print.ts';

/** Asks the realm itself first, then the others, once for each tenant. */
export function knownTenants({ tenants, realms }: Operator, here: Realm) {
  const asked = new Map<string, Promise<boolean>>();
  const inOrder = [here, ...realms.filter((realm) => realm !== here)];
  function once(question: string, answer: () => Promise<boolean>): Promise<boolean> {
    const found = asked.get(question) ?? answer();
    asked.set(question, found);
    return found;
  }
  async function foundBy(realm: Realm, lookup: Lookup): Promise<readonly TenantFacts[]> {
    if (lookup.kind !== 'tenant') return tenants.find(realm, lookup);
    const facts = await tenants.read(realm, lookup.value);
    return facts === undefined ? [] : [facts];
  }
  async function hasMaker(part: Part, key: string): Promise<boolean> {
    const lookups = makersOf(part, key).flatMap((maker) => lookupsOf(part, maker));
    for (const realm of inOrder)
      for (const lookup of lookups)
        for (const facts of await foundBy(realm, lookup))
          if (partitionsOf(part, keyValuesOf(facts)).includes(key)) return true;
    return false;
  }
  async function isRecord(tenant: string): Promise<boolean> {
    for (const realm of inOrder) if ((await tenants.read(realm, tenant)) !== undefined) return true;
    return false;
  }
  return {
    /** Whether it is a tenant's name. */
    isTenant: (tenant: string) => once(`tenant ${tenant}`, () => isRecord(tenant)),
    /** Whether some tenant has this key in the part. */
    isTenants: (part: Part, key: string) => once(`key ${key}`, () => hasMaker(part, key)),
  };
}

/**
 * `TENANT#acme` → `TENANT#{tenant}`, `USER#jane@x.org` → `USER#xxxx@x.xxx`: shows the form of a key
 * without a person's data. Words in capitals stay, because programs write them so.
 */
export async function shapeOf(
  key: string,
  isTenant: (tenant: string) => Promise<boolean>,
): Promise<string> {
  const words = key.split(/([#|/:]+)/);
  const shapes = await Promise.all(
    words.map(async (word) => {
      if (word === '' || /^[#|/:]+$/.test(word) || /^[A-Z_]{2,20}$/.test(word)) return word;
      if (await isTenant(word)) return '{tenant}';
      return word.replace(/\p{L}/gu, 'x').replace(/\p{N}/gu, '9');
    }),
  );
  return printable(shapes.join(''), 60);
}
