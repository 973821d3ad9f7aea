/** Synthetic tenants, by which stages other than production are tested. */

/** No site of Atlassian has such a name: their client keys are identifiers that Atlassian makes. */
export const SMOKE_PREFIX = 'residency-smoke-';

export const isSmokeTenant = (tenant: string): boolean => tenant.startsWith(SMOKE_PREFIX);

/** In production, only Atlassian's keys install tenants. */
export const mayTrustSmokeKey = (stage: string): boolean => stage !== 'prod';
