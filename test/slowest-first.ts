/**
 * The order of a run's files: the slowest first, so that no processor waits for one of them at the
 * end. All others follow, the largest first.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { SLOWEST } from './slowest-files.ts';

const ranks = new Map(SLOWEST.map((name, at) => [`/test/${name}.test.ts`, at]));
const rankOf = ({ moduleId }: TestSpecification): number => {
  const path = moduleId.slice(moduleId.lastIndexOf('/test/'));
  return ranks.get(path) ?? SLOWEST.length;
};

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}
