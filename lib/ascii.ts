/**
 * Turns text into ASCII for CloudFormation, which replaces every other character in a description
 * or body by `?` and then finds a change at each deployment.
 */

/** `Überblick` becomes `Uberblick`. A character without a base letter in ASCII becomes `?`. */
export const inAscii = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\x20-\x7e]/gu, '?');
