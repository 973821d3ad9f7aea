/**
 * A full disk: the host says so in one sentence and ends, and after its restart has everything that
 * was acknowledged.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tcpPortsFrom } from '../../lib/local-ports.ts';
import { residency } from '../../residency.config.ts';
import { freeTcpPorts } from './host-process.ts';

const ENTRY = fileURLToPath(new URL('../../bin/local.ts', import.meta.url));
const SENTENCE =
  /^the data directory \S+ cannot be written to \(file too large\): make room, and start the host again; everything that was acknowledged is kept$/m;
const TableName = 'residency-local-us-templates';

let dataDir: string;
let port: number;
let child: ChildProcess | undefined;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'full-disk-'));
  port = await freeTcpPorts();
});
afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  await rm(dataDir, { recursive: true });
});

/**
 * The kernel refuses files that grow beyond `limit` (of `ulimit -f`, in blocks of 512 bytes or 1
 * KB).
 */
function start(limit: number | 'unlimited') {
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DATA_DIR: dataDir, PORT: String(port), JANITOR_SECONDS: '0' };
  const script = 'ulimit -f "$1"; exec "$2" "$3"';
  const started = spawn('sh', ['-c', script, 'sh', String(limit), process.execPath, ENTRY], {
    env,
  });
  child = started;
  let said = '';
  for (const stream of [started.stdout, started.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const ended = once(started, 'close').then(([code]) => ({ code: Number(code), said }));
  const up = async () => {
    while (!said.includes('\nUp.')) {
      if (started.exitCode !== null) throw new Error(`the host did not start:\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { up, ended };
}

const client = () =>
  new DynamoDBClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'a' },
    maxAttempts: 1,
  });

const keysIn = async (dynamoDb: DynamoDBClient): Promise<readonly (string | undefined)[]> => {
  const query = new QueryCommand({
    TableName,
    ConsistentRead: true,
    ProjectionExpression: 'id',
    KeyConditionExpression: 'tenant = :tenant',
    ExpressionAttributeValues: { ':tenant': { S: 'full' } },
  });
  return ((await dynamoDb.send(query)).Items ?? []).map(({ id }) => id?.S);
};

describe('a host whose disk is full', () => {
  test('ends with one sentence, and loses no item that it acknowledged', async () => {
    const first = start(400);
    await first.up();
    const dynamoDb = client();
    const acknowledged: string[] = [];
    for (let number = 0; number < 200; number += 1) {
      const id = String(number).padStart(4, '0');
      const Item = { tenant: { S: 'full' }, id: { S: id }, body: { S: 'x'.repeat(10_000) } };
      try {
        await dynamoDb.send(new PutItemCommand({ TableName, Item }));
        acknowledged.push(id);
      } catch {
        break;
      }
    }
    const { code, said } = await first.ended;
    expect(code).toBe(1);
    expect(said).toMatch(SENTENCE);
    expect(said).not.toMatch(/^\s+at /m);
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(acknowledged.length).toBeLessThan(200);

    const second = start('unlimited');
    await second.up();
    expect(await keysIn(dynamoDb)).toEqual(expect.arrayContaining(acknowledged));
    dynamoDb.destroy();
  });

  test('ends so when an execution cannot be written down, whose line is not left torn', async () => {
    const { stepFunctions } = tcpPortsFrom(port, residency.realms);
    const states = new SFNClient({
      region: 'us-east-1',
      endpoint: `http://127.0.0.1:${stepFunctions}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'a' },
      maxAttempts: 1,
    });
    const begin = (name: string) =>
      states.send(
        new StartExecutionCommand({
          stateMachineArn:
            'arn:aws:states:us-east-1:000000000000:stateMachine:residency-local-us-realm-migration',
          name,
          input: JSON.stringify({ padding: 'x'.repeat(20_000) }),
        }),
      );
    const first = start(400);
    await first.up();
    let begun = 0;
    while (
      begun < 100 &&
      (await begin(`filler-${begun}`).then(
        () => true,
        () => false,
      ))
    )
      begun += 1;
    const { code, said } = await first.ended;
    expect(code).toBe(1);
    expect(said).toMatch(SENTENCE);
    expect(begun).toBeGreaterThan(5);
    expect(begun).toBeLessThan(100);

    const second = start('unlimited');
    await second.up();
    await expect(begin(`filler-${begun - 1}`)).rejects.toThrow('Execution Already Exists');
    expect((await begin(`filler-${begun}`)).executionArn).toContain(`filler-${begun}`);
    states.destroy();
  });

  test('does not start, and says why', async () => {
    const { code, said } = await start(0).ended;
    expect(code).toBe(1);
    expect(said).toMatch(SENTENCE);
    expect(said).not.toMatch(/^\s+at /m);
  });
});
