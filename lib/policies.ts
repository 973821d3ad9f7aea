/** Makes policies of the rows in `grants.ts`: exact actions on exact ARNs, in documents that stay under IAM's limits. */
import { Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { RealmRow } from '../lambdas/domain/realm.ts';
import { namesOf, type Residency } from '../lambdas/domain/residency.ts';
import { arnOf, type Deployment, deadLettersName, otherRows } from './deployment.ts';
import { type Action, GRANTS, type Grant, type Store } from './grants.ts';

/** A managed policy ends at 6,144 characters, white space not counted. */
const MANAGED_POLICY_CHARACTERS = 6144;

/** For the function's own realm: a few statements. */
export function ownStatements(deployment: Deployment, entry: string): readonly PolicyStatement[] {
  const { residency, stage, realm, region } = deployment;
  return allowances(grantsOf(entry, 'own'), residency, stage, { realm, region }).map(statementOf);
}

/** For all other realms: as few documents as hold whole realms. The statements of one realm are never torn apart. */
export function otherDocuments(deployment: Deployment, entry: string): readonly PolicyDocument[] {
  const documents: { size: number; statements: PolicyStatement[] }[] = [];
  for (const row of otherRows(deployment)) {
    const allowed = allowances(
      grantsOf(entry, 'others'),
      deployment.residency,
      deployment.stage,
      row,
    );
    const size = sizeOf(allowed);
    const last = documents.at(-1);
    if (allowed.length === 0) continue;
    if (last && last.size + size <= MANAGED_POLICY_CHARACTERS) {
      last.size += size;
      last.statements.push(...allowed.map(statementOf));
    } else {
      documents.push({ size, statements: allowed.map(statementOf) });
    }
  }
  return documents.map(({ statements }) => new PolicyDocument({ statements }));
}

function grantsOf(entry: string, where: Grant['where']): readonly Grant[] {
  const grants = GRANTS[entry];
  if (grants === undefined) throw new Error(`lib/grants.ts has no row for ${entry}`);
  return grants.filter((grant) => grant.where === where);
}

/** A statement as data, so that it can be measured before account and partition are known. */
interface Allowance {
  readonly actions: readonly string[];
  readonly arns: readonly (readonly [region: string, service: string, resource: string])[];
}

/** One per set of actions. */
function allowances(
  grants: readonly Grant[],
  residency: Residency,
  stage: string,
  row: RealmRow,
): readonly Allowance[] {
  const byActions = new Map<string, Allowance>();
  for (const { on, actions } of grants) {
    const service = serviceOf(on);
    const key = actions.join();
    const arns = resourcesOf(on, residency, stage, row).map(
      (resource) => [row.region, service, resource] as const,
    );
    byActions.set(key, {
      actions: actions.map((action: Action) => `${service}:${action}`),
      arns: [...(byActions.get(key)?.arns ?? []), ...arns],
    });
  }
  return [...byActions.values()];
}

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
  const names = namesOf(residency, stage, realm);
  if (on === 'tenants') return [`table/${names.tenants}`];
  if (on === 'migrations') return [`table/${names.migrations}`];
  if (on === 'tenants-index') return [`table/${names.tenants}/index/retired`];
  if (on === 'migrations-index') return [`table/${names.migrations}/index/open`];
  if (on === 'state-machine') return [`stateMachine:${names.stateMachine}`];
  if (on === 'dead-letters') return [deadLettersName(names)];
  const parts = residency.parts.filter((part) => on === 'parts' || on === `part:${part.name}`);
  if (parts.length === 0)
    throw new Error(`lib/grants.ts grants ${on}, which residency.config.ts does not declare`);
  return parts.map((part) => `table/${names.part(part)}`);
}

const statementOf = ({ actions, arns }: Allowance) =>
  new PolicyStatement({
    effect: Effect.ALLOW,
    actions: [...actions],
    resources: arns.map((arn) => arnOf(...arn)),
  });

/** Of the statements as JSON, in the longest partition. */
const sizeOf = (allowed: readonly Allowance[]): number =>
  JSON.stringify(
    allowed.map(({ actions, arns }) => ({
      Effect: 'Allow',
      Action: actions,
      Resource: arns.map((arn) => arnOf(...arn, 'aws-us-gov', '000000000000')),
    })),
  ).length + '{"Version":"2012-10-17","Statement":}'.length;
