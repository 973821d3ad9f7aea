/**
 * Refuses, when the configuration is loaded, parts that could not be moved safely. Every message
 * names the part.
 */
import { checkBudget } from '../moving/plan-budget.ts';
import type { Part } from './dataset.ts';
import { recordOf, shown } from './declared-fields.ts';
import { isKind, KINDS } from './kinds.ts';

/** Throws a sentence that says what is allowed. The values may have other types than declared. */
export function checkParts(parts: readonly Part[]): void {
  const names = new Set<string>();
  for (const part of parts) {
    const name = checkName(part, names);
    const refused = (says: string) => new Error(`part "${name}": ${says}`);
    const { kind, policy }: Readonly<Record<string, unknown>> = recordOf(part);
    if (!isKind(kind)) {
      const known = Object.keys(KINDS).map((one) => `'${one}'`);
      throw refused(`kind is ${known.join(' or ')}, not ${shown(kind)}`);
    }
    if (policy !== 'move' && policy !== 'drop')
      throw refused(`policy is 'move' or 'drop', not ${shown(policy)}`);
    KINDS[kind].check(part, refused);
  }
  checkBudget(parts);
}

function checkName(part: unknown, taken: Set<string>): string {
  const { name } = recordOf(part);
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new Error(`part "${String(name)}": a name is lower-case letters, digits and dashes`);
  }
  if (['tenants', 'migrations'].includes(name) || taken.has(name)) {
    throw new Error(`part "${name}": the name is taken`);
  }
  taken.add(name);
  return name;
}
