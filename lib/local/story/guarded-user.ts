/**
 * The user of a story where the sample app is not configured: asks what the guard would say in the
 * realm, and then reads or writes an item of a declared part, as the vendor's app would.
 */
import { DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { partitionsOf } from '../../../lambdas/domain/datasets/dataset.ts';
import { tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import { answerTo, verdictOn } from '../../../lambdas/domain/tenants/verdict.ts';
import { isOneItemEach, keyAt } from '../../keys-of-items.ts';
import type { LocalHost } from '../host.ts';
import type { Reply, Site } from '../simulated-atlassian.ts';
import type { UserRequest } from './cast.ts';
import type { StoryRealm } from './holdings.ts';

/** Above the numbers of all items that the story makes up. */
const FIRST_NUMBER = 16_000_000;

/** A path of the sample app stands for an item: each path for one of its own. */
export function guardedUser(host: LocalHost, realms: readonly StoryRealm[]): UserRequest {
  const paths: string[] = [];

  return async (site, method, path, body, baseUrl = site.home) => {
    const realm = realms.find(({ url }) => url === baseUrl);
    if (realm === undefined) throw new Error(`the story has no realm at ${baseUrl}`);
    const access = method === 'GET' ? 'read' : 'write';
    const verdict = verdictOn(await realm.recordOf(site), access, host.urls);
    const refused = answerTo(verdict);
    if (refused !== undefined)
      return replyOf(refused.status, refused.body, new Headers(refused.headers));
    if (!paths.includes(path)) paths.push(path);
    const { client, table, key, whole } = await itemOf(realm, site, paths.indexOf(path));
    const asked = { TableName: table, Key: key };
    if (method === 'GET') {
      const { Item } = await client.send(new GetItemCommand({ ...asked, ConsistentRead: true }));
      return Item === undefined ? replyOf(404) : replyOf(200, { content: Item['content']?.S });
    }
    if (method === 'DELETE') {
      await client.send(new DeleteItemCommand(asked));
      return replyOf(204);
    }
    const content = { S: String(Object(body).content) };
    await client.send(new PutItemCommand({ TableName: table, Item: { ...whole, content } }));
    return replyOf(200);
  };

  async function itemOf(realm: StoryRealm, site: Site, number: number) {
    const values = await realm.valuesOf(site);
    const parts = tablesOf(host.residency.parts);
    const own = parts.filter(
      (part) => part.policy === 'move' && partitionsOf(part, values).length > 0,
    );
    const part = own.find((one) => !isOneItemEach(one)) ?? own[0];
    if (part === undefined) throw new Error('no part that moves has keys of this tenant');
    if (number > 0 && isOneItemEach(part))
      throw new Error('no part that moves has room for another item: none has a sort key');
    const at = isOneItemEach(part) ? 0 : FIRST_NUMBER + number;
    const partitions = partitionsOf(part, values);
    const whole = keyAt(part, partitions, at, (index) => `written by a user ${index}`);
    const names = [part.partitionKey, part.sortKey?.name];
    const key = Object.fromEntries(Object.entries(whole).filter(([name]) => names.includes(name)));
    return { ...realm.tableOf(part), key, whole };
  }
}

const replyOf = (status: number, body: unknown = '', headers = new Headers()): Reply => ({
  status,
  headers,
  body,
  ms: 0,
});
