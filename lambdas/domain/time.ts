/** Units of time, each named by what it counts, and how far clocks may be apart. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const DAY_SECONDS = DAY_MS / 1000;

/** The clocks of two machines of AWS differ by less. A lease outlasts its holder by this margin. */
export const CLOCK_SKEW_MS = 5_000;

/**
 * A time that is further ahead of now than this was told by a clock that was wrong, or has been set
 * back since.
 */
export const WRONG_CLOCK_MS = MINUTE_MS;
