/** The name of an execution in Step Functions. */
import { createHash } from 'node:crypto';
import type { Run } from '../ports.ts';

/**
 * `{phase}-{id}-{hash of ledger, tenant and id}-{attempt}`: the same run always has the same name
 * (80 characters at most). The hash makes it unique. The id, cut where it is long, is for readers
 * of logs and console.
 */
export function executionName({ phase, tenant, ledger, id, attempt }: Run): string {
  const hash = createHash('sha256')
    .update(`${ledger}\n${tenant}\n${id}`)
    .digest('hex')
    .slice(0, 32);
  return `${phase}-${id.replace(/[^\w.-]/g, '_').slice(0, LONGEST_ID)}-${hash}-${attempt}`;
}

/** Longest migration id in a name; Atlassian's are numbers of about five digits. */
const LONGEST_ID = 20;
