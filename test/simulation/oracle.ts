/**
 * What the app's users were told: the content that must be there, in whichever realm serves the
 * tenant.
 */

/** `null` means that there is no such item. */
export type Content = string | null;

/** Keys are `part partition id`. */
export function oracle() {
  /**
   * The possible contents of an item: one after an acknowledged write, several while a write may or
   * may not have landed.
   */
  const possible = new Map<string, Set<Content>>();
  let revision = 0;

  return {
    /** Changes with every answer and every write. */
    revision: () => revision,
    acknowledged(key: string, content: Content): void {
      revision += 1;
      possible.set(key, new Set([content]));
    },
    /** The write landed, and its user has no answer. */
    landed(key: string, content: Content): void {
      revision += 1;
      possible.set(key, (possible.get(key) ?? new Set<Content>([null])).add(content));
    },
    /** The keys at which these holdings differ from what is possible. */
    wrongIn(holdings: ReadonlyMap<string, string>): readonly string[] {
      const wrong = [...possible].filter(
        ([key, contents]) => !contents.has(holdings.get(key) ?? null),
      );
      const strangers = [...holdings.keys()].filter((key) => !possible.has(key));
      return [...wrong.map(([key]) => key), ...strangers];
    },
  };
}
