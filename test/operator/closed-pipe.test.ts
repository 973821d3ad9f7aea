/** The command line when its reader closes the pipe early. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

test('ends without an error when its reader has closed the pipe', async () => {
  const command = spawn(process.execPath, ['bin/residency.ts', '--help']);
  command.stdout.destroy();
  const [complaints, [code]] = await Promise.all([text(command.stderr), once(command, 'close')]);
  expect(complaints).toBe('');
  expect(code).toBe(0);
});
