/**
 * Bundles every Lambda once for all realms. `npm run build` prints the sizes; synthesis takes the
 * folder as its one asset.
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { bucketsOf } from '../lambdas/domain/datasets/kinds.ts';
import { residency } from '../residency.config.ts';
import { BUCKET_GRANTS } from './bucket-grants.ts';
import { bundleDiet, withoutBuckets, withoutTables } from './bundle-diet.ts';
import { ENTRIES } from './entries.ts';
import { GRANTS } from './grants.ts';
import { loadMs } from './load-time.ts';

export interface BundleOptions {
  /** Folder that holds the entries. */
  readonly lambdas?: string;
  /** Folder to write to. It is emptied first, so that no bundle of a removed entry stays. */
  readonly outdir?: string;
  /** Leaves the SDK to the runtime, for a comparison of sizes. */
  readonly withoutSdk?: boolean;
  /**
   * Functions that reach the buckets of all parts then hold S3's client; by default as the dataset
   * has it. One that is granted the bucket of a part by name always does.
   */
  readonly hasBuckets?: boolean;
}

export interface Bundle {
  readonly outdir: string;
  /** Bytes that a function loads, by entry: its file and the shared ones. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Bytes by entry and by package of the SDK's clients in it, such as `@aws-sdk/client-sfn`. */
  readonly clients: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/**
 * Writes `{outdir}/{entry}.mjs` for each entry, and what several of them hold once, to
 * `{outdir}/shared/`. Throws where an entry is missing or exports no `handler`.
 */
export async function bundle({
  lambdas = 'lambdas',
  outdir = 'dist',
  withoutSdk = false,
  hasBuckets = bucketsOf(residency.parts).length > 0,
}: BundleOptions = {}): Promise<Bundle> {
  const missing = ENTRIES.map((entry) => join(lambdas, `${entry}.ts`)).filter(
    (file) => !existsSync(file),
  );
  if (missing.length > 0) {
    throw new Error(
      `cannot bundle: lib/routes.ts names ${missing.length} files that do not exist: ${missing.join(', ')}`,
    );
  }
  await rm(outdir, { recursive: true, force: true });
  const isReaching = (entry: string): boolean => {
    const grant = BUCKET_GRANTS[entry];
    return grant !== undefined && (hasBuckets || grant.part !== undefined);
  };
  const kinds = [
    { is: isReaching, plugins: [] },
    {
      is: (entry: string) => !isReaching(entry) && reachesTables(entry),
      plugins: [withoutBuckets],
    },
    {
      is: (entry: string) => !isReaching(entry) && !reachesTables(entry),
      plugins: [withoutBuckets, withoutTables],
    },
  ];
  const common = (entries: readonly string[]) => ({
    entryPoints: entries.map((entry) => ({ in: join(lambdas, `${entry}.ts`), out: entry })),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true as const,
    // One file for each set of entries that share code: a tenth of the bytes, a third of the time.
    splitting: true as const,
    chunkNames: 'shared/[hash]',
    // Renames classes too, because keeping their names costs 30 ms per cold start. Step Functions
    // matches the `name` that our errors set themselves.
    minify: true,
    platform: 'node' as const,
    target: 'node24',
    format: 'esm' as const,
    // Takes the ESM builds of the SDK: two thirds of the size, and half the time to load.
    mainFields: ['module', 'main'],
    external: withoutSdk ? ['@aws-sdk/*', '@smithy/*'] : [],
    // CommonJS modules in an ESM bundle still call `require`.
    banner: {
      js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
    },
    metafile: true as const,
    logLevel: 'warning' as const,
  });
  const built = await Promise.all(
    kinds
      .map(({ is, plugins }) => ({ entries: ENTRIES.filter(is), plugins }))
      .filter(({ entries }) => entries.length > 0)
      .map(({ entries, plugins }) =>
        build({ ...common(entries), plugins: [bundleDiet, ...plugins] }),
      ),
  );
  const outputs: Outputs = Object.assign({}, ...built.map(({ metafile }) => metafile.outputs));
  const sizes = new Map<string, number>();
  const clients = new Map<string, ReadonlyMap<string, number>>();
  for (const entry of ENTRIES) {
    const output = outputs[relative('.', join(outdir, `${entry}.mjs`))];
    if (!output?.exports.includes('handler')) {
      throw new Error(`cannot bundle: ${join(lambdas, `${entry}.ts`)} exports no handler`);
    }
    const loaded = loadedBy(output, outputs);
    sizes.set(
      entry,
      loaded.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    clients.set(entry, clientsIn(loaded));
  }
  return { outdir, sizes, clients };
}

/** The copy engine's tables: a function of the sample app reaches its own by other modules. */
const reachesTables = (entry: string): boolean =>
  (GRANTS[entry] ?? []).some(({ on }) => on === 'parts');

type Outputs = Readonly<Record<string, Output>>;
type Output = Metafile['outputs'][string];

/** The entry's own file and all that it imports of the shared ones, each once. */
function loadedBy(entry: Output, outputs: Outputs): readonly Output[] {
  const loaded = new Set([entry]);
  for (const { imports } of loaded) {
    for (const { path, external } of imports) {
      const shared = external ? undefined : outputs[path];
      if (shared) loaded.add(shared);
    }
  }
  return [...loaded];
}

function clientsIn(loaded: readonly Output[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const [file, { bytesInOutput }] of loaded.flatMap(({ inputs }) => Object.entries(inputs))) {
    const client = /node_modules\/(@aws-sdk\/client-[^/]+)\//.exec(file)?.[1];
    if (client !== undefined && bytesInOutput > 0)
      found.set(client, (found.get(client) ?? 0) + bytesInOutput);
  }
  return found;
}

if (import.meta.main) {
  const { outdir, sizes, clients } = await bundle();
  for (const [entry, bytes] of sizes) {
    const kilobytes = (bytes / 1024).toFixed(0).padStart(6);
    const milliseconds = (await loadMs(join(outdir, `${entry}.mjs`))).toFixed(0).padStart(4);
    const names = [...(clients.get(entry)?.keys() ?? [])].map((name) => name.split('-').at(-1));
    console.log(`${kilobytes} KB ${milliseconds} ms  ${entry.padEnd(30)} ${names.join(', ')}`);
  }
}
