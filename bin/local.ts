/**
 * The local host on the command line: `node bin/local.ts` runs five realms, `… story` moves a
 * tenant through them.
 */
import { parseArgs } from 'node:util';
import { jsonLog } from '../lambdas/adapters/json-log.ts';
import { deployedIn } from '../lambdas/domain/deployed-realms.ts';
import { type Realm, stackRows } from '../lambdas/domain/realm.ts';
import { DataDirInUse } from '../lib/local/dynamodb/dynamodb-store.ts';
import { type LocalHost, startLocalHost } from '../lib/local/host.ts';
import { writes as writesTo } from '../lib/local/page/counts.ts';
import { startPage } from '../lib/local/page/server.ts';
import type { StoryOptions } from '../lib/local/story/cast.ts';
import { teller } from '../lib/local/story/print.ts';
import { slowKeys } from '../lib/local/story/slow-keys.ts';
import { tellStory } from '../lib/local/story/story.ts';
import { UnwritableDataDir } from '../lib/local/unwritable.ts';
import { DEFAULT_PORT, tcpPortsFrom } from '../lib/local-ports.ts';
import { residency } from '../residency.config.ts';

const USAGE = `usage: node bin/local.ts
         runs all realms, or those of REALMS=us,de (PORT, DATA_DIR, DRAIN_SECONDS, COMMIT_GRACE_SECONDS, JANITOR_SECONDS, INSTALL_KEYS_URL …)
       node bin/local.ts story [--from us] [--to de] [--items 4000] [--ahead] [--rollback] [--door connect|forge|both]
         moves a tenant, checks the result, and ends: 0 if every check holds, 1 if not, 130 if it is interrupted

npm run local is the first, npm start the second: npm start -- --rollback
--ahead copies the tenant while its source serves, and fences it only for what changed; with --rollback the move is cancelled before it begins
docs/local-host.md has the ports and the variables.`;

class UsageError extends Error {}

if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
  console.log(USAGE);
  process.exit(0);
}
try {
  const { story, help } = commandOf(process.argv.slice(2));
  if (help) console.log(USAGE);
  else process.exitCode = story ? await runStory(story) : await keepUp();
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else {
    console.error(startFailure(error));
    process.exit(1); // closes servers that were opened before
  }
}

function commandOf(args: string[]): { readonly story?: StoryOptions; readonly help?: true } {
  const { values, positionals } = parsed(args);
  const realms = deployedRealms();
  if (values.help) return { help: true };
  const [command, ...more] = positionals;
  if (more.length > 0 || (command !== undefined && command !== 'story')) {
    throw new UsageError(`unknown command: ${positionals.join(' ')}`);
  }
  if (command === undefined) {
    const [option] = Object.keys(values);
    if (option !== undefined) throw new UsageError(`--${option} belongs to story`);
    return {};
  }
  const { from = 'us', to = 'de', items = '4000', rollback = false, door = 'connect' } = values;
  const { ahead = false } = values;
  for (const realm of [from, to]) {
    if (!realms.includes(realm))
      throw new UsageError(`no realm is called "${realm}": there are ${realms.join(', ')}`);
  }
  if (door !== 'connect' && door !== 'forge' && door !== 'both')
    throw new UsageError(`--door is connect, forge or both, not "${door}"`);
  if (from === to) throw new UsageError('--from and --to are the same realm');
  if (!/^[1-9]\d{0,6}$/.test(items))
    throw new UsageError(`--items is a number from 1 to 9999999, not "${items}"`);
  return { story: { from, to, items: Number(items), rollback, ahead, door } };
}

/** Those that have a stack. */
function deployedRealms(): readonly Realm[] {
  try {
    const { realms } = deployedIn(residency, process.env['REALMS'] || undefined);
    return stackRows(realms).map(({ realm }) => realm);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        to: { type: 'string' },
        items: { type: 'string' },
        rollback: { type: 'boolean' },
        ahead: { type: 'boolean' },
        door: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // Without the advice that Node adds.
    throw new UsageError(String(error instanceof Error ? error.message : error).split('. ')[0]);
  }
}

/** The story has a host of its own: quiet, and on free ports unless `PORT` is set. */
async function runStory(options: StoryOptions): Promise<number> {
  const complaints: string[] = [];
  const log = jsonLog({}, (line) => {
    if (!line.startsWith('{"level":"info"')) complaints.push(line);
  });
  const tell = teller();
  const { INSTALL_KEYS_URL: _, FORGE_JWKS_URL: __, ...env } = process.env;
  const where = process.env.PORT ? portOf() : { ephemeral: true as const };
  const dynamoDb = options.ahead ? { dynamoDb: { inject: slowKeys(residency, options.to) } } : {};
  const host = await startLocalHost({ ...where, env, log, ...dynamoDb });
  const interruption = new AbortController();
  let interruptedAt = 0;
  /**
   * npm may send the signal a second time at once. A person sends it again where the last state
   * does not come; then the process ends.
   */
  const interrupt = () => {
    if (interruptedAt > 0 && Date.now() - interruptedAt > 1_000) process.exit(130);
    interruptedAt ||= Date.now();
    interruption.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const { holds, brokenOff } = await tellStory(host, options, tell, interruption.signal);
    if (brokenOff === 'interrupted') process.exit(130); // the interrupted host keeps no data
    if (!holds) tell.line(`\n${complaints.join('\n')}`, 'bad');
    tell.heading(holds ? 'All checks hold.' : 'NOT all checks hold.');
    return holds ? 0 : 1;
  } finally {
    await host.close();
  }
}

async function keepUp(): Promise<number> {
  const { DATA_DIR: dataDir } = process.env;
  const hearsAll = !process.env['AWS_ENDPOINT_URL_DYNAMODB'] && !process.env['AWS_ENDPOINT_URL_S3'];
  const writes = writesTo(hearsAll && !dataDir);
  const host = await startLocalHost({
    ...portOf(),
    env: process.env,
    ...(dataDir && { dataDir }),
    throttled: process.env['THROTTLES'] !== 'off',
    hostNames: (process.env['HOST_NAMES'] ?? '').toLowerCase().split(',').filter(Boolean),
    dynamoDb: { onAnswered: writes.hear },
    s3: { onAnswered: writes.hearOfObject },
  });
  const { page: pagePort } = tcpPortsFrom(portOf().port ?? DEFAULT_PORT, residency.realms);
  const page = await startPage({ host, port: pagePort, writes, hearsAll, dataDir });
  introduce(host, page.url);
  const signal = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve).once('SIGTERM', resolve);
  });
  const broken = await Promise.race([signal, host.broken]);
  if (broken) throw broken;
  console.log('stopping');
  await page.close();
  await host.close();
  return 0;
}

/** Without `PORT` the host takes its default. */
function portOf(): { readonly port?: number } {
  const { PORT } = process.env;
  if (!PORT) return {};
  const port = Number(PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_500)
    throw new UsageError(`PORT is a number from 1 to 65500, not "${PORT}"`);
  return { port };
}

function introduce(host: LocalHost, pageUrl: string): void {
  const lines = [
    ['DynamoDB', `${host.dynamoDbUrl}   (all regions; credentials: any)`],
    ...(host.s3Url ? [['S3', `${host.s3Url}   (the same)`]] : []),
    ['watch page', `${pageUrl}   (for a browser)`],
    ['Step Functions', host.stepFunctionsUrl],
    ['functions', `${host.functionsUrl}   (Lambda's Invoke, for the background functions)`],
    ...(host.atlassian
      ? [
          ['install keys', `${host.atlassian.installKeysUrl}/{kid}`],
          ['Forge keys', host.atlassian.forgeKeysUrl],
        ]
      : []),
    ...host.realms.map(({ realm, region }) => {
      const [url = '', own = url] = [host.urls[realm], host.ownUrls[realm]];
      return [
        `realm ${realm}`,
        `${url}   (${url === own ? region : `${region}; behind it ${own}`})`,
      ];
    }),
  ];
  for (const [name = '', value] of lines) console.log(`${name.padEnd(16)}${value}`);
  console.log('Up. Ctrl-C stops it.');
}

function startFailure(error: unknown): string {
  if (error instanceof DataDirInUse) return `${error.message}: DATA_DIR=… takes another one`;
  if (error instanceof UnwritableDataDir) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `port ${'port' in error ? error.port : ''} is taken: PORT=… takes others`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
