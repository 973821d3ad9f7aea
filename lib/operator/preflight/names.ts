/**
 * The physical names that a realm's stack takes. Names in AWS are unique per account and region,
 * those of roles per account, so a deployment fails where one of them is in use.
 */
import { isOwn, tablesOf } from '../../../lambdas/domain/datasets/kinds.ts';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../../../lambdas/domain/residency.ts';
import { entriesOf, wordOf } from '../../entries.ts';
import { GRANTS } from '../../grants.ts';
import { accessLog, lambdaLog, workflowLog } from '../../log-groups.ts';
import { ROLES } from '../operator.ts';

export interface StackNames {
  readonly stack: string;
  /** Tables of ours: a table of the vendor's must be there. */
  readonly tables: readonly string[];
  readonly roles: readonly string[];
  readonly logGroups: readonly string[];
  readonly stateMachine: string;
  /** Alias of the key that signs receipts. */
  readonly receiptKey: string;
  /** The managed policy with a name of its own, which vendors attach to their app's role. */
  readonly guardPolicy: string;
  /** How many managed policies there are in all; CloudFormation makes the names of the others. */
  readonly managedPolicies: number;
}

export function stackNames(residency: Residency, stage: string, realm: Realm): StackNames {
  const names = physicalNames(residency, stage, realm);
  const entries = entriesOf(residency);
  const ours = tablesOf(residency.parts).filter((part) => !isOwn(part));
  const reachesOthers = (entry: string) => GRANTS[entry]?.some(({ where }) => where === 'others');
  return {
    stack: names.prefix,
    tables: [names.tenants, names.migrations, ...ours.map((part) => names.part(part))],
    roles: [
      ...entries.map((entry) => names.lambda(wordOf(entry))),
      names.stateMachine,
      ...ROLES.map((role) => `${names.prefix}-${role}`),
    ],
    logGroups: [
      ...entries.map((entry) => lambdaLog({ names }, entry)),
      workflowLog({ names }),
      accessLog({ names }),
    ],
    stateMachine: names.stateMachine,
    receiptKey: names.receiptKey,
    guardPolicy: `${names.prefix}-guard`,
    // One for each function that reaches other realms, one for people who count datasets, the
    // guard's.
    managedPolicies: entries.filter(reachesOthers).length + 2,
  };
}
