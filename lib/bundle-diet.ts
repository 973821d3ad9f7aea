/** What the bundles leave out of libraries because no Lambda can come to use it: decision 0029 says why, and what holds it. */
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/** Instead of `of`, where a module below `importer` imports it, comes `contents`; its own imports are resolved where `of` lies. */
interface Substitute {
  readonly of: string;
  readonly importer: RegExp;
  readonly contents: string;
}

const SUBSTITUTES: readonly Substitute[] = [
  // A chain of nine providers with clients of their own (SSO, STS, files, metadata over HTTP). Lambda sets the environment.
  {
    of: '@aws-sdk/credential-provider-node',
    importer: /[\\/]@aws-sdk[\\/]client-/,
    contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
  },
  // All that decoding a token uses of it. The rest serves the hash of the query string, which is ours: decision 0002.
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
