/**
 * For consumers of streams and queues: one question per tenant of a batch, however many messages it
 * has.
 */
import type { Access, Judged, ResidencyGuard, Verdict, Whose } from './types.ts';

/**
 * Each message with its verdict, in the order of the messages. Rejects with `ResidencyFault` where
 * a tenant's record cannot be read: then the whole batch is for later. The verdicts hold for this
 * batch, for `otherWritersSeconds` in all.
 */
export async function judged<T>(
  guard: ResidencyGuard,
  messages: readonly T[],
  whoseIs: (message: T) => Whose,
  access: Access = 'write',
): Promise<readonly Judged<T>[]> {
  const asked = new Map<string, Promise<Verdict>>();
  return Promise.all(
    messages.map(async (message) => {
      const whose = whoseIs(message);
      const key = JSON.stringify(whose);
      const verdict = asked.get(key) ?? guard(whose, access);
      asked.set(key, verdict);
      return { message, verdict: await verdict };
    }),
  );
}
