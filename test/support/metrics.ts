/** Metrics that are kept. */
import type { MetricName } from '../../lambdas/domain/operating/metric.ts';
import type { Metrics } from '../../lambdas/ports.ts';

export interface Measurement {
  readonly name: MetricName;
  readonly value: number;
  /** The value of the metric's dimension: a status, hook or code. */
  readonly word?: string | undefined;
}

export interface CollectedMetrics extends Metrics {
  readonly all: readonly Measurement[];
  values(name: MetricName, word?: string): readonly number[];
}

export function collectedMetrics(): CollectedMetrics {
  const all: Measurement[] = [];
  return {
    all,
    record: (name, value, ...[word]) => void all.push({ name, value, word }),
    values: (name, word) =>
      all.filter((one) => one.name === name && one.word === word).map(({ value }) => value),
  };
}
