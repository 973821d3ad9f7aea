/**
 * Receipts as evidence: signed by the realm that ended the move, chained, embedded in the page, and
 * compared with the ledgers.
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKeyStore } from '../../lib/local/key-store.ts';
import type { Finding } from '../../lib/operator/audit/evidence.ts';
import { recordIn } from '../../lib/operator/receipts/receipt-page.ts';
import { residency as configured } from '../../residency.config.ts';
import { freeTcpPorts } from '../processes/host-process.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;
let residency: OperatorCommand;
let folder: string;
beforeAll(async () => {
  const port = await freeTcpPorts();
  folder = await mkdtemp(join(tmpdir(), 'receipts-'));
  world = await startWorld({ port, residency: { ...configured, outOfScope: ['search <index>'] } });
  residency = operatorCommand(port);
  for (const [id, tenant] of ['first', 'second', 'undone', 'open'].entries()) {
    const site = await world.installed(tenant);
    await world.fill(tenant, 'us', 2);
    if (tenant === 'first' || tenant === 'second') await world.moved(site, id, 'DE');
    else await world.ready(site, id);
    if (tenant === 'undone') {
      await world.hook(site, 'rollback', id);
      await world.until(site, id, ['rolled-back']);
    }
  }
});
afterAll(() => world[Symbol.asyncDispose]());

const table = (realm: string) => `residency-local-${realm}-migrations`;
const item = async (realm: string, tenant: string, id: string) =>
  (
    await world
      .documents(realm)
      .send(new GetCommand({ TableName: table(realm), Key: { tenant, id }, ConsistentRead: true }))
  ).Item;
const put = (realm: string, stored: object) =>
  world.documents(realm).send(new PutCommand({ TableName: table(realm), Item: { ...stored } }));
const remove = (realm: string, tenant: string, id: string) =>
  world.documents(realm).send(new DeleteCommand({ TableName: table(realm), Key: { tenant, id } }));
const audited = async (): Promise<readonly Finding[]> => {
  const { report } = await residency.json('audit');
  return Object(report).findings;
};
const page = async (tenant: string, id: string) => {
  const file = join(folder, `${tenant}.html`);
  const said = await residency('receipt', tenant, id, '--html', file);
  return { ...said, file, text: await readFile(file, 'utf8') };
};

describe('a receipt', () => {
  test('is signed by the realm that ended the move, and says what it is about', async () => {
    const { code, report } = await residency.json('receipt', 'first', '0');
    expect([code, report]).toMatchObject([
      0,
      {
        isFinal: true,
        record: {
          link: { realm: 'us', number: 1, previous: '' },
          signature: {
            key: 'arn:aws:kms:us-east-1:000000000000:key/residency-local-us-receipts',
            algorithm: 'ECDSA_SHA_256',
          },
          scope: {
            account: '000000000000',
            stage: 'local',
            version: expect.stringMatching(/^\d+\.\d+\.\d+/),
            dropped: ['previews'],
            outOfScope: ['search <index>'],
            tables: {
              templates: {
                source:
                  'arn:aws:dynamodb:us-east-1:000000000000:table/residency-local-us-templates',
                target:
                  'arn:aws:dynamodb:eu-central-1:000000000000:table/residency-local-de-templates',
              },
            },
          },
        },
      },
    ]);
    const history = Object(report).record.scope.history;
    expect(history.map(({ actor }: { actor: string }) => actor)).toEqual(
      expect.arrayContaining(['schedule', 'start', 'commit']),
    );
  });

  test('of the next move out of the same realm follows from it, and of a rollback from the target', async () => {
    const second = Object((await residency.json('receipt', 'second', '1')).report).record;
    expect(second.link).toMatchObject({ realm: 'us', number: 2 });
    expect(second.link.previous).toMatch(/^[0-9a-f]{64}$/);
    const undone = Object((await residency.json('receipt', 'undone', '2')).report).record;
    expect(undone.link).toMatchObject({ realm: 'de', number: 1 });
    expect(undone.signature.key).toContain('eu-central-1');
  });

  test('is a page that carries the record itself, and can be compared with key and ledgers', async () => {
    const { code, file, text } = await page('first', '0');
    expect([code, recordIn(text)]).toEqual([
      0,
      Object((await residency.json('receipt', 'first', '0')).report).record,
    ]);
    expect(text).toContain('Checked by');
    expect(text).toContain('search &lt;index&gt;');
    expect(text).not.toMatch(/DRAFT|<script/);
    const { code: verified, report } = await residency.json('receipt', '--verify', file);
    expect([verified, report]).toMatchObject([
      0,
      {
        tenant: 'first',
        migration: '0',
        signed: true,
        kept: [
          { realm: 'us', found: 'same' },
          { realm: 'de', found: 'same' },
        ],
      },
    ]);
  });

  test('that was changed on the page is found out, also where only a count is another', async () => {
    const { file, text } = await page('second', '1');
    const forged = text.replace(/&quot;items&quot;:\d+/, '&quot;items&quot;:7');
    expect(forged).not.toBe(text);
    await writeFile(file, forged);
    const { code, stdout } = await residency('receipt', '--verify', file);
    expect(code).toBe(1);
    expect(stdout).toContain('its signature is not by the key of the realm that it names');
    expect(stdout).toContain('us keeps another receipt');
    expect(stdout).toContain('✗ this is not the receipt that was issued');
  });

  test('of a move that is not over is a draft, without a line to sign', async () => {
    const { code, stdout, text } = await page('open', '3');
    expect(code).toBe(1);
    expect(stdout).toContain('✗ DRAFT, not signed off: ready-to-commit');
    expect(text).toContain('DRAFT');
    expect(text).not.toContain('Checked by');
  });

  test('is asked for with a tenant and a migration, or as a file that holds one', async () => {
    const file = join(folder, 'nothing.html');
    await writeFile(file, '<p>nothing</p>');
    const said = await Promise.all([
      residency('receipt', 'first'),
      residency('receipt', '--verify', file),
      residency('receipt', '--verify', join(folder, 'missing.html')),
    ]);
    expect(said.map(({ code }) => code)).toEqual([2, 1, 1]);
    expect(said[0]?.stderr).toContain('receipt wants a tenant and a migration, or --verify');
    expect(said[1]?.stderr).toContain('there is no record of a receipt in');
    expect(said[2]?.stderr).toContain('cannot be read: ENOENT');
  });
});

describe('an audit', () => {
  test('finds the chains whole', async () => {
    expect(await audited()).toEqual([]);
  });

  test('finds a receipt that was changed in both ledgers', async () => {
    const before = await Promise.all(
      ['us', 'de'].map((realm) => item(realm, 'first', 'receipt#0')),
    );
    for (const [at, realm] of ['us', 'de'].entries()) {
      const stored = Object(before[at]);
      const receipt = { ...stored.receipt, at: '2026-01-01T00:00:00.000Z' };
      await put(realm, { ...stored, receipt });
    }
    const found = await audited();
    for (const [at, realm] of ['us', 'de'].entries()) await put(realm, Object(before[at]));
    expect(found.map(({ kind, realm, tenant }) => [kind, realm, tenant])).toEqual(
      expect.arrayContaining([
        ['receipt-not-as-signed', 'us', 'first'],
        ['receipt-not-as-signed', 'de', 'first'],
      ]),
    );
    expect(await audited()).toEqual([]);
  });

  test('finds a receipt and a migration that were taken away', async () => {
    const names = ['receipt#0', 'status#0'];
    const before = await Promise.all(names.map((name) => item('us', 'first', name)));
    for (const name of names) await remove('us', 'first', name);
    const found = await audited();
    for (const stored of before) await put('us', Object(stored));
    expect(found).toContainEqual(
      expect.objectContaining({
        kind: 'receipt-chain-broken',
        realm: 'us',
        tenant: 'first',
        says: 'its receipt is number 1 of the chain, and is missing',
      }),
    );
  });

  test('finds a link that was taken away, and one that was exchanged', async () => {
    const first = await item('us', '#realm', 'link#000000000001');
    await remove('us', '#realm', 'link#000000000001');
    expect((await audited()).map(({ says }) => says)).toContain(
      'link 1 of the chain of receipts is missing',
    );
    await put('us', { ...Object(first), link: { ...Object(first).link, tenant: 'somebody' } });
    expect((await audited()).map(({ says }) => says)).toContain(
      'link 2 of the chain of receipts does not follow from the one before',
    );
    await put('us', Object(first));
    expect(await audited()).toEqual([]);
  });
});

describe('the keys of the local host', () => {
  test('outlive it where it has a data directory, and are asked for by alias and region', async () => {
    const aliases = [{ region: 'us-east-1', alias: 'alias/one' }];
    const options = { dataDir: folder, account: '000000000000', aliases };
    const publicKey = async (alias: string, region = 'us-east-1') => {
      await using store = new AsyncDisposableStack();
      const host = await startKeyStore(options);
      store.defer(() => host.close());
      const response = await fetch(host.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': 'TrentService.GetPublicKey',
          authorization: `AWS4-HMAC-SHA256 Credential=any/20261128/${region}/kms/aws4_request, x`,
        },
        body: JSON.stringify({ KeyId: alias }),
      });
      return [response.status, Object(await response.json()).PublicKey];
    };
    const first = await publicKey('alias/one');
    expect(first).toEqual([200, expect.stringMatching(/^MFkw/)]);
    expect(await publicKey('alias/one')).toEqual(first);
    expect((await publicKey('alias/other'))[0]).toBe(400);
    expect((await publicKey('alias/one', 'eu-west-1'))[0]).toBe(400);
  });
});
