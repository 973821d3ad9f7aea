/**
 * The order of a run's files: the slowest first, so that no processor waits for one of them at the
 * end. All others follow, the largest first.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** DATA: the files that take longer than ten seconds of two idle processors, the slowest first. */
const SLOWEST: readonly string[] = [
  'processes/kill.proof',
  'simulation/many-worlds.proof',
  'simulation/mistakes.proof',
  'e2e/permissions.proof',
  'page/watch-page.proof',
  'processes/story.proof',
  'e2e/faults.proof',
  'e2e/layouts.proof',
  'adapters/dataset/part-kind',
  'adapters/dataset/under-load.proof',
  'processes/client.proof',
  'e2e/storm.proof',
  'e2e/rollback',
  'e2e/move',
  'operator/foretold.proof',
  'operator/receipts',
  'page/desk.proof',
  'processes/full-disk.proof',
  'lib/policy-sizes.proof',
  'fuzz/routes.proof',
  'operator/smoke',
  'adapters/dataset/scanned-under-load.proof',
  'e2e/large-objects.proof',
  'e2e/settings.proof',
  'e2e/objects',
  'lib/realm-stacks',
  'app/lifecycle',
  'operator/documents',
  'operator/buckets',
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
