/** Runs `npm run simulate` for tests. */
import { atMost } from '../../lib/local/functions/concurrency.ts';
import { type Ended, runScript, type ScriptOptions } from '../support/run-script.ts';

/** Each takes a processor for all of its time. */
const twoAtOnce = atMost(2);

export const runSimulation = (args: readonly string[], options?: ScriptOptions): Promise<Ended> =>
  twoAtOnce(() => runScript('test/simulation/run.ts', args, options));
