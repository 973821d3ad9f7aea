/** What the guard throws where it cannot be asked. */

/**
 * The table cannot be read. Its `cause` is the SDK's error; the message names table and error, and
 * no tenant.
 */
export class ResidencyFault extends Error {
  override readonly name = 'ResidencyFault';
}

/** Looks at the name, because each bundle has a class of its own. */
export const isResidencyFault = (error: unknown): error is ResidencyFault =>
  error instanceof Error && error.name === 'ResidencyFault';
