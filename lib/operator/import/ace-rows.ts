/**
 * Tenants of atlassian-connect-express: rows `clientKey, key, val` of its store, of which those
 * whose key is `clientInfo` hold an installation as JSON. Its stores keep that row when the app is
 * uninstalled.
 */

import { unmarshall } from '@aws-sdk/util-dynamodb';
import { defined } from '../../../lambdas/domain/defined.ts';
import { installationIdOf } from '../../../lambdas/domain/tenants/importing.ts';
import { csvRows, needColumns } from '../files/csv-rows.ts';
import { jsonRows } from '../files/json-rows.ts';
import {
  checkedRow,
  factsOf,
  gathered,
  Problematic,
  type Source,
  type SourceRow,
} from './framework-rows.ts';
import { storedAtOf } from './typed-cells.ts';

/** One row of the store, of whatever origin. */
export interface AceRow {
  readonly line: number;
  readonly value: unknown;
}

/** An export: CSV with a head, a JSON array, or what DynamoDB's own scan and export write. */
export function aceRows(text: string, file: string): Source {
  if (/^\s*[[{]/.test(text.replace(/^\uFEFF/, '')))
    return aceSource(jsonRows(text, file, ['Items', 'AddonSettings']).rows);
  const table = csvRows(text, file);
  needColumns(table, file, ['clientKey', 'key', 'val']);
  return aceSource(
    table.rows.map(({ line, fields }) => ({
      line,
      value: {
        clientKey: fields['clientkey'],
        key: fields['key'],
        val: fields['val'],
        createdAt: fields['createdat'],
      },
    })),
  );
}

export const aceSource = (rows: readonly AceRow[]): Source =>
  gathered(rows, ({ line, value }) => clientInfoIn(line, plain(value)));

function clientInfoIn(line: number, fields: Readonly<Record<string, unknown>>) {
  const { clientKey, key, val, createdAt } = fields;
  if (typeof clientKey !== 'string' || typeof key !== 'string')
    throw new Problematic('it has no clientKey, or no key');
  if (key !== 'clientInfo') return undefined;
  const info = objectIn(val);
  if (info['clientKey'] !== undefined && info['clientKey'] !== clientKey)
    throw new Problematic('its val is of another clientKey');
  const { sharedSecret, key: appKey, eventType, installationId } = info;
  const id = typeof installationId === 'string' ? installationIdOf(installationId) : undefined;
  return {
    line,
    name: clientKey,
    isUninstalled: eventType === 'uninstalled',
    ...(typeof appKey === 'string' && { appKey }),
    row: checkedRow({
      installation: {
        ...factsOf({ ...info, clientKey, installationId: undefined }),
        ...defined({ installationId: id }),
      },
      ...(typeof sharedSecret === 'string' && { sharedSecret }),
      storedAt: storedAtOf(createdAt, 'createdAt'),
    }),
  } satisfies SourceRow;
}

function objectIn(val: unknown): Readonly<Record<string, unknown>> {
  const value = typeof val === 'string' ? jsonIn(val) : val;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problematic('its val is no JSON object');
  return Object.fromEntries(Object.entries(value));
}

/** `undefined` where it is none: the message of an error would quote it. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * With DynamoDB's types or without: `{"clientKey": {"S": "…"}}`, as a scan prints it, and `{"Item":
 * …}`, as an export does.
 */
function plain(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problematic('it is no object');
  const fields: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(value));
  if ('Item' in fields) return plain(fields['Item']);
  const isTyped = typeof fields['clientKey'] === 'object' && fields['clientKey'] !== null;
  if (!isTyped) return fields;
  try {
    return unmarshall(Object(fields));
  } catch {
    throw new Problematic('it is no item of DynamoDB');
  }
}
