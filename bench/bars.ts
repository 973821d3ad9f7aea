/** The bars: what was measured, what has to be reached, and whether it is. */
import { defined } from '../lambdas/domain/defined.ts';
import type { Measurement } from './measure.ts';

export interface Bar {
  readonly group: string;
  readonly name: string;
  /** The value that has to be reached, as text. */
  readonly bar: string;
  readonly value: number;
  readonly unit: '×' | '%' | 's' | 'KB' | '';
  readonly isMet: boolean;
  readonly note?: string;
}

type Unit = Bar['unit'];

export const atLeast = (
  group: string,
  name: string,
  value: number,
  least: number,
  unit: Unit = '×',
  note?: string,
): Bar => ({
  group,
  name,
  bar: `≥ ${shown(least, unit)}`,
  value,
  unit,
  isMet: value >= least,
  ...defined({ note }),
});

export const atMost = (
  group: string,
  name: string,
  value: number,
  most: number,
  unit: Unit = '×',
  note?: string,
): Bar => ({
  group,
  name,
  bar: `≤ ${shown(most, unit)}`,
  value,
  unit,
  isMet: value <= most,
  ...defined({ note }),
});

/** A measured value without a bar. */
export const noBar = (group: string, name: string, value: number, unit: Unit): Bar => ({
  group,
  name,
  bar: '',
  value,
  unit,
  isMet: true,
});

export function shown(value: number, unit: Unit): string {
  if (unit === '%') return `${(value * 100).toFixed(1)} %`;
  const text =
    Math.abs(value) >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(2);
  return unit === '' ? text : `${text}${unit === '×' ? '×' : ` ${unit}`}`;
}

export const rate = ({ items, seconds }: Pick<Measurement, 'items' | 'seconds'>): number =>
  items / seconds;
export const cpuPerItem = ({ items, cpuSeconds }: Measurement): number => cpuSeconds / items;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[Math.ceil(sorted.length / 2) - 1],
    sorted[middle],
  ];
  return (low + high) / 2;
}

/** The median of a value over the rounds. */
export const medianOf = <T>(rounds: readonly T[], of: (round: T) => number): number =>
  median(rounds.map(of));
