/**
 * The whole example on this machine: two realms, the router, and the app in each realm. It begins
 * with the app alone; Enter adopts it. `node examples/ace/start.mts`, with the Node of this project.
 */
import { on, once } from 'node:events';
import { createInterface } from 'node:readline';
import { startLocalHost } from '../../lib/local/host.ts';
import { writes as writesTo } from '../../lib/local/page/counts.ts';
import { startPage } from '../../lib/local/page/server.ts';
import { DEFAULT_PORT, tcpPortsFrom } from '../../lib/local-ports.ts';
import { residencyCommand } from '../../lib/operator/program.ts';
import { startRealm } from './realms.mts';
import { aceResidency } from './residency.mts';
import { type Routes, startRouter } from './router.mts';

const PORTS = { router: 9000, us: 9001, de: 9002 };
const REALMS = ['us', 'de'] as const;

const TABLE = ['--table', 'settings-local-us', '--region', 'us-east-1'];

const residency = aceResidency(PORTS.router, PORTS);
const writes = writesTo(true);
const host = await startLocalHost({
  residency,
  // Instead of the 30 seconds for which a request may write: nobody writes here for that long.
  env: { DRAIN_SECONDS: '3', ...process.env },
  dynamoDb: { onAnswered: writes.hear },
});
const { page: port } = tcpPortsFrom(DEFAULT_PORT, residency.realms);
const page = await startPage({ host, port, writes, hearsAll: true });
const routes: Routes = {
  apps: Object.fromEntries(REALMS.map((realm) => [realm, `http://127.0.0.1:${PORTS[realm]}`])),
  stacks: {},
};
const router = await startRouter(PORTS.router, routes);
const apps = (isAdopted: boolean) =>
  Promise.all(
    REALMS.map((realm) => startRealm({ host, residency, ports: PORTS }, realm, isAdopted)),
  );
let running = await apps(false);
const stopped = async () => {
  for (const app of running) await app.stop();
};

/** The operator's command line, with the configuration of this example. */
async function command(...args: readonly string[]): Promise<void> {
  console.log(`\nresidency ${args.join(' ')}`);
  await residencyCommand([...args, '--local', String(DEFAULT_PORT)], {
    residency,
    print: console.log,
    complain: console.error,
    isInteractive: false,
    ask: async () => '',
  });
}

const lines = createInterface(process.stdin);
console.log(`The app runs alone. ${page.url} plays Atlassian: install it on a site there.
Then press Enter: its tenants are imported, and it is adopted.`);
await once(lines, 'line');
process.env['AWS_ENDPOINT_URL_DYNAMODB'] = host.dynamoDbUrl;
await command('import', '--from', 'ace', ...TABLE, '--realm', 'us', '--apply', '--yes');
Object.assign(routes.stacks, host.ownUrls);
await stopped();
running = await apps(true);
await command('audit', '--all');
console.log(`It is adopted. Schedule a move on the page. A line such as "where acme" asks the command line,
with the configuration of this example. Enter stops everything.`);
for await (const [line] of on(lines, 'line', { close: ['close'] })) {
  const words = String(line).trim().split(/\s+/);
  if (words[0] === '') break;
  await command(...words).catch((error: unknown) => console.error(String(error)));
}
lines.close();
await stopped();
await router.close();
await page.close();
await host.close();
