/**
 * Makes policies of the rows in `grants.ts`: exact actions on exact ARNs, in documents that stay
 * under IAM's limits.
 */
import { Effect, type PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { isKeyedByMore } from '../lambdas/domain/datasets/dataset.ts';
import { tablesOf } from '../lambdas/domain/datasets/kinds.ts';
import type { RealmRow } from '../lambdas/domain/realm.ts';
import { physicalNames, type Residency } from '../lambdas/domain/residency.ts';
import { bucketStatements } from './bucket-policies.ts';
import { arnOf, type Deployment, deadLettersName, otherRows } from './deployment.ts';
import { type Action, GRANTS, type Grant, isReadOnly, type Store } from './grants.ts';
import { READ_WITH_KEY, WRITE_WITH_KEY } from './key-actions.ts';
import { keyStatements } from './part-keys.ts';
import { managed } from './policy-size.ts';

/** The statements for the function's own realm. */
export function ownStatements(deployment: Deployment, entry: string): readonly PolicyStatement[] {
  const { realm, region } = deployment;
  return statementsIn(deployment, entry, 'own', { realm, region });
}

/** The documents for all other realms: as few as possible, each with whole realms. */
export function otherDocuments(deployment: Deployment, entry: string): readonly PolicyDocument[] {
  return managed(
    entry,
    otherRows(deployment).map((row) => statementsIn(deployment, entry, 'others', row)),
  );
}

function statementsIn(
  { residency, stage }: Deployment,
  entry: string,
  where: Grant['where'],
  row: RealmRow,
): readonly PolicyStatement[] {
  const grants = grantsOf(entry, where).filter(
    ({ ifKeyedByMore, ifForwarding }) =>
      (!ifKeyedByMore || isKeyedByMore(residency.parts)) &&
      (!ifForwarding || residency.app.installedForwardUrl !== undefined),
  );
  const parts = (isWanted: (grant: Grant) => boolean) =>
    tablesOf(residency.parts).filter(({ name }) =>
      grants.filter(isWanted).some(({ on }) => on === 'parts' || on === `part:${name}`),
    );
  const written = parts((grant) => !isReadOnly(grant));
  const read = parts(isReadOnly).filter((part) => !written.includes(part));
  return [
    ...allowances(grants, residency, stage, row).map(statementOf),
    ...keyStatements(read, row, stage, READ_WITH_KEY),
    ...keyStatements(written, row, stage, WRITE_WITH_KEY),
    ...bucketStatements({ residency, stage }, entry, where, row),
  ];
}

function grantsOf(entry: string, where: Grant['where']): readonly Grant[] {
  const grants = GRANTS[entry];
  if (grants === undefined) throw new Error(`lib/grants.ts has no row for ${entry}`);
  return grants.filter((grant) => grant.where === where);
}

/** A policy statement as plain data. */
interface Allowance {
  readonly actions: readonly string[];
  readonly arns: readonly (readonly [region: string, service: string, resource: string])[];
}

/** One statement per set of actions. */
function allowances(
  grants: readonly Grant[],
  residency: Residency,
  stage: string,
  row: RealmRow,
): readonly Allowance[] {
  const byActions = new Map<string, Allowance>();
  // The key that signs receipts has no deterministic ARN: the stack grants it.
  for (const { on, actions } of grants.filter((grant) => grant.on !== 'receipt-key')) {
    const service = serviceOf(on);
    const scanned = scannedTables(residency, stage, row);
    for (const resource of resourcesOf(on, residency, stage, row)) {
      const allowed = scanned.has(resource) ? actions.flatMap(asScanned) : actions;
      const key = allowed.join();
      byActions.set(key, {
        actions: allowed.map((action) => `${service}:${action}`),
        arns: [...(byActions.get(key)?.arns ?? []), [row.region, service, resource]],
      });
    }
  }
  return [...byActions.values()];
}

/** The tables whose tenants are found only by a scan. */
const scannedTables = (residency: Residency, stage: string, { realm }: RealmRow) =>
  new Set(
    tablesOf(residency.parts)
      .filter(({ discover }) => discover !== undefined)
      .map((part) => `table/${physicalNames(residency, stage, realm).part(part)}`),
  );

/** What replaces a query there: a scan, and reads of the other side by key. */
const asScanned = (action: Action): readonly string[] =>
  action === 'Query' ? ['Scan', 'BatchGetItem'] : [action];

function serviceOf(on: Store): string {
  if (on === 'state-machine') return 'states';
  return on === 'dead-letters' ? 'sqs' : 'dynamodb';
}

function resourcesOf(
  on: Store,
  residency: Residency,
  stage: string,
  { realm }: RealmRow,
): readonly string[] {
  const names = physicalNames(residency, stage, realm);
  if (on === 'tenants') return [`table/${names.tenants}`];
  if (on === 'migrations') return [`table/${names.migrations}`];
  if (on === 'tenants-index') return [`table/${names.tenants}/index/retired`];
  if (on === 'migrations-index') return [`table/${names.migrations}/index/open`];
  if (on === 'parts-index')
    return tablesOf(residency.parts).flatMap((part) =>
      part.discover?.by === 'index'
        ? [`table/${names.part(part)}/index/${part.discover.index}`]
        : [],
    );
  if (on === 'scanned-parts')
    return tablesOf(residency.parts).flatMap((part) =>
      part.discover === undefined ? [] : [`table/${names.part(part)}`],
    );
  if (on === 'state-machine') return [`stateMachine:${names.stateMachine}`];
  if (on === 'dead-letters') return [deadLettersName(names)];
  const parts = tablesOf(residency.parts).filter(
    (part) => on === 'parts' || on === `part:${part.name}`,
  );
  if (parts.length === 0 && on !== 'parts')
    throw new Error(`lib/grants.ts grants ${on}, which residency.config.ts does not declare`);
  return parts.map((part) => `table/${names.part(part)}`);
}

const statementOf = ({ actions, arns }: Allowance) =>
  new PolicyStatement({
    effect: Effect.ALLOW,
    actions: [...actions],
    resources: arns.map((arn) => arnOf(...arn)),
  });
