/** DATA: the commands that read. */
import type { Command } from 'commander';
import { defined } from '../../lambdas/domain/defined.ts';
import type { Realm } from '../../lambdas/domain/realm.ts';
import { type SettingsFilter, settings } from './acting/settings.ts';
import { audit } from './audit/audit.ts';
import type { Row, Surroundings } from './command-frame.ts';
import { doctor } from './doctor/doctor.ts';
import { migrations } from './moves/migrations.ts';
import { show } from './moves/show.ts';
import { status } from './moves/status.ts';
import { watch } from './moves/watch.ts';
import type { Operator } from './operator.ts';
import { receipt } from './receipts/receipt.ts';
import { verifyReceipt } from './receipts/receipt-verify.ts';
import { type ScanOptions, scan } from './scan/scan.ts';
import { where } from './tenants/where.ts';
import { UsageError } from './terminal/failure.ts';
import { secondsOf } from './terminal/typed-values.ts';

export type Add = <T extends object>(row: Row<T>) => Command;

const alarmRealm = (operator: Operator, said: string | true): Realm =>
  said === true ? operator.residency.defaultRealm : operator.realmNamed(said);

export function addReadingCommands(add: Add, { screen }: Surroundings): void {
  add<{ all?: boolean }>({
    usage: 'status',
    description: 'what is wrong now, worst first, and what to type next',
    examples: ['status --stage prod --role operator-read'],
    run: (operator, { options }) => status(operator, options),
  }).option('--all', 'every scheduled move, too');
  add({
    usage: 'where <tenant>',
    description: 'which realm a tenant is in, by record and by count',
    examples: ['where acme --stage prod'],
    run: (operator, { words: [tenant = ''] }) => where(operator, tenant),
  });
  add<{ realm?: string; status?: string; since?: string; all?: boolean }>({
    usage: 'migrations',
    description: 'what is under way, or everything on record',
    examples: [
      'migrations --stage prod --status copying',
      'migrations --stage prod --since 12h --json',
    ],
    run: (operator, { options }) => migrations(operator, options),
  })
    .option('--realm <realm>', 'from or to this realm')
    .option('--status <status>', 'in this status')
    .option('--since <time>', 'changed since: a time, or an age such as 90m, 12h, 7d')
    .option('--all', 'final ones too (reads the whole ledgers)');
  add({
    usage: 'show <tenant> [migration]',
    description: 'one migration: facts, timeline, progress, projected end',
    examples: ['show acme --stage prod', 'show acme 57500 --stage prod'],
    run: (operator, { words: [tenant = '', id] }) => show(operator, tenant, id),
  });
  add<{ html?: string; verify?: string }>({
    usage: 'receipt [tenant] [migration]',
    description: 'the signed record of a move, for an auditor',
    examples: [
      'receipt acme 57500 --stage prod --html receipt.html',
      'receipt --verify receipt.html --stage prod',
    ],
    run: (operator, { words: [tenant, id], options }) => {
      if (options.verify !== undefined) return verifyReceipt(operator, options.verify);
      if (tenant === undefined || id === undefined)
        throw new UsageError('receipt wants a tenant and a migration, or --verify and a file');
      return receipt(operator, tenant, id, options.html);
    },
  })
    .option('--html <file>', 'writes a page to print, too')
    .option('--verify <file>', 'compares a page, or a report by --json, with key and ledgers');
  add<SettingsFilter>({
    usage: 'settings',
    description: 'what is set for a realm or a tenant, by whom, and since when',
    examples: ['settings --stage prod', 'settings --stage prod --tenant acme'],
    run: (operator, { options }) => settings(operator, options),
  })
    .option('--realm <realm>', 'of this realm')
    .option('--tenant <tenant>', "this tenant's own, beside the realms'")
    .option('--all', "every tenant's own, too (reads the whole ledgers)");
  add<{ tenant?: string; all?: boolean }>({
    usage: 'audit',
    description: 'finds records and items that are where they should not be',
    examples: ['audit --stage prod', 'audit --stage prod --tenant acme'],
    run: (operator, { options }) => audit(operator, options),
  })
    .option('--tenant <tenant>', 'of one tenant, its items included')
    .option(
      '--all',
      'also reads the keys of every table: finds items of tenants that no realm knows',
    );
  add<{ tenant?: string; beforeDeploy?: boolean; testAlarm?: string | true }>({
    usage: 'doctor',
    description: 'whether every realm is deployed as it should be, and what to mend',
    examples: [
      'doctor --stage prod',
      'doctor --tenant acme',
      'doctor --stage prod --before-deploy',
    ],
    asks: true,
    writes: ({ testAlarm }) => testAlarm !== undefined,
    refuse(operator, { tenant, testAlarm, beforeDeploy }) {
      if (tenant !== undefined && beforeDeploy)
        throw new UsageError('--tenant and --before-deploy exclude each other');
      if (testAlarm === undefined) return;
      if (operator.localPort !== undefined) throw new UsageError('a local host has no alarms');
      if (beforeDeploy) throw new UsageError('--test-alarm and --before-deploy exclude each other');
      alarmRealm(operator, testAlarm);
    },
    run: (operator, { options: { beforeDeploy, tenant, testAlarm }, confirm }) =>
      doctor(operator, {
        confirm,
        ...(beforeDeploy && { beforeDeploy }),
        ...defined({ tenant }),
        ...(testAlarm !== undefined && { testAlarm: alarmRealm(operator, testAlarm) }),
      }),
  })
    .option('--tenant <tenant>', 'whether this tenant’s items are where the parts are declared')
    .option('--before-deploy', 'refuses while a move is under way')
    .option('--test-alarm [realm]', 'WRITES: raises one alarm, of the default realm unless said');
  add<ScanOptions>({
    usage: 'scan',
    description: 'all tenants: size, time of a move to each realm, and what stands in the way',
    examples: ['scan --stage prod', 'scan --realm us --csv tenants.csv --stage prod'],
    streams: true,
    refuse: (operator, { realm }) => void (realm !== undefined && operator.realmNamed(realm)),
    run: (operator, { options, tell }) => scan(operator, options, tell),
  })
    .option('--realm <realm>', 'those that this realm serves')
    .option('--csv <file>', 'writes a table of all of them, too');
  add<{ hostedZone?: string }>({
    usage: 'preflight',
    description: 'before a first deployment: what it would fail on, and what to do about it',
    examples: ['preflight --stage prod', 'preflight --stage prod --realms us,de'],
    refuse({ localPort, role }) {
      if (localPort !== undefined)
        throw new UsageError('preflight is about an account of AWS: a local host needs none');
      if (role !== undefined)
        throw new UsageError('preflight takes no --role: the roles come with the deployment');
    },
    // Its clients take time to load, and no other command needs them.
    run: async (operator, { options }) =>
      (await import('./preflight/preflight.ts')).preflight(operator, options),
  }).option('--hosted-zone <id>', 'the Route 53 zone, if it is given to cdk with -c');
  add<{ every?: string }>({
    usage: 'watch <tenant> [migration]',
    description: 'one migration, live, until it ends or waits for Atlassian',
    examples: ['watch acme --stage prod', 'watch acme --local --every 1'],
    streams: true,
    refuse: (_, { every = '5' }) => void secondsOf(every),
    run: async (operator, { words: [tenant = '', id], options: { every = '5', json }, tell }) =>
      watch(operator, tenant, id, {
        every: secondsOf(every),
        screen: json ? undefined : await screen?.(),
        print: tell,
      }),
  }).option('--every <seconds>', 'how often to look (5)');
}
