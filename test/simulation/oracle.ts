/** What the app's users have been told: the content that must be there, wherever the tenant is served. */

/** `null` stands for "there is no such item". */
export type Content = string | null;

/** Keys are `part partition id`. */
export function oracle() {
  /** What an item may be: one thing once a write was acknowledged; more while one may or may not count. */
  const possible = new Map<string, Set<Content>>();
  let revision = 0;

  return {
    /** Another number after everything that anybody was told, or that happened. */
    revision: () => revision,
    acknowledged(key: string, content: Content): void {
      revision += 1;
      possible.set(key, new Set([content]));
    },
    /** It happened, and nobody has been told. */
    landed(key: string, content: Content): void {
      revision += 1;
      possible.set(key, (possible.get(key) ?? new Set<Content>([null])).add(content));
    },
    /** The keys at which these holdings are not what they may be. */
    wrongIn(holdings: ReadonlyMap<string, string>): readonly string[] {
      const wrong = [...possible].filter(
        ([key, contents]) => !contents.has(holdings.get(key) ?? null),
      );
      const strangers = [...holdings.keys()].filter((key) => !possible.has(key));
      return [...wrong.map(([key]) => key), ...strangers];
    },
  };
}
