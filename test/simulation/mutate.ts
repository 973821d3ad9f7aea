/**
 * Loaded before a simulation (`node --import`): puts one deliberate mistake into the sources when
 * they are loaded.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { MISTAKES } from './mistakes.ts';

const mistake = MISTAKES.find(({ name }) => name === process.env['MISTAKE']);
if (mistake === undefined) throw new Error(`no mistake is called ${process.env['MISTAKE']}`);

registerHooks({
  load(url, context, nextLoad) {
    const changes = mistake.changes.filter(({ file }) => url.endsWith(`/${file}`));
    if (changes.length === 0) return nextLoad(url, context);
    let source = readFileSync(fileURLToPath(url), 'utf8');
    for (const { file, from, to } of changes) {
      if (source.split(from).length !== 2)
        throw new Error(`${mistake.name}: "${from}" does not stand once in ${file}`);
      source = source.replace(from, () => to);
    }
    return { format: 'module-typescript', source, shortCircuit: true };
  },
});
