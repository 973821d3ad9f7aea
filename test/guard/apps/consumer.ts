/** A vendor's TypeScript, checked against the published types; it is never run. */
import {
  answerTo,
  judged,
  type ResidencyGuard,
  residencyGuard,
  type Verdict,
} from 'app-data-residency-guard';
import { residencyStore } from 'app-data-residency-guard/ace-store';
import { residencyMiddleware } from 'app-data-residency-guard/express';

const table = { app: 'residency', stage: 'prod', realm: 'de' };
const guard: ResidencyGuard = residencyGuard({ ...table, otherWritersSeconds: 60 });

export async function handle(installationId: string): Promise<number> {
  const verdict: Verdict = await guard({ installationId, product: 'jira' }, 'write');
  if (verdict.kind === 'allowed') return verdict.signal.aborted ? 500 : 200;
  return answerTo(verdict)?.status ?? 200;
}

export const laterOf = async (keys: readonly string[]): Promise<readonly string[]> =>
  (await judged(guard, keys, (key) => key)).flatMap(({ message, verdict }) =>
    verdict.kind === 'later' ? [message] : [],
  );

export const middleware = residencyMiddleware<{ readonly method: string; readonly key: string }>(
  guard,
  { whose: ({ key }) => key },
);

export const store = residencyStore({
  ...table,
  others: { get: async () => null, set: async () => null, del: async () => undefined },
});

// @ts-expect-error a guard that knows no time for writes
residencyGuard(table);
