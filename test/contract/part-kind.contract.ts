/** The contract of every part kind, for any kind of storage. */
import { afterAll, beforeAll, describe } from 'vitest';
import {
  clock,
  FOREVER,
  last,
  NOW,
  PARTS,
  type PartKindHost,
  type PartKindHostOptions,
  type PartKindSuite,
} from '../support/part-kind-suite.ts';
import { comparingContract } from './part-kind-comparing.ts';
import { copyingContract } from './part-kind-copying.ts';
import { restoringContract } from './part-kind-restoring.ts';
import { sizingContract } from './part-kind-sizing.ts';

export function partKindContract(
  name: string,
  start: (options: PartKindHostOptions) => Promise<PartKindHost>,
  { isOrdered = true, isOfItems = true, takesAnyKey = true, isExact = true } = {},
): void {
  describe(`a part kind (${name})`, () => {
    let host: PartKindHost | undefined;
    let tenants = 0;

    beforeAll(async () => {
      host = await start({ parts: PARTS, realms: ['us', 'de'], clock, pageItems: 3 });
    });
    afterAll(async () => host?.close());

    const suite: PartKindSuite = {
      isOrdered,
      isOfItems,
      isExact,
      takesAnyKey,
      get host() {
        if (host === undefined) throw new Error('the host has not been started yet');
        return host;
      },
      get kind() {
        return suite.host.kind;
      },
      keyOf: (cursor) => suite.host.keyOf?.(cursor) ?? cursor,
      newTenant() {
        tenants += 1;
        return `tenant-${tenants}-`;
      },
      async digestOf(range, realm) {
        return (await last(suite.kind.digest(range, realm, NOW, undefined, FOREVER))).digest;
      },
      copyAll: (range) => last(suite.kind.copy(range, 'us', 'de', NOW, undefined, FOREVER)),
      restoreAll: (range) => last(suite.kind.restore(range, 'us', 'de', NOW, undefined, FOREVER)),
    };

    copyingContract(suite);
    comparingContract(suite);
    restoringContract(suite);
    sizingContract(suite);
  });
}
