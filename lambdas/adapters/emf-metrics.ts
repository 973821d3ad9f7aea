/** Metrics as lines in the log, in the embedded metric format: CloudWatch makes metrics of them, and no call is made. */
import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import { METRICS, type MetricName } from '../domain/operating/metric.ts';
import type { Metrics } from '../ports.ts';

export interface EmfMetricsOptions {
  /** Namespace, and dimension `service`. */
  readonly service: string;
  readonly stage: string;
  readonly realm: string;
}

/**
 * A line for each, at once: what a function that is killed has measured is not lost, and realms of one process do not mix.
 * Written past the console, which would wrap the line in another one.
 */
export function emfMetrics(
  { service, stage, realm }: EmfMetricsOptions,
  write: (line: string) => void = writeLine,
): Metrics {
  const metrics = new Powertools({
    namespace: service,
    serviceName: service,
    defaultDimensions: { stage, realm },
  });
  return {
    record(name, value, ...[word]) {
      const { unit, by } = rowOf(name);
      if (by !== undefined && word !== undefined) metrics.addDimension(by, word);
      metrics.addMetric(name, unit, value);
      write(JSON.stringify(metrics.serializeMetrics()));
      metrics.clearMetrics();
      metrics.clearDimensions();
    },
  };
}

const rowOf = (name: MetricName): { readonly unit: Unit; readonly by?: string } => METRICS[name];

type Unit = (typeof METRICS)[MetricName]['unit'];

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
