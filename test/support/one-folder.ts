/** All that a run of the tests leaves on disk lies in one folder of the system's temporary one, and goes with the run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setUp(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'app-data-residency-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  // Hosts, command lines and simulations are started a hundred times: compiled once, each needs half the time to start.
  process.env['NODE_COMPILE_CACHE'] ??= COMPILED;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  };
}

/** Node keeps by content what it has compiled: it outlives the run, and nothing in it can be out of date. */
const COMPILED = new URL('../../node_modules/.cache/node-compile', import.meta.url).pathname;
