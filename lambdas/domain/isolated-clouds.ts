/** Isolated clouds of Atlassian: their tokens are signed by keys of their own. */

export interface IsolatedClouds {
  /**
   * Address of a cloud's keys, as Atlassian gives it:
   * `https://some-domain.{IC_LABEL}.net/some-path.json`.
   */
  readonly jwksUrlTemplate: string;
  /**
   * The clouds in which the app is used. Without this list, an attacker could register a domain
   * that fits the template, and sign tokens.
   */
  readonly labels: readonly string[];
}

/** The placeholder of a cloud's label in the template. */
export const IC_LABEL = '{IC_LABEL}';

export const isIcLabel = (value: unknown): value is string =>
  typeof value === 'string' && /^[a-z0-9_-]{1,50}$/.test(value);

/** Throws a sentence that says what to change. */
export function checkIsolatedClouds({ jwksUrlTemplate, labels }: IsolatedClouds): void {
  const url = jwksUrlTemplate.replaceAll(IC_LABEL, 'label');
  if (!jwksUrlTemplate.includes(IC_LABEL) || !url.startsWith('https://') || !URL.canParse(url))
    throw new Error(`isolatedCloud.jwksUrlTemplate is https://… with ${IC_LABEL} in it`);
  if (!Array.isArray(labels) || labels.length === 0)
    throw new Error('isolatedCloud.labels names the isolated clouds in which the app is used');
  for (const label of labels) {
    if (!isIcLabel(label))
      throw new Error(`isolatedCloud.labels: "${label}" is not 1 to 50 of a to z, digits, _ and -`);
  }
}
