/** The contract of every store of tenants. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../lambdas/domain/refusal.ts';
import type { TenantRecord } from '../../lambdas/domain/tenants/tenant.ts';
import type { TenantStore } from '../../lambdas/ports.ts';
import { tenantRecord } from '../support/builders.ts';

export interface TenantStoreHost {
  readonly tenants: TenantStore;
  /** Makes the store unreachable, or reachable again. */
  setReachable(isReachable: boolean): void;
  /** Called once, before the next write is checked. */
  beforeNextWrite(act: () => Promise<void>): void;
  close(): Promise<void>;
}

/** Every field that a record can have. */
const COMPLETE: Required<TenantRecord> = {
  tenant: 'complete',
  state: 'moved',
  credentials: { sharedSecret: 'sécret', iat: 1_700_000_000, tokens: ['earlier', 'last'] },
  installation: { clientKey: 'complete', future: { deep: [1, 'two', null, true] }, empty: '' },
  clientKey: 'another-text',
  adoptions: [
    { verb: 'adopt', installation: 'one', actor: 'operator ada', at: '2026-12-26T00:00:00.000Z' },
  ],
  installations: [
    { id: 'ari:cloud:ecosystem::installation/1', iat: 1 },
    { id: 'ari:cloud:ecosystem::installation/2', iat: 2 },
  ],
  formerInstallations: ['ari:cloud:ecosystem::installation/0'],
  cloudId: 'cloud-complete',
  tenantKey: 'own id 7',
  product: 'confluence',
  migration: '57500',
  ledger: 'us',
  arrivedBy: '57400',
  released: ['57300', '57500'],
  fencedAt: 1_800_000_000_123,
  movedTo: 'de',
  wasOpen: true,
  unclean: true,
  uninstalledIat: 1_700_000_001,
  purgeDueAt: 1_700_000_002,
  purge: { owner: 'invocation-1', until: 1_800_000_000_124, begunAt: '2026-12-25T12:00:00.000Z' },
  keep: true,
  openingIat: 1_700_000_003,
  expiresAt: 1_700_000_004,
};

export function tenantStoreContract(name: string, start: () => Promise<TenantStoreHost>): void {
  describe(`a store of tenants (${name})`, () => {
    let host: TenantStoreHost | undefined;
    let tenant = '';
    let count = 0;
    const the = () => {
      if (host === undefined) throw new Error('the host has not been started yet');
      return host;
    };
    const read = () => the().tenants.read('us', tenant);
    const put = (rest: Partial<TenantRecord> = {}) =>
      the().tenants.change('us', tenant, () => tenantRecord({ tenant, ...rest }));
    /** Adds a mark to those that are there. */
    const mark = (text: string) => (current: TenantRecord | undefined) => ({
      ...(current ?? tenantRecord({ tenant })),
      released: [...(current?.released ?? []), text],
    });

    beforeAll(async () => {
      host = await start();
    });
    afterAll(async () => host?.close());
    beforeEach(() => {
      count += 1;
      tenant = `tenant-${count}`;
    });

    test('finds nothing where nothing was put', async () => {
      expect(await read()).toBeUndefined();
    });

    test('keeps every field as it is', async () => {
      await the().tenants.change('us', COMPLETE.tenant, () => COMPLETE);
      expect(await the().tenants.read('us', COMPLETE.tenant)).toEqual(COMPLETE);
    });

    test('keeps the realms apart, and the tenants', async () => {
      await put();
      expect(await the().tenants.read('de', tenant)).toBeUndefined();
      expect(await the().tenants.read('us', `${tenant}0`)).toBeUndefined();
      expect(await the().tenants.read('us', `${tenant}#00`)).toBeUndefined();
    });

    test('says whether it has written, and what now stands', async () => {
      const record = tenantRecord({ tenant });
      expect(await put()).toEqual({ changed: true, record });
      expect(await the().tenants.change('us', tenant, () => undefined)).toEqual({
        changed: false,
        record,
      });
      expect(await the().tenants.change('us', tenant, () => 'remove')).toEqual({
        changed: true,
        record: undefined,
      });
      expect(await read()).toBeUndefined();
      expect(await the().tenants.change('us', tenant, () => undefined)).toEqual({
        changed: false,
        record: undefined,
      });
    });

    test('puts a whole record: what the next one does not have is gone', async () => {
      await put({ released: ['1'], fencedAt: 5 });
      await put();
      expect(await read()).toEqual(tenantRecord({ tenant }));
    });

    test('can be given again what was removed', async () => {
      await put();
      await the().tenants.change('us', tenant, () => 'remove');
      await put({ state: 'standby' });
      expect(await read()).toMatchObject({ state: 'standby' });
    });

    test('is not changed through what it has handed out, nor through what it was given', async () => {
      const given = { ...tenantRecord({ tenant }), released: ['1'] };
      await the().tenants.change('us', tenant, () => given);
      attempt(() => given.released.push('2'));
      const handedOut: { released?: unknown } = { ...(await read()) };
      attempt(() => Array.isArray(handedOut.released) && handedOut.released.push('3'));
      expect((await read())?.released).toEqual(['1']);
    });

    test('loses none of several changes at once, each of which sees those before it', async () => {
      await put();
      const marks = ['a', 'b', 'c', 'd', 'e', 'f'];
      const changes = await Promise.all(
        marks.map((text) => the().tenants.change('us', tenant, mark(text))),
      );
      expect(changes.every(({ changed }) => changed)).toBe(true);
      expect([...((await read())?.released ?? [])].sort()).toEqual(marks);
    });

    test('lets one of several put a record where there was none, and shows it to the others', async () => {
      const changes = await Promise.all(
        ['a', 'b', 'c'].map((text) =>
          the().tenants.change('us', tenant, (current) =>
            current ? undefined : mark(text)(undefined),
          ),
        ),
      );
      expect(changes.filter(({ changed }) => changed)).toHaveLength(1);
      const stands = await read();
      for (const { record } of changes) expect(record).toEqual(stands);
    });

    test('decides again when another writer wrote between its read and its write', async () => {
      await put();
      const seen: unknown[] = [];
      the().beforeNextWrite(async () => {
        await the().tenants.change('us', tenant, mark('in between'));
      });
      const { record } = await the().tenants.change('us', tenant, (current) => {
        seen.push(current?.released);
        return mark('mine')(current);
      });
      expect(seen).toEqual([undefined, ['in between']]);
      expect(record?.released).toEqual(['in between', 'mine']);
    });

    test('decides again when the record was removed in between, and when it was to be removed and changed', async () => {
      await put();
      the().beforeNextWrite(async () => {
        await the().tenants.change('us', tenant, () => 'remove');
      });
      await the().tenants.change('us', tenant, mark('mine'));
      expect((await read())?.released).toEqual(['mine']);
      the().beforeNextWrite(async () => {
        await the().tenants.change('us', tenant, mark('in between'));
      });
      const { changed } = await the().tenants.change('us', tenant, (current) =>
        current?.released?.includes('in between') ? undefined : 'remove',
      );
      expect(changed).toBe(false);
      expect((await read())?.released).toEqual(['mine', 'in between']);
    });

    test('decides again when the record was removed and another put in its place in between', async () => {
      await put({ state: 'standby', migration: 'first' });
      the().beforeNextWrite(async () => {
        await the().tenants.change('us', tenant, () => 'remove');
        await put({ state: 'standby', migration: 'second' });
      });
      await the().tenants.change('us', tenant, (current) => current && { ...current, fencedAt: 1 });
      expect(await read()).toMatchObject({ migration: 'second', fencedAt: 1 });
    });

    test('gives up with a fault when another writer always wrote in between', async () => {
      await put();
      const disturb = async (): Promise<void> => {
        await the().tenants.change('us', tenant, mark('in between'));
        the().beforeNextWrite(disturb);
      };
      the().beforeNextWrite(disturb);
      await expect(the().tenants.change('us', tenant, mark('mine'))).rejects.toThrow(Fault);
      the().beforeNextWrite(async () => {});
      expect((await read())?.released).not.toContain('mine');
    });

    describe('by a name', () => {
      const INSTALLATION = 'ari:cloud:ecosystem::installation/';
      const byInstallation = (id: string, realm = 'us') =>
        the().tenants.find(realm, {
          kind: 'installation',
          value: `${INSTALLATION}${tenant}-${id}`,
        });
      const bySite = (site: string) => the().tenants.find('us', { kind: 'site', value: site });
      const installed = (...ids: string[]) =>
        ids.map((id, at) => ({ id: `${INSTALLATION}${tenant}-${id}`, iat: at + 1 }));

      test('finds no tenant where none has it', async () => {
        expect(await byInstallation('a')).toEqual([]);
      });

      test('finds a tenant by each of its installations, its client key and its site, in its own realm', async () => {
        const cloudId = `cloud-of-${tenant}`;
        await put({ installations: installed('a', 'b'), clientKey: `key-${tenant}`, cloudId });
        const record = await read();
        expect(await byInstallation('a')).toEqual([record]);
        expect(await byInstallation('b')).toEqual([record]);
        expect(await bySite(cloudId)).toEqual([record]);
        const client = { kind: 'client', value: `key-${tenant}` } as const;
        expect(await the().tenants.find('us', client)).toEqual([record]);
        expect(await byInstallation('a', 'de')).toEqual([]);
      });

      test('tells one kind of name from another', async () => {
        await put({ cloudId: `one-${tenant}` });
        const asClient = { kind: 'client', value: `one-${tenant}` } as const;
        expect(await the().tenants.find('us', asClient)).toEqual([]);
      });

      test('finds a tenant without a cloud id by its host name, and by a cloud id that only the installation has', async () => {
        await put({ installation: { baseUrl: `https://${tenant}.example/wiki` } });
        expect(await bySite(`${tenant}.example`)).toHaveLength(1);
        const cloudId = `11111111-1111-4111-8111-${tenant.padStart(12, '0')}`;
        await put({ installation: { baseUrl: `https://${tenant}.example/wiki`, cloudId } });
        expect(await bySite(cloudId)).toHaveLength(1);
        expect(await bySite(`${tenant}.example`)).toEqual([]);
      });

      test('finds every tenant of a site, and again the other one when one is removed', async () => {
        const cloudId = `shared-${tenant}`;
        await put({ cloudId, product: 'jira' });
        const other = `${tenant}-other`;
        await the().tenants.change('us', other, () => tenantRecord({ tenant: other, cloudId }));
        expect((await bySite(cloudId)).map((found) => found.tenant).sort()).toEqual([
          tenant,
          other,
        ]);
        await the().tenants.change('us', tenant, () => 'remove');
        expect((await bySite(cloudId)).map((found) => found.tenant)).toEqual([other]);
        await the().tenants.change('us', other, () => 'remove');
        expect(await bySite(cloudId)).toEqual([]);
      });

      test('no longer finds by a name that the record has lost, and finds by the one that it was given', async () => {
        await put({ installations: installed('a') });
        await put({ installations: installed('b') });
        expect(await byInstallation('a')).toEqual([]);
        expect(await byInstallation('b')).toHaveLength(1);
      });

      test('finds a stub, and a record that was removed and put anew', async () => {
        await put({ installations: installed('a'), state: 'moved', expiresAt: 9_999_999_999 });
        expect(await byInstallation('a')).toMatchObject([{ state: 'moved' }]);
        await the().tenants.change('us', tenant, () => 'remove');
        await put({ installations: installed('a') });
        expect(await byInstallation('a')).toMatchObject([{ state: 'active' }]);
      });

      test('still finds a record that was to be removed, and was kept because another writer wrote in between', async () => {
        await put({ installations: installed('a') });
        the().beforeNextWrite(async () => {
          await the().tenants.change('us', tenant, mark('in between'));
        });
        await the().tenants.change('us', tenant, (current) =>
          current?.released ? undefined : 'remove',
        );
        expect(await byInstallation('a')).toMatchObject([{ released: ['in between'] }]);
      });

      test('is found by all of several names that were given at once', async () => {
        await put();
        const ids = ['a', 'b', 'c'];
        await Promise.all(
          ids.map((id) =>
            the().tenants.change('us', tenant, (current) => ({
              ...(current ?? tenantRecord({ tenant })),
              installations: [...(current?.installations ?? []), ...installed(id)],
            })),
          ),
        );
        for (const id of ids) expect(await byInstallation(id)).toHaveLength(1);
      });
    });

    describe('knows who is due to be purged', () => {
      const due = (now: number) => the().tenants.due('us', now * 1000);
      const retired = (rest: Partial<TenantRecord>) =>
        put({ state: 'retired', uninstalledIat: 1, purgeDueAt: 2_000, ...rest });

      test('from the second on, in this realm', async () => {
        await retired({});
        expect(await due(1_999)).not.toContain(tenant);
        expect(await due(2_000)).toContain(tenant);
        expect(await the().tenants.due('de', 9_000_000)).not.toContain(tenant);
      });

      test('and who is being purged, until the record is gone', async () => {
        await retired({ state: 'purging', purge: { owner: 'x', until: 1, begunAt: 'then' } });
        expect(await due(2_000)).toContain(tenant);
        await the().tenants.change('us', tenant, () => 'remove');
        expect(await due(2_000)).not.toContain(tenant);
      });

      test('and who is being installed again, because that may never end', async () => {
        await retired({});
        await retired({ state: 'opening', openingIat: 3 });
        expect(await due(1_999)).not.toContain(tenant);
        expect(await due(2_000)).toContain(tenant);
      });

      test.each<[string, Partial<TenantRecord>]>([
        ['kept', { keep: true }],
        ['installed again', { state: 'active' }],
        ['the target of a move', { state: 'standby' }],
      ])('but not who is %s', async (_, rest) => {
        await retired({});
        await retired(rest);
        expect(await due(9_000_000)).not.toContain(tenant);
      });
    });

    test('throws a fault when it cannot be reached', async () => {
      the().setReachable(false);
      await expect(read()).rejects.toThrow(Fault);
      await expect(put()).rejects.toThrow(Fault);
      await expect(the().tenants.due('us', 1)).rejects.toThrow(Fault);
      the().setReachable(true);
      expect(await read()).toBeUndefined();
    });
  });
}

/** A store may freeze its records. */
function attempt(change: () => void): void {
  try {
    change();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
  }
}
