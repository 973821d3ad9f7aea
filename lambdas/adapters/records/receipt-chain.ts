/** The chain of a realm's receipts in its ledger: one item for each link, in the realm's own partition. */
import { setTimeout as pause } from 'node:timers/promises';
import { paginateQuery, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { ReceiptLink } from '../../domain/moving/receipt.ts';
import type { Realm } from '../../domain/realm.ts';
import type { MigrationLedger } from '../../ports.ts';
import { type Cells, type Item, putCell, translated } from './compare-and-set.ts';
import type { LedgerTables } from './dynamodb-ledger.ts';
import { OF_REALM } from './dynamodb-settings.ts';

const PREFIX = 'link#';
/**
 * After another's link: all moves of a realm that end at once compete for the next number, and sign before each try. KMS signs
 * 300 times a second and more; 200 that try twice a second stay near that. Milliseconds.
 */
const LONGEST_PAUSE = 1_000;
/** Numbers in the order of text. */
const DIGITS = 12;

export function receiptChain({
  clientFor,
  tableOf,
}: Pick<LedgerTables, 'clientFor' | 'tableOf'>): Pick<
  MigrationLedger,
  'receiptLinks' | 'lastReceiptLink' | 'addReceiptLink'
> {
  const links = (realm: Realm): Cells<ReceiptLink> => ({
    client: clientFor(realm),
    table: tableOf(realm),
    toItem: (link) => ({ link }),
    fromItem: linkFromItem,
  });
  const query = (realm: Realm): QueryCommandInput => ({
    TableName: tableOf(realm),
    ConsistentRead: true,
    KeyConditionExpression: '#tenant = :tenant AND begins_with(#id, :prefix)',
    ExpressionAttributeNames: { '#tenant': 'tenant', '#id': 'id' },
    ExpressionAttributeValues: { ':tenant': OF_REALM, ':prefix': PREFIX },
  });

  return {
    receiptLinks: (realm) =>
      translated(tableOf(realm), async () => {
        const found: ReceiptLink[] = [];
        for await (const page of paginateQuery({ client: clientFor(realm) }, query(realm)))
          found.push(...(page.Items ?? []).map(linkFromItem));
        return found;
      }),

    lastReceiptLink: (realm) =>
      translated(tableOf(realm), async () => {
        const { Items: [item] = [] } = await clientFor(realm).send(
          new QueryCommand({ ...query(realm), ScanIndexForward: false, Limit: 1 }),
        );
        return item && linkFromItem(item);
      }),

    async addReceiptLink(realm, link) {
      const id = PREFIX + String(link.number).padStart(DIGITS, '0');
      const isAdded =
        (await putCell(links(realm), { tenant: OF_REALM, id }, link, 0)) !== undefined;
      if (!isAdded) await pause(Math.random() * LONGEST_PAUSE);
      return isAdded;
    },
  };
}

/** Written above, and by nobody else. */
const linkFromItem = (item: Item): ReceiptLink => item['link'] as ReceiptLink;
