/**
 * Writes metrics as log lines in the embedded metric format. CloudWatch turns them into metrics
 * without a call.
 */
import { Metrics as Powertools } from '@aws-lambda-powertools/metrics';
import { METRICS, type MetricName } from '../domain/operating/metric.ts';
import type { Metrics } from '../ports.ts';

export interface EmfMetricsOptions {
  /** Namespace, and value of the dimension `service`. */
  readonly service: string;
  readonly stage: string;
  readonly realm: string;
}

/**
 * Writes one line per metric at once, so that a function that is killed loses none, and realms of
 * one process do not mix. Writes to standard output directly, because Lambda's console would wrap
 * the line.
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
