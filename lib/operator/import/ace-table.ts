/**
 * The same rows, read from the app's own table with the caller's own credentials: no role of ours
 * may see it.
 */
import { paginateScan } from '@aws-sdk/lib-dynamodb';
import type { OperatorClients } from '../clients.ts';
import { type AceRow, aceSource } from './ace-rows.ts';
import type { Source } from './framework-rows.ts';

export async function aceTable(
  clients: Pick<OperatorClients, 'vendorDocuments'>,
  table: string,
  region: string,
): Promise<Source> {
  const rows: AceRow[] = [];
  const pages = paginateScan(
    { client: clients.vendorDocuments(region) },
    {
      TableName: table,
      ConsistentRead: true,
      FilterExpression: '#key = :installation',
      ProjectionExpression: 'clientKey, #key, val, createdAt',
      ExpressionAttributeNames: { '#key': 'key' },
      ExpressionAttributeValues: { ':installation': 'clientInfo' },
    },
  );
  for await (const { Items: items = [] } of pages)
    for (const value of items) rows.push({ line: rows.length + 1, value });
  return aceSource(rows);
}
