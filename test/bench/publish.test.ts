/** The tables of a run, in README and docs. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { atLeast, noBar } from '../../bench/bars.ts';
import { withTables } from '../../bench/publish.ts';
import { growthTable, table, verdict } from '../../bench/report.ts';

describe('a published table', () => {
  test('stands between its marks, and replaces what stood there', () => {
    const text = 'before\n<!-- bench:bars -->\nold\n<!-- /bench -->\nafter\n';
    const once = withTables(text, { bars: '| $& |' });
    expect(once).toBe('before\n<!-- bench:bars -->\n| $& |\n<!-- /bench -->\nafter\n');
    expect(withTables(once, { bars: '| $& |' })).toBe(once);
  });

  test('is refused a mark that no table belongs to', () => {
    expect(() => withTables('<!-- bench:other -->\n<!-- /bench -->', { bars: '' })).toThrow(
      'there is no table called other',
    );
  });
});

describe('the table of bars', () => {
  const bars = [
    atLeast('no cap', 'ours', 41, 40),
    atLeast('cap', 'share', 0.5, 0.96, '%'),
    noBar('cap', 'theirs', 0.4, '%'),
  ];

  test('says which are met, and holds what is for comparison against nothing', () => {
    const rows = table(bars)
      .split('\n')
      .slice(2)
      .map((row) => row.split('|').map((cell) => cell.trim()));
    expect(rows.map((row) => row.slice(2, 6))).toEqual([
      ['ours', '41×', '≥ 40×', 'met'],
      ['share', '50.0 %', '≥ 96.0 %', '**not met**'],
      ['theirs', '40.0 %', '', ''],
    ]);
    const machine = { node: 'v24', processors: 2, model: 'any' };
    const rest = { at: '2026-11-25T00:00:00Z', quick: false, bundles: [], forecasts: [], runs: [] };
    expect(verdict({ bars, machine, seconds: 60, ...rest })).toContain('1 of 2 bars met, in 60 s');
  });
});

test('the table of growth is the planner’s, and the pages have it', () => {
  expect(growthTable()).toContain('| 1,000,000     | 17 min + 84 s (partition)');
  expect(growthTable()).toContain('| 18 min; 2 min ');
  for (const page of ['README.md', 'docs/performance.md'])
    expect(readFileSync(page, 'utf8')).toContain(growthTable());
});
