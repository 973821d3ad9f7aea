/** The realms with the watch page in front of them. */
import { writes as writesTo } from '../../lib/local/page-counts.ts';
import { type Page as ServedPage, startPage } from '../../lib/local/page-server.ts';
import { startWorld, type World } from '../support/world.ts';

export interface WatchedWorld extends AsyncDisposable {
  readonly world: World;
  readonly page: ServedPage;
}

/** Waits are long enough to be seen. */
export async function startWatchedWorld(): Promise<WatchedWorld> {
  const writes = writesTo(true);
  const world = await startWorld({
    env: { DRAIN_SECONDS: '1', COMMIT_GRACE_SECONDS: '1' },
    dynamoDb: { onAnswered: writes.hear },
  });
  const page = await startPage({ host: world.host, port: 0, writes, hearsAll: true });
  return {
    world,
    page,
    async [Symbol.asyncDispose]() {
      await page.close();
      await world[Symbol.asyncDispose]();
    },
  };
}
