/** CloudFormation keeps ASCII: in a description or a body, it makes `?` of everything else, and finds a change at each deployment. */

/** `Überblick` becomes `Uberblick`; what has no letter of its own in ASCII becomes `?`. */
export const inAscii = (text: string): string =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\x20-\x7e]/gu, '?');
