/**
 * The saved queries of each stack: all lines about one migration, its requests, and all lines that
 * call for an operator.
 */
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { entriesOf } from './entries.ts';
import { SAVED_QUERIES } from './saved-queries.ts';

export interface SavedQueriesProps {
  readonly deployment: Deployment;
  readonly logs: RealmLogs;
}

/** Log groups as constructs: a query cannot be saved before the log groups that it names exist. */
export interface RealmLogs {
  readonly ofEntry: (entry: string) => ILogGroup;
  readonly ofWorkflow: ILogGroup;
  readonly ofRequests: ILogGroup;
}

/** The migration id in two of the queries; the operator puts in another. */
const EXAMPLE = '57500';

/**
 * Functions log `migrationId`. Step Functions logs no payload, but the execution's name, which
 * holds the id.
 */
const ONE_MIGRATION = `fields @timestamp, coalesce(realm, "workflow") as where, coalesce(message, type) as what, details.name as state, @log
| parse execution_arn /:(?<phase>[a-z]+)-(?<moved>[^:]+)-[0-9a-f]{32}-(?<attempt>[0-9]+)$/
| filter migrationId = "${EXAMPLE}" or moved = "${EXAMPLE}"
| sort @timestamp
| limit 10000`;

/**
 * API Gateway logs the answer and the function logs the migration; both log the id of the request.
 */
const REQUESTS = `stats earliest(@timestamp) as at, sortsLast(migrationId) as migration, sortsLast(route) as hook, sortsLast(httpStatus) as answered, sortsLast(status) as migrationIs, max(milliseconds) as ms by requestId
| filter migration = "${EXAMPLE}"
| sort at`;

const ALARM_LINES = `fields @timestamp, message, migrationId, clientKey, source, target, @log
| filter message like /^alarm:/
| sort @timestamp desc
| limit 1000`;

export class SavedQueries extends Construct {
  constructor(scope: Construct, id: string, { deployment, logs }: SavedQueriesProps) {
    super(scope, id);
    const { prefix } = deployment.names;
    const entries = entriesOf(deployment.residency);
    const hooks = entries.filter((entry) => entry.startsWith('hooks/'));
    const groupNames = (groups: readonly ILogGroup[]) => groups.map((group) => group.logGroupName);
    new CfnQueryDefinition(this, 'OneMigration', {
      name: `${prefix}/${SAVED_QUERIES.oneMigration}`,
      logGroupNames: groupNames([...entries.map(logs.ofEntry), logs.ofWorkflow]),
      queryString: ONE_MIGRATION,
    });
    new CfnQueryDefinition(this, 'Requests', {
      name: `${prefix}/${SAVED_QUERIES.requests}`,
      logGroupNames: groupNames([...hooks.map(logs.ofEntry), logs.ofRequests]),
      queryString: REQUESTS,
    });
    new CfnQueryDefinition(this, 'Alarms', {
      name: `${prefix}/${SAVED_QUERIES.alarms}`,
      logGroupNames: groupNames(entries.map(logs.ofEntry)),
      queryString: ALARM_LINES,
    });
  }
}
