/**
 * `residency preflight` as it is typed, in this process, against a stub of AWS that a test changes.
 */
import { type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { vi } from 'vitest';
import type { Residency } from '../../lambdas/domain/residency.ts';
import { startEmbeddedDynamoDb } from '../../lib/local/dynamodb/embedded-dynamodb.ts';
import { type EmbeddedS3, startEmbeddedS3 } from '../../lib/local/s3/embedded-s3.ts';
import { createTables } from '../../lib/local/tables.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { residency as configured } from '../../residency.config.ts';
import { type Region, readyAccount } from './aws/account.ts';
import { type AwsStub, startAwsStub } from './aws/stub.ts';
import { s3ActionOf } from './operator-calls.ts';

export const REGIONS = configured.realms.map(({ region }) => region);

export interface Finding {
  readonly realm: string;
  readonly check: string;
  readonly ok: boolean;
  readonly says: string;
  readonly fix?: string;
}

export interface Preflight extends AsyncDisposable {
  readonly aws: AwsStub;
  /** Makes a table, if it is not there yet. */
  table(region: string, definition: CreateTableCommandInput): Promise<void>;
  /** S3 of a region. Its buckets stay until the end. */
  objects(region: string): S3Client;
  /** The number of the stub's account. */
  region(name: string): Region;
  /** Everything is ready again. */
  reset(): void;
  /** With `--json`: exit code, and what was found. */
  run(residency: Residency, ...args: readonly string[]): Promise<Ran>;
  /** As a person reads it. */
  read(residency: Residency, ...args: readonly string[]): Promise<Read>;
}

export interface Ran {
  readonly code: number;
  readonly checks: readonly Finding[];
  readonly wrong: readonly Finding[];
}

export interface Read {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function startPreflight(): Promise<Preflight> {
  const dynamoDb = await startEmbeddedDynamoDb({ port: 0, regions: REGIONS });
  const aws = await startAwsStub(readyAccount(REGIONS), dynamoDb.url);
  const objects: EmbeddedS3 = await startEmbeddedS3({
    port: 0,
    regions: REGIONS,
    onRequest: ({ operation }) => {
      aws.calls.add(s3ActionOf(operation));
    },
    inject: ({ operation }) =>
      aws.account.denied.has(s3ActionOf(operation)) ? { error: 'AccessDenied' } : undefined,
  });
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', undefined);
  vi.stubEnv('AWS_ENDPOINT_URL_S3', objects.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');

  async function read(residency: Residency, ...args: readonly string[]): Promise<Read> {
    const [printed, complained]: [string[], string[]] = [[], []];
    const code = await residencyCommand(['preflight', '--stage', 'prod', ...args], {
      residency,
      print: (text) => printed.push(text),
      complain: (text) => complained.push(text),
      isInteractive: false,
      ask: async () => '',
    });
    return { code, stdout: printed.join('\n'), stderr: complained.join('\n') };
  }

  return {
    aws,
    async table(region, definition) {
      const client = new DynamoDBClient({ region, endpoint: dynamoDb.url });
      await createTables(client, [definition]);
      client.destroy();
    },
    objects: (region) => new S3Client({ region }),
    region(name) {
      const found = aws.account.regions[name];
      if (found === undefined) throw new Error(`no region ${name}`);
      return found;
    },
    reset() {
      aws.account = readyAccount(REGIONS);
    },
    async run(residency, ...args) {
      const { code, stdout } = await read(residency, '--json', ...args);
      const { checks }: { readonly checks: readonly Finding[] } = JSON.parse(stdout);
      return { code, checks, wrong: checks.filter(({ ok }) => !ok) };
    },
    read,
    async [Symbol.asyncDispose]() {
      vi.unstubAllEnvs();
      await aws[Symbol.asyncDispose]();
      await dynamoDb.close();
      await objects.close();
    },
  };
}
