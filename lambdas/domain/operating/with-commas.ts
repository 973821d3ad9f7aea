/** Numbers as people read them. */

/** `12,345`: the same text in every locale. */
export const withCommas = (count: number): string => count.toLocaleString('en-US');
