/** Writes the tables of a full run between the marks in the README and in docs/performance.md. */
import { readFile, writeFile } from 'node:fs/promises';
import { bundleTable, forecastTable, growthTable, type Results, table, verdict } from './report.ts';

const FILES = ['README.md', 'docs/performance.md'];

export async function publish(results: Results): Promise<void> {
  const tables: Readonly<Record<string, string>> = {
    bars: `${table(results.bars)}\n\n${verdict(results)}`,
    bundles: bundleTable(results.bundles),
    forecasts: forecastTable(results.forecasts),
    growth: growthTable(),
  };
  for (const name of FILES) {
    const file = new URL(`../${name}`, import.meta.url);
    await writeFile(file, withTables(await readFile(file, 'utf8'), tables));
  }
}

/** `<!-- bench:bars -->` … `<!-- /bench -->` */
export function withTables(text: string, tables: Readonly<Record<string, string>>): string {
  return text.replace(
    /(<!-- bench:(\w+) -->\n)[\s\S]*?(<!-- \/bench -->)/g,
    (_, begin: string, name: string, end: string) => {
      const found = tables[name];
      if (found === undefined) throw new Error(`there is no table called ${name}`);
      return `${begin}${found}\n${end}`;
    },
  );
}
