/**
 * What people wait for: the answers to hooks and to an operator's verbs on the local host, and a
 * newcomer's first move.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type Reply,
  type SimulatedAtlassian,
  type Site,
  startSimulatedAtlassian,
} from '../../lib/local/simulated-atlassian.ts';
import { tcpPortsFrom } from '../../lib/local-ports.ts';
import { residency } from '../../residency.config.ts';
import { atLeast, atMost, type Bar, median } from '../bars.ts';
import type { Bench } from '../bench.ts';

const execute = promisify(execFile);
const HOUR_MS = 3_600_000;
const SITES = 20;
const HOOKS_PER_SECOND = 200;
const SECONDS = 10;
/** Milliseconds in which each hook answers, by its own time-outs. */
const ANSWER_MS = 3_000;

interface Host extends AsyncDisposable {
  readonly atlassian: SimulatedAtlassian;
  readonly port: number;
  readonly sites: readonly Site[];
  readonly facts: Readonly<Record<string, string>>;
}

/** A local host in a process of its own, with tenants whose moves are scheduled. */
async function hostWithTenants(): Promise<Host> {
  const atlassian = await startSimulatedAtlassian({ appKey: residency.app.key });
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const child = spawn(process.execPath, ['bin/local.ts'], {
    env: {
      ...process.env,
      PORT: String(port),
      INSTALL_KEYS_URL: atlassian.installKeysUrl,
      THROTTLES: 'off',
      JANITOR_SECONDS: '0',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  const home = `http://127.0.0.1:${tcpPortsFrom(port, residency.realms).realm('us')}`;
  const isUp = () =>
    fetch(home).then(
      () => true,
      () => false,
    );
  while (child.exitCode === null && !(await isUp())) await pause(100);
  const now = Date.now();
  const facts = {
    location: 'DE',
    startTime: new Date(now + HOUR_MS).toISOString(),
    endTime: new Date(now + 2 * HOUR_MS).toISOString(),
  };
  const sites: Site[] = [];
  for (let number = 0; number < SITES; number += 1) {
    const site = atlassian.site(`tenant-${number}`, home);
    must(await atlassian.install(site), 'installed');
    must(await atlassian.hook(site, home, 'schedule', { migrationId: 1, ...facts }), 'schedule');
    sites.push(site);
  }
  return {
    atlassian,
    port,
    sites,
    facts,
    async [Symbol.asyncDispose]() {
      child.kill('SIGINT');
      await ended;
      await atlassian.close();
    },
  };
}

function must({ status, body }: Reply, hook: string): void {
  if (status >= 300) throw new Error(`${hook} answers ${status} ${JSON.stringify(body)}`);
}

/** Three of four hooks are polls, the fourth repeats a schedule. `undefined` without an answer. */
async function asked(
  { atlassian, sites, facts }: Host,
  perSecond: number,
  seconds: number,
): Promise<readonly (Reply | undefined)[]> {
  const replies: Promise<Reply | undefined>[] = [];
  const begun = performance.now();
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const site = sites[number % sites.length];
    if (site === undefined) continue;
    const wait = begun + (number * 1000) / perSecond - performance.now();
    if (wait > 0) await pause(wait);
    const isPoll = number % 4 !== 3;
    const fields = { migrationId: 1, ...(isPoll ? {} : facts) };
    const reply = atlassian.hook(site, site.home, isPoll ? 'status' : 'schedule', fields);
    replies.push(reply.catch(() => undefined));
  }
  return Promise.all(replies);
}

export async function hooks(): Promise<readonly Bar[]> {
  await using host = await hostWithTenants();
  // A host that has just started still compiles its code.
  await asked(host, HOOKS_PER_SECOND / 4, 4);
  const all = await asked(host, HOOKS_PER_SECOND, SECONDS);
  const answered = all.filter((reply) => reply !== undefined && reply.status < 300);
  const took = answered.map((reply) => reply?.ms ?? 0).sort((one, other) => one - other);
  const p99 = took[Math.floor(took.length * 0.99)] ?? Number.NaN;
  const rate = `${HOOKS_PER_SECOND} hooks a second`;
  return [
    atLeast('host', `${rate}: answered 2xx at once`, answered.length / all.length, 0.99, '%'),
    atMost(
      'host',
      `${rate}: p99 of the answers`,
      p99 / 1000,
      ANSWER_MS / 1000,
      's',
      `p50 ${median(took).toFixed(0)} ms; clients, functions and database on one machine`,
    ),
  ];
}

const VERBS: readonly (readonly string[])[] = [
  ['where', 'tenant-1'],
  ['migrations'],
  ['show', 'tenant-1'],
  ['status'],
  ['settings'],
  ['audit'],
];

/** Each verb as it is typed, in a new process, beside 20 tenants. */
export async function verbs({ sizes }: Bench): Promise<readonly Bar[]> {
  await using host = await hostWithTenants();
  const medians: { verb: string; seconds: number }[] = [];
  for (const [verb = '', ...rest] of VERBS) {
    const args = ['bin/residency.ts', verb, ...rest, '--local', String(host.port)];
    const took: number[] = [];
    for (let round = 0; round <= sizes.rounds; round += 1) {
      const began = performance.now();
      await execute(process.execPath, args);
      // The first run compiles what later ones find in their cache.
      if (round > 0) took.push((performance.now() - began) / 1000);
    }
    medians.push({ verb, seconds: median(took) });
  }
  const shown = medians.map(({ verb, seconds }) => `${verb} ${seconds.toFixed(2)}`).join(', ');
  const slowest = Math.max(...medians.map(({ seconds }) => seconds));
  return [atMost('host', 'slowest verb of residency', slowest, 2, 's', shown)];
}

/** What is committed, in a new folder: `npm ci`, then `npm start`. Asks npm's registry. */
export async function firstMove(): Promise<readonly Bar[]> {
  const folder = await mkdtemp(join(tmpdir(), 'first-move-'));
  try {
    await execute('sh', ['-c', 'git archive HEAD | tar -x -C "$0"', folder]);
    const began = performance.now();
    await execute('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder });
    const installed = (performance.now() - began) / 1000;
    await execute('npm', ['start'], { cwd: folder, maxBuffer: 64 * 1024 * 1024 });
    const seconds = (performance.now() - began) / 1000;
    const note = `npm ci ${installed.toFixed(0)} s of it`;
    return [atMost('host', 'npm ci to the end of the first move', seconds, 90, 's', note)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
