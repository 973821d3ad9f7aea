/** Synthetic tenants, by which a stage that is not production is tried out. */

/** No site of Atlassian's is called so: their client keys are identifiers that Atlassian makes up. */
export const SMOKE_PREFIX = 'residency-smoke-';

export const isSmokeTenant = (tenant: string): boolean => tenant.startsWith(SMOKE_PREFIX);

/** Where real customers are, no key but Atlassian's installs anything. */
export const mayTrustSmokeKey = (stage: string): boolean => stage !== 'prod';
