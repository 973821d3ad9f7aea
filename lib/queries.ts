/** Queries that are saved with each stack: all that was logged of one migration, its requests, and what calls for an operator. */
import { CfnQueryDefinition, type ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { entriesOf } from './entries.ts';

export interface SavedQueriesProps {
  readonly deployment: Deployment;
  readonly logs: RealmLogs;
}

/** Constructs rather than names: a query cannot be saved before the logs that it names exist. */
export interface RealmLogs {
  readonly ofEntry: (entry: string) => ILogGroup;
  readonly ofWorkflow: ILogGroup;
  readonly ofRequests: ILogGroup;
}

/** Stands in two of them for the migration that is looked for. */
const EXAMPLE = '57500';

/** Functions say `migrationId`; Step Functions, without payloads, says the execution's name, and the id is in it. */
const ONE_MIGRATION = `fields @timestamp, coalesce(realm, "workflow") as where, coalesce(message, type) as what, details.name as state, @log
| parse execution_arn /:(?<phase>[a-z]+)-(?<moved>[^:]+)-[0-9a-f]{32}-(?<attempt>[0-9]+)$/
| filter migrationId = "${EXAMPLE}" or moved = "${EXAMPLE}"
| sort @timestamp
| limit 10000`;

/** API Gateway says how it was answered, the function which migration it was about; both say the id of the request. */
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
      name: `${prefix}/one migration`,
      logGroupNames: groupNames([...entries.map(logs.ofEntry), logs.ofWorkflow]),
      queryString: ONE_MIGRATION,
    });
    new CfnQueryDefinition(this, 'Requests', {
      name: `${prefix}/requests of one migration`,
      logGroupNames: groupNames([...hooks.map(logs.ofEntry), logs.ofRequests]),
      queryString: REQUESTS,
    });
    new CfnQueryDefinition(this, 'Alarms', {
      name: `${prefix}/alarms`,
      logGroupNames: groupNames(entries.map(logs.ofEntry)),
      queryString: ALARM_LINES,
    });
  }
}
