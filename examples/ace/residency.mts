/**
 * What residency.config.ts becomes for this app, on this machine: its key, its part, its table in
 * each realm, the router's URLs, and where events are forwarded to.
 */
import type { Residency } from '../../lambdas/domain/residency.ts';
import { residency as configured } from '../../residency.config.ts';

const REALMS = ['us', 'de'];

/** `router` and the apps' TCP ports, by realm. */
export function aceResidency(router: number, apps: Readonly<Record<string, number>>): Residency {
  const { forge: _, ...app } = configured.app;
  return {
    ...configured,
    app: {
      ...app,
      key: 'com.example.notes',
      name: 'Notes',
      installedForwardUrl: Object.fromEntries(
        REALMS.map((realm) => [realm, `http://127.0.0.1:${apps[realm]}/${realm}`]),
      ),
    },
    realms: configured.realms.filter(({ realm }) => REALMS.includes(realm)),
    baseUrls: Object.fromEntries(
      REALMS.map((realm) => [realm, `http://127.0.0.1:${router}/${realm}`]),
    ),
    otherWritersSeconds: 30,
    parts: [
      {
        kind: 'dynamodb',
        name: 'notes',
        policy: 'move',
        partitionKey: 'pk',
        key: 'TENANT#{tenant}',
        sortKey: { name: 'sk', type: 'S' },
        tableName: (realm, stage) => `notes-${stage}-${realm}`,
      },
    ],
  };
}
