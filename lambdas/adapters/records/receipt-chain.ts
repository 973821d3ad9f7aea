/**
 * The chain of a realm's receipts in its ledger: one item for each link, in the realm's own
 * partition.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { ReceiptLink } from '../../domain/moving/receipt.ts';
import type { Realm } from '../../domain/realm.ts';
import type { ReceiptStore } from '../../ports.ts';
import { type Item, putCell, translated } from './compare-and-set.ts';
import { byPrefix, cellsOf, type LedgerTables, OF_REALM, queryCells } from './ledger-table.ts';

const PREFIX = 'link#';
/**
 * Pause, in milliseconds, after a try that met another's link: all moves of a realm that end at
 * once compete for the next number, and sign before each try. KMS signs 300 times a second or more;
 * 200 moves that try twice a second stay near that.
 */
const LONGEST_PAUSE = 1_000;
/** Padded, so that numbers sort as text. */
const DIGITS = 12;

export function receiptChain(
  tables: LedgerTables,
): Pick<ReceiptStore, 'links' | 'lastLink' | 'addLink'> {
  const { clientFor, tableOf } = tables;
  const links = cellsOf<ReceiptLink>(tables, (link) => ({ link }), linkFromItem);
  const query = (realm: Realm) => byPrefix(tableOf(realm), OF_REALM, PREFIX);

  return {
    links: (realm) => queryCells(links(realm), query(realm)),

    lastLink: (realm) =>
      translated(tableOf(realm), async () => {
        const { Items: [item] = [] } = await clientFor(realm).send(
          new QueryCommand({ ...query(realm), ScanIndexForward: false, Limit: 1 }),
        );
        return item && linkFromItem(item);
      }),

    async addLink(realm, link) {
      const id = PREFIX + String(link.number).padStart(DIGITS, '0');
      const isAdded =
        (await putCell(links(realm), { tenant: OF_REALM, id }, link, 0)) !== undefined;
      if (!isAdded) await pause(Math.random() * LONGEST_PAUSE);
      return isAdded;
    },
  };
}

/** Only the code above writes these items. */
const linkFromItem = (item: Item): ReceiptLink => item['link'] as ReceiptLink;
