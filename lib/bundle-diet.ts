/**
 * The modules that bundles leave out because no Lambda can use them. Decision 0029 says why, and
 * which tests hold it.
 */
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Replaces the module `of` by `contents` where a module below `importer` imports it. The imports in
 * `contents` are resolved from the folder of `of`.
 */
interface Substitute {
  readonly of: string;
  readonly importer: RegExp;
  readonly contents: string;
}

const SUBSTITUTES: readonly Substitute[] = [
  // A chain of nine providers with clients of their own (SSO, STS, files, metadata over HTTP).
  // Lambda sets the credentials in the environment.
  {
    of: '@aws-sdk/credential-provider-node',
    importer: /[\\/]@aws-sdk[\\/]client-/,
    contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
  },
  // Decoding a token uses only `isArray`. The rest of lodash serves atlassian-jwt's hash of the
  // query string, and ours replaces it: decision 0002.
  {
    of: 'lodash',
    importer: /[\\/]atlassian-jwt[\\/]/,
    contents: 'export default { isArray: Array.isArray };',
  },
  {
    of: 'jsuri',
    importer: /[\\/]atlassian-jwt[\\/]/,
    contents: "export default class { constructor() { throw new Error('jsuri is not bundled'); } }",
  },
  // DynamoDB's client makes a cache for endpoints that its commands never ask for.
  {
    of: '@aws-sdk/endpoint-cache',
    importer: /[\\/]middleware-endpoint-discovery[\\/]/,
    contents: 'export class EndpointCache {}',
  },
  // DynamoDB and Step Functions answer with plain JSON.
  {
    of: '@smithy/core/event-streams',
    importer: /[\\/]@smithy[\\/]core[\\/]/,
    contents: "throw new Error('event streams are not bundled');",
  },
];

const NAMESPACE = 'diet';

export const bundleDiet: Plugin = {
  name: 'bundle-diet',
  setup(build) {
    for (const { of, importer, contents } of SUBSTITUTES) {
      build.onResolve({ filter: new RegExp(`^${of}$`) }, async (args) => {
        if (args.pluginData === NAMESPACE || !importer.test(args.importer)) return undefined;
        const { kind, resolveDir } = args;
        const found = await build.resolve(of, { kind, resolveDir, pluginData: NAMESPACE });
        const pluginData = { resolveDir: dirname(found.path), contents };
        return { path: of, namespace: NAMESPACE, pluginData, sideEffects: false };
      });
    }
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ pluginData }) => pluginData);
  },
};

interface StandIn {
  readonly filter: RegExp;
  readonly contents: string;
}

/** What stands in for S3 in a function that touches no bucket: its client has 285 KB. */
const NO_BUCKETS: readonly StandIn[] = [
  { filter: /[\\/]s3-part-kind\.ts$/, contents: 'export const s3PartKind = () => ({});' },
  {
    filter: /^@aws-sdk\/client-s3$/,
    contents: "export class S3Client { constructor() { throw new Error('S3 is not bundled'); } }",
  },
];

/** What stands in for the copy engine in a function that touches no part's table. */
const NO_TABLES: readonly StandIn[] = [
  {
    filter: /[\\/]dynamodb-part-kind\.ts$/,
    contents: 'export const dynamoDbPartKind = () => ({});',
  },
  {
    filter: /[\\/]dynamodb-samples\.ts$/,
    contents: 'export const dynamoDbSamples = () => ({});',
  },
];

const without = (name: string, standIns: readonly StandIn[]): Plugin => ({
  name,
  setup(build) {
    for (const { filter, contents } of standIns)
      build.onResolve({ filter }, ({ path }) => ({
        path,
        namespace: name,
        pluginData: { contents },
        sideEffects: false,
      }));
    build.onLoad({ filter: /.*/, namespace: name }, ({ pluginData }) => pluginData);
  },
});

export const withoutBuckets = without('no-buckets', NO_BUCKETS);
export const withoutTables = without('no-tables', NO_TABLES);
