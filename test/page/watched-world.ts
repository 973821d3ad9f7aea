/** The realms with the watch page in front of them. */
import { writes as writesTo } from '../../lib/local/page/counts.ts';
import { type Page as ServedPage, startPage } from '../../lib/local/page/server.ts';
import { startWorld, WITH_DOCUMENTS, type World } from '../support/world.ts';

export interface WatchedWorld extends AsyncDisposable {
  readonly world: World;
  readonly page: ServedPage;
  /**
   * Holds batches that are written to this table, so that the present work can be seen, until the
   * returned function is called.
   */
  hold(table: string): () => void;
}

/** With a folder, it is the same world again after a restart. */
export async function startWatchedWorld(dataDir?: string): Promise<WatchedWorld> {
  const writes = writesTo(dataDir === undefined);
  const held = new Map<string, Promise<void>>();
  const world = await startWorld({
    residency: WITH_DOCUMENTS,
    ...(dataDir !== undefined && { dataDir }),
    s3: { onAnswered: writes.hearOfObject },
    dynamoDb: {
      onAnswered: writes.hear,
      onRequest: ({ operation, input }) =>
        operation === 'BatchWriteItem'
          ? held.get(Object.keys(Object(input['RequestItems']))[0] ?? '')
          : undefined,
    },
  });
  const page = await startPage({ host: world.host, port: 0, writes, hearsAll: true, dataDir });
  return {
    world,
    page,
    hold(table) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(table, promise);
      return () => {
        held.delete(table);
        resolve();
      };
    },
    async [Symbol.asyncDispose]() {
      await page.close();
      await world[Symbol.asyncDispose]();
    },
  };
}
