/**
 * Decorates the ports with metrics: the store of migrations counts each change of status, and the
 * part kind the items of each page.
 */
import { EMPTY_DIGEST } from '../domain/datasets/digest.ts';
import type { Migration } from '../domain/moving/migration.ts';
import { windowMinutesLeft } from '../domain/operating/metric.ts';
import type { Log, Metrics, MigrationStore, PartKind, Ports } from '../ports.ts';

export function portsWithMetrics(ports: Ports): Ports {
  return {
    ...ports,
    migrations: migrationsWithMetrics(ports),
    partKind: partKindWithMetrics(ports),
  };
}

/** Counts each log line that begins with `alarm:`, by which a function calls for an operator. */
export function logWithMetrics(log: Log, metrics: Metrics): Log {
  const at =
    (level: keyof Log): Log[keyof Log] =>
    (message, fields) => {
      log[level](message, fields);
      if (message.startsWith('alarm:')) metrics.record('Alarms', 1);
    };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * Counts a status once, however often its step is repeated: only the write that changed it counts.
 */
function migrationsWithMetrics(ports: Ports): MigrationStore {
  const { migrations, metrics } = ports;
  return {
    ...migrations,
    async change(key, actor, decide) {
      let before: Migration | undefined;
      const change = await migrations.change(key, actor, (current) => {
        before = current;
        return decide(current);
      });
      const { changed, record } = change;
      if (changed && record !== undefined && record.status !== before?.status) {
        metrics.record('Moves', 1, record.status);
        recordWindow(ports, record);
      }
      return change;
    },
  };
}

/** Records how long the site can still wait. */
export function recordWindow(
  { metrics, clock }: Pick<Ports, 'metrics' | 'clock'>,
  migration: Migration,
): void {
  const minutes = windowMinutesLeft(migration, clock.now());
  if (minutes !== undefined) metrics.record('WindowMinutesLeft', minutes);
}

/** Counts what is acknowledged, also in a turn that fails later. */
function partKindWithMetrics({ partKind, metrics }: Ports): PartKind {
  return {
    ...partKind,
    async *copy(range, source, target, horizon, from, until, rateLimit, reads) {
      const before = from?.digest ?? EMPTY_DIGEST;
      let reached = before;
      try {
        for await (const checkpoint of partKind.copy(
          range,
          source,
          target,
          horizon,
          from,
          until,
          rateLimit,
          reads,
        )) {
          reached = checkpoint.digest;
          yield checkpoint;
        }
      } finally {
        const items = reached.items - before.items;
        if (items > 0 && reads === 'eventual') {
          metrics.record('CopiedAheadItems', items);
        } else if (items > 0) {
          metrics.record('CopiedItems', items);
          metrics.record('CopiedBytes', reached.bytes - before.bytes);
        }
      }
    },
  };
}
