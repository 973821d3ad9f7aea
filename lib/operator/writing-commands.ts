/** DATA: the commands that write. Each reads first, then asks, then acts. */
import type { Command } from 'commander';
import { actOn, assertSettable, type SettingOptions, set } from './acting/act.ts';
import { type AdoptionOptions, adopt, disown } from './acting/adopt.ts';
import { examplesText, type Surroundings } from './command-frame.ts';
import { importTenants } from './import/import.ts';
import { assertImportable, type ImportOptions } from './import/import-source.ts';
import type { Add } from './reading-commands.ts';
import { assertReconcilable, type ReconcileOptions, reconcile } from './reconcile/reconcile.ts';
import { assertSmokable, smoke } from './smoke/smoke.ts';
import { smokeKey } from './smoke/smoke-key.ts';
import { rehearse } from './tenants/rehearse.ts';
import { UsageError } from './terminal/failure.ts';
import { jsonText } from './terminal/print.ts';
import { itemCountOf } from './terminal/typed-values.ts';

const always = () => true;

export function addWritingCommands(
  add: Add,
  program: Command,
  { print }: Pick<Surroundings, 'print'>,
): void {
  add<{ to: string; sample?: boolean; items?: string }>({
    usage: 'rehearse <tenant>',
    description:
      'how a move would go: sizes, time, cost. With --sample it WRITES: some items are copied to the target, verified and discarded',
    examples: [
      'rehearse acme --to de --stage prod',
      'rehearse acme --to de --stage prod --sample --items 200',
    ],
    asks: true,
    writes: ({ sample }) => sample === true,
    refuse(operator, { to, sample, items }) {
      operator.realmNamed(to);
      if (items !== undefined && !sample) throw new UsageError('--items belongs to --sample');
      itemCountOf(items ?? '1000');
    },
    run(operator, { words: [tenant = ''], options: { to, sample, items }, confirm }) {
      return rehearse(operator, tenant, {
        to,
        confirm,
        ...(sample && { items: itemCountOf(items ?? '1000') }),
      });
    },
  })
    .requiredOption('--to <realm>', 'where to')
    .option('--sample', 'WRITES: copies some items to the target, and discards them there')
    .option('--items <count>', 'of the sample (1000)');
  add({
    usage: 'retry <tenant> [migration]',
    description: 'WRITES: starts the next attempt of the present phase',
    examples: ['retry acme --stage prod --role operator-act'],
    asks: true,
    writes: always,
    run: (operator, { words: [tenant = '', id], confirm }) =>
      actOn(operator, 'retry', tenant, id, confirm),
  });
  add({
    usage: 'cancel <tenant> [migration]',
    description:
      'WRITES: a scheduled move does not begin; a copying one fails, and the site comes back now',
    examples: ['cancel acme 57500 --stage prod --role operator-act'],
    asks: true,
    writes: always,
    run: (operator, { words: [tenant = '', id], confirm }) =>
      actOn(operator, 'cancel', tenant, id, confirm),
  });
  add<{ stop?: boolean }>({
    usage: 'ahead <tenant> [migration]',
    description:
      'WRITES: copies a scheduled move ahead of its window, while the source serves; --stop ends that',
    examples: [
      'ahead acme 57500 --stage prod --role operator-act',
      'ahead acme --stop --stage prod --role operator-act',
    ],
    asks: true,
    writes: always,
    run: (operator, { words: [tenant = '', id], options: { stop }, confirm }) =>
      actOn(operator, stop ? 'stop-ahead' : 'ahead', tenant, id, confirm),
  }).option('--stop', 'what is copied stays for the move, and goes with the schedule');
  for (const [name, description, run] of [
    ['adopt', 'an installation that an alarm has named is this tenant’s from now on', adopt],
    [
      'disown',
      'takes an installation from this tenant, or says that it never was this tenant’s',
      disown,
    ],
  ] as const)
    add<AdoptionOptions>({
      usage: `${name} <tenant>`,
      description: `WRITES: ${description}`,
      examples: [
        `${name} acme --installation ari:cloud:ecosystem::installation/… --cloud-id … --stage prod`,
      ],
      asks: true,
      writes: always,
      run: (operator, { words: [tenant = ''], options, confirm }) =>
        run(operator, tenant, options, confirm),
    })
      .requiredOption('--installation <ari>', 'ari:cloud:ecosystem::installation/…')
      .option('--cloud-id <id>', 'of its site');
  add<SettingOptions>({
    usage: 'set',
    description:
      'WRITES: sets a value for a realm or a tenant, from the next turn on; "default" takes it back',
    examples: [
      'set --realm us --new-moves off --stage prod --role operator-act',
      'set --realm de --tenant acme --concurrency default --stage prod',
    ],
    asks: true,
    writes: always,
    refuse: assertSettable,
    run: (operator, { options, confirm }) => set(operator, options, confirm),
  })
    .requiredOption('--realm <realm>', 'the realm whose setting it is')
    .option('--tenant <tenant>', 'of this tenant alone')
    .option('--concurrency <ranges>', 'ranges of one move that are worked on at once')
    .option('--rate-limit <items>', 'items that one move writes per second and table')
    .option('--new-moves <on|off>', 'off: new schedules are refused with E0003');
  add<{ from: string; to: string; key?: string; items?: string }>({
    usage: 'smoke',
    description:
      'WRITES: moves a synthetic tenant there and back again, on a stage without customers',
    examples: ['smoke --from us --to de --stage dev --key smoke-key.pem'],
    asks: true,
    writes: always,
    streams: true,
    refuse: assertSmokable,
    run: (operator, { options: { from, to, key, items = '40' }, confirm, tell }) =>
      smoke(operator, { from, to, key, items: itemCountOf(items), confirm, tell }),
  })
    .requiredOption('--from <realm>', 'where it is installed')
    .requiredOption('--to <realm>', 'where it is moved')
    .option('--key <file>', 'the private key whose public half the stage was given')
    .option('--items <count>', 'in each part (40)');
  add<ImportOptions & { apply?: boolean }>({
    usage: 'import',
    description:
      'what would be written for tenants that exist already, and why not. With --apply it WRITES',
    examples: [
      'import --from ace --table AddonSettings --region us-east-1 --realm us --stage prod',
      'import --from spring --file atlassian_host.csv --realm us --apply --stage prod --role operator-tenants',
    ],
    asks: true,
    writes: ({ apply }) => apply === true,
    refuse: assertImportable,
    run: (operator, { options, confirm }) => importTenants(operator, options, confirm),
  })
    .requiredOption('--from <kind>', 'ace, spring or csv')
    .option('--file <file>', 'CSV; for ace also JSON')
    .option('--table <name>', 'for ace: its table in DynamoDB, read with your own credentials')
    .option('--region <region>', 'of the table')
    .option('--realm <realm>', 'the realm that has their data')
    .option('--apply', 'WRITES: imports them');
  add<ReconcileOptions>({
    usage: 'reconcile',
    description:
      'compares our tenants with Atlassian’s list of installations. With --apply it WRITES: those that are gone are retired',
    examples: [
      'reconcile --installations installations.json --stage prod --role operator-tenants',
      'reconcile --installations installations.json --as-of 10m --apply --stage prod --role operator-tenants',
    ],
    asks: true,
    writes: ({ apply }) => apply === true,
    refuse: (operator, options) => assertReconcilable(operator, options),
    run: (operator, { options, confirm }) => reconcile(operator, options, confirm),
  })
    .requiredOption(
      '--installations <file>',
      'of `forge install list --json`, or as docs/tenants.md',
    )
    .option(
      '--as-of <time>',
      'when the list was made: a time with its offset, or an age such as 10m',
    )
    .option('--apply', 'WRITES: retires those that are gone, as an uninstallation would')
    .option('--at-most <count>', 'how many may be retired at once (10)');
  // This command is about no deployment: it has neither a stage nor credentials.
  program
    .command('smoke-key <file>')
    .description('makes a throw-away key for smoke tests, and says how a stage comes to trust it')
    .option('--json', 'prints one JSON value, errors too')
    .addHelpText('after', examplesText(['smoke-key smoke-key.pem']))
    .action(async (file: string, { json }: { readonly json?: boolean }) => {
      const { report, text } = await smokeKey(file);
      print(json ? jsonText(report) : text);
    });
}
