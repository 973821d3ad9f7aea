/**
 * The order of a run's files: the slowest first, so that no processor waits for one of them at the
 * end. All others follow, the largest first.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** DATA: the files that take longer than ten seconds of two idle processors, the slowest first. */
const SLOWEST: readonly string[] = [
  'processes/kill.proof',
  'simulation/many-worlds.proof',
  'e2e/permissions.proof',
  'simulation/mistakes.proof',
  'adapters/dataset/part-kind',
  'page/watch-page',
  'e2e/faults',
  'processes/story.proof',
  'e2e/layouts.proof',
  'processes/client.proof',
  'e2e/storm.proof',
  'operator/foretold.proof',
  'e2e/rollback',
  'e2e/move',
  'page/desk',
  'processes/full-disk.proof',
  'lib/policy-sizes.proof',
  'fuzz/routes.proof',
  'operator/receipts',
  'operator/smoke',
  'app/lifecycle',
  'e2e/objects',
  'e2e/settings',
  'adapters/dataset/scanned-under-load',
  'adapters/dataset/s3/large-objects',
  'operator/deployments',
  'descriptor/forge-validator.proof',
  'operator/reconcile',
  'e2e/beside-an-app',
  'e2e/kept-events',
];

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
