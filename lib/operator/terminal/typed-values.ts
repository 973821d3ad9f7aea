/** Parses what was typed. Each refusal is one sentence that names the text. */
import { type Command, InvalidArgumentError } from 'commander';
import { MOST_SAMPLED } from '../../../lambdas/domain/operating/rehearsal.ts';
import { UsageError } from './failure.ts';

export function itemCountOf(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > MOST_SAMPLED)
    throw new UsageError(`--items is a number from 1 to ${MOST_SAMPLED}, not "${text}"`);
  return Number(text);
}

export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600))
    throw new UsageError(`--every is a number of seconds from 0.1 to 3600, not "${text}"`);
  return seconds;
}

export function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_500)
    throw new InvalidArgumentError('a port is a number from 1 to 65500.');
  return Number(text);
}

/** An unset variable in a script (`where "$TENANT"`) arrives as an empty text. */
export function refuseEmpty(command: Command): void {
  for (const [at, argument] of command.registeredArguments.entries())
    if (command.args[at]?.trim() === '') throw new UsageError(`<${argument.name()}> is empty`);
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (typeof value === 'string' && value.trim() === '')
      throw new UsageError(`${option.long} is empty`);
  }
}
