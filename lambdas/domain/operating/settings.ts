/**
 * What operators can change while the system runs: per realm, and per tenant, which overrides the
 * realm. The source realm's settings allow moves; a phase works by the settings of the realm whose
 * data it changes.
 */
import { invalid } from '../refusal.ts';

export interface Settings {
  /** New schedules are refused with E0003. */
  readonly noNewMoves: boolean;
  /** Ranges of one move that are worked on at once, at most. */
  readonly concurrency?: number;
  /**
   * Items that one move writes or deletes per second and table; at least one a second for each of
   * its ranges.
   */
  readonly rateLimit?: number;
}

export const DEFAULT_SETTINGS: Settings = { noNewMoves: false };

/** `null` removes a setting: then the realm's value, or the default, counts again. */
export type SettingsChange = {
  readonly [Name in keyof Settings]?: Exclude<Settings[Name], undefined> | null;
};

/** Which operator changed what, and when. */
export interface SettingsEntry {
  readonly at: string;
  readonly actor: string;
  readonly change: SettingsChange;
}

/** Ranges of one move at once, where no operator has set another number. */
export const DEFAULT_CONCURRENCY = 16;
/**
 * An inline Map of Step Functions runs no more iterations at once; every Map of
 * `realm-migration.asl.json` is as wide.
 */
export const MOST_CONCURRENCY = 40;
const MOST_WRITES = 1_000_000;

const isWhole = (value: unknown, most: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most;

/** The allowed values of each setting, and their description. */
const FORMS: Readonly<
  Record<keyof Settings, { readonly is: (value: unknown) => boolean; readonly said: string }>
> = {
  noNewMoves: { is: (value) => typeof value === 'boolean', said: 'true or false' },
  concurrency: {
    is: (value) => isWhole(value, MOST_CONCURRENCY),
    // A larger one would be accepted and change nothing, when an operator relies on it.
    said: `a whole number from 1 to ${MOST_CONCURRENCY}, because Step Functions has no more than ${MOST_CONCURRENCY} ranges of a move at work at once`,
  },
  rateLimit: {
    is: (value) => isWhole(value, MOST_WRITES),
    said: `a whole number from 1 to ${MOST_WRITES}`,
  },
};

const isName = (name: string): name is keyof Settings => Object.hasOwn(FORMS, name);

/**
 * Reads stored settings, which an operator may have edited by hand. Names that are no settings, or
 * whose values are not allowed, are listed and left out.
 */
export function storedSettings(stored: Readonly<Record<string, unknown>>): {
  readonly settings: Partial<Settings>;
  readonly ignored: readonly string[];
} {
  const entries = Object.entries(stored);
  const isGood = ([name, value]: [string, unknown]) => isName(name) && FORMS[name].is(value);
  return {
    // Each field was checked above.
    settings: Object.fromEntries(entries.filter(isGood)) as Partial<Settings>,
    ignored: entries.filter((entry) => !isGood(entry)).map(([name]) => name),
  };
}

/** Parses what an operator asks for; throws a refusal that says which values are allowed. */
export function settingsChange(input: unknown): SettingsChange {
  const entries = Object.entries(typeof input === 'object' && input !== null ? input : {});
  if (entries.length === 0)
    throw invalid(`settings names none of ${Object.keys(FORMS).join(', ')}`);
  for (const [name, value] of entries) {
    if (!isName(name)) throw invalid(`no setting is called ${JSON.stringify(name.slice(0, 64))}`);
    if (value !== null && !FORMS[name].is(value))
      throw invalid(`${name} is ${FORMS[name].said}, or null to remove it`);
  }
  return Object.fromEntries(entries);
}

export function changedSettings(
  settings: Partial<Settings>,
  change: SettingsChange,
): Partial<Settings> {
  const entries = Object.entries({ ...settings, ...change });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}
