/**
 * Plays each query that is saved with a realm once: a query that fails is needed in an incident,
 * and not before.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  DescribeQueryDefinitionsCommand,
  GetQueryResultsCommand,
  type QueryDefinition,
  StartQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type { Realm } from '../../../lambdas/domain/realm.ts';
import { SAVED_QUERIES } from '../../saved-queries.ts';
import type { Operator } from '../operator.ts';
import { errorNameOf } from '../terminal/failure.ts';
import { printable } from '../terminal/print.ts';
import { bad, type Found, fine } from './check.ts';

/** An hour of logs costs next to nothing, and shows whether the query runs. */
const LOOKED_BACK_SECONDS = 3_600;
const POLL_MS = 500;
const MOST_POLLS = 60;

const FIX = 'deploy the realm again: its stack saves the queries, and their logs';

export async function savedQueries(
  { clients, clock, names }: Pick<Operator, 'clients' | 'clock' | 'names'>,
  realm: Realm,
): Promise<Found> {
  const { prefix } = names(realm);
  const client = clients.others('logs', (config) => new CloudWatchLogsClient(config))(realm);
  const found = await queriesOf(client, `${prefix}/`);
  const wanted = Object.values(SAVED_QUERIES).map((word) => `${prefix}/${word}`);
  const missing = wanted.filter((name) => !found.some((query) => query.name === name));
  if (missing.length > 0) return bad(`no query is saved as ${missing.join(', ')}`, FIX);
  const ends = await Promise.all(
    found
      .filter(({ name = '' }) => wanted.includes(name))
      .map(async (query) => ({ name: query.name, end: await play(client, query, clock.now()) })),
  );
  const wrong = ends.filter(({ end }) => end !== 'Complete');
  if (wrong.length === 0) return fine(`${ends.length} saved queries run`);
  const says = wrong.map(({ name, end }) => `${name} ends in ${printable(end, 60)}`).join('; ');
  return bad(`of the saved queries ${says}`, FIX);
}

async function queriesOf(
  client: CloudWatchLogsClient,
  queryDefinitionNamePrefix: string,
): Promise<readonly QueryDefinition[]> {
  const found: QueryDefinition[] = [];
  let nextToken: string | undefined;
  do {
    const page = await client.send(
      new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix, nextToken }),
    );
    found.push(...(page.queryDefinitions ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return found;
}

/** What it ends in; the name of the error where AWS does not even begin it. */
async function play(
  client: CloudWatchLogsClient,
  { queryString, logGroupNames }: QueryDefinition,
  nowMs: number,
): Promise<string> {
  const endTime = Math.floor(nowMs / 1_000);
  const startTime = endTime - LOOKED_BACK_SECONDS;
  try {
    const { queryId } = await client.send(
      new StartQueryCommand({ queryString, logGroupNames, startTime, endTime }),
    );
    for (let polls = 0; polls < MOST_POLLS; polls += 1) {
      const { status = 'Unknown' } = await client.send(new GetQueryResultsCommand({ queryId }));
      if (status !== 'Scheduled' && status !== 'Running') return status;
      await pause(POLL_MS);
    }
    return 'no end within half a minute';
  } catch (error) {
    return errorNameOf(error);
  }
}
