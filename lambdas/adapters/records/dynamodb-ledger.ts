/** The ledger in DynamoDB: six stores over the one table `migrations` of each realm. */
import type { Ledger } from '../../ports.ts';
import { dynamoDbMeasurements } from './dynamodb-measurements.ts';
import { dynamoDbMigrations } from './dynamodb-migrations.ts';
import { dynamoDbRangeRecords } from './dynamodb-range-records.ts';
import { dynamoDbReceipts } from './dynamodb-receipts.ts';
import { dynamoDbSettings } from './dynamodb-settings.ts';
import { dynamoDbSlots } from './dynamodb-slots.ts';
import type { LedgerTables } from './ledger-table.ts';

export const dynamoDbLedger = (tables: LedgerTables): Ledger => ({
  migrations: dynamoDbMigrations(tables),
  rangeRecords: dynamoDbRangeRecords(tables),
  receipts: dynamoDbReceipts(tables),
  measurements: dynamoDbMeasurements(tables),
  slots: dynamoDbSlots(tables),
  settings: dynamoDbSettings(tables),
});
